package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledgerVariable makes the test binary the program itself, which notes in the named file what it reads. So the program
// needs nothing that is there only for its test.
const (
	ledgerVariable = "STENT_ARCHIVE_TEST_LEDGER"
	standVariable  = "STENT_ARCHIVE_TEST_STAND" // how many lines the ledger may have before it is interrupted; "" for all
	leaseVariable  = "STENT_ARCHIVE_TEST_LEASE" // "" for the program's own
)

func TestMain(m *testing.M) {
	if path := os.Getenv(ledgerVariable); path != "" {
		os.Exit(runLedgered(path))
	}
	_ = flag.Set("test.parallel", "8") // the tests wait for leases and retries, not for a processor; -parallel overrules it
	worker.Lease = longLease           // of the archives within this process, which is not killed
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
	before, err := ledger{path}.events()
	if err != nil {
		return exitCode(err, os.Stderr)
	}
	stand, err := strconv.Atoi(cmp.Or(os.Getenv(standVariable), strconv.Itoa(math.MaxInt)))
	if err != nil {
		return exitCode(err, os.Stderr)
	}
	if worker.Lease, err = time.ParseDuration(cmp.Or(os.Getenv(leaseVariable), worker.Lease.String())); err != nil {
		return exitCode(err, os.Stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	to := &notes{file: file, lines: len(before), stand: stand, on: ctx.Done()}
	return exitCode(run(ctx, os.Args[1:], ledgered(to), os.Stdout, os.Stderr), os.Stderr)
}

// longLease is one that is not lost while a machine stands still.
const longLease = time.Minute

// notes are what a process writes to the ledger. It stands where it may write no more: so a test that is slow to
// interrupt or kill it finds it there, in the middle of its files.
type notes struct {
	file  *os.File
	stand int
	on    <-chan struct{} // closed when it goes on all the same

	mu    sync.Mutex
	lines int
}

func (n *notes) add(what, path string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lines >= n.stand {
		<-n.on
	}
	n.lines++
	_, err := fmt.Fprintf(n.file, "%s %d %d %q\n", what, os.Getpid(), time.Now().UnixNano(), path) // in one write
	return err
}

// slowness is how long each file takes, so that there is a middle in which to be killed.
const slowness = 10 * time.Millisecond

// ledgered opens files slowly, and writes a line when each is opened and when it is closed.
func ledgered(to *notes) opener {
	return func(path string) (io.ReadCloser, error) {
		if err := to.add("start", path); err != nil {
			return nil, err
		}
		<-time.After(slowness)
		file, err := openFile(path)
		return &ledgeredFile{file, func() error { return to.add("end", path) }}, err
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

func (l ledger) read(t *testing.T) []event {
	t.Helper()
	events, err := l.events()
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// events skips empty lines, one that is still being written, and what a kill has cut off.
func (l ledger) events() (events []event, err error) {
	data, err := os.ReadFile(l.path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if e, ok := parseEvent(line); ok {
			events = append(events, e)
		}
	}
	return events, nil
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

// startLedgered starts the program with a ledger and more variables.
func startLedgered(t *testing.T, l ledger, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startProcess(t, append(env, ledgerVariable+"="+l.path), self, args...)
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
