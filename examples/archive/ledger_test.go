package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ledgerVariable makes the test binary the program itself, which notes in the named file what it reads. So the program
// needs nothing that is there only for its test.
const ledgerVariable = "STENT_ARCHIVE_TEST_LEDGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(ledgerVariable); path != "" {
		os.Exit(runLedgered(path))
	}
	_ = flag.Set("test.parallel", "8") // the tests wait for leases and retries, not for a processor; -parallel overrules it
	os.Exit(m.Run())
}

func runLedgered(path string) int {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return exitCode(err, os.Stderr)
	}
	defer file.Close()
	// What a kill has cut off in the middle becomes a line of its own.
	if _, err := file.WriteString("\n"); err != nil {
		return exitCode(err, os.Stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return exitCode(run(ctx, os.Args[1:], ledgered(file), os.Stdout, os.Stderr), os.Stderr)
}

// slowness is how long each file takes, so that there is a middle in which to be killed.
const slowness = 10 * time.Millisecond

// ledgered opens files slowly, and writes a line when each is opened and when it is closed.
func ledgered(to *os.File) opener {
	note := func(what, path string) error {
		_, err := fmt.Fprintf(to, "%s %d %d %q\n", what, os.Getpid(), time.Now().UnixNano(), path) // in one write
		return err
	}
	return func(path string) (io.ReadCloser, error) {
		if err := note("start", path); err != nil {
			return nil, err
		}
		<-time.After(slowness)
		file, err := openFile(path)
		return &ledgeredFile{file, func() error { return note("end", path) }}, err
	}
}

type ledgeredFile struct {
	io.ReadCloser
	note func() error
}

func (f *ledgeredFile) Close() error {
	if err := f.ReadCloser.Close(); err != nil {
		return err
	}
	return f.note()
}

// ledger is the file in which all processes of an archive note what they read.
type ledger struct{ path string }

// event is one line of it.
type event struct {
	ended bool // closed, and not opened
	pid   int
	path  string
}

// read skips empty lines, one that is still being written, and what a kill has cut off.
func (l ledger) read(t *testing.T) []event {
	t.Helper()
	data, err := os.ReadFile(l.path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var events []event
	for line := range strings.Lines(string(data)) {
		if e, ok := parseEvent(line); ok {
			events = append(events, e)
		}
	}
	return events
}

func parseEvent(line string) (e event, ok bool) {
	line, whole := strings.CutSuffix(line, "\n")
	fields := strings.SplitN(line, " ", 4)
	if !whole || len(fields) != 4 {
		return e, false
	}
	pid, pidErr := strconv.Atoi(fields[1])
	path, pathErr := strconv.Unquote(fields[3])
	return event{ended: fields[0] == "end", pid: pid, path: path}, pidErr == nil && pathErr == nil
}

// startLedgered starts the program with a ledger.
func startLedgered(t *testing.T, l ledger, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startProcess(t, []string{ledgerVariable + "=" + l.path}, self, args...)
}

// buildProgram builds the program as users do.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "archive.exe")
	args := []string{"build", "-o", program}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" && s.Value == "true" { // as the test, so that what it is built from is there already
				args = append(args, "-race")
			}
		}
	}
	command(t, "go", append(args, ".")...)
	return program
}
