package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test's own program be the command, so that signals and pipes are the system's.
func TestMain(m *testing.M) {
	if os.Getenv("STENT_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "STENT_TEST_MAIN=1", "STENT_DB=")
	return cmd
}

// TestInterruptedDemo: Ctrl-C drains the worker, prints what to type next, and is no error; the other commands then
// find the demo's file by themselves.
func TestInterruptedDemo(t *testing.T) {
	dir := t.TempDir()
	demo := command(t, dir, "demo", "--rate", "20")
	logs, err := demo.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	demo.Stdout = &out
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	for lines, sent := bufio.NewScanner(logs), false; lines.Scan(); {
		if !sent && strings.Contains(lines.Text(), "customer notified") {
			sent = true
			if err := demo.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := demo.Wait(); err != nil || !strings.Contains(out.String(), "The shop is closed: ") {
		t.Fatalf("the demo ended with %v and\n%s", err, out.String())
	}
	list, err := command(t, dir, "list", "--limit", "10000").CombinedOutput()
	if err != nil || !strings.Contains(string(list), "order-1001 ") {
		t.Errorf("list after the demo: %v\n%s", err, list)
	}
	if _, err := os.Stat(filepath.Join(dir, "stent-demo.sqlite")); err != nil {
		t.Error(err)
	}
}

// TestClosedPipe: `stent version | true` ends without a word, and is not killed by the system in the middle.
func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := command(t, t.TempDir(), "version")
	cmd.Stdout = w
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(stderr)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("killed: %v", err)
	}
	if err != nil || len(said) > 0 {
		t.Errorf("ended with %v and %q", err, said)
	}
}

func TestUsageError(t *testing.T) {
	cmd := command(t, t.TempDir(), "frobnicate")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 || !strings.HasPrefix(string(out), "stent: unknown command") {
		t.Errorf("%v, %q", err, out)
	}
}
