//go:build screen

package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// TestWatchInATerminal drives the built command through tmux, as a person would.
func TestWatchInATerminal(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal("no tmux: install the package tmux; make test-screen does it on Debian as root")
	}
	stent := filepath.Join(t.TempDir(), "stent")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", stent, "github.com/stentgo/stent/cmd/stent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellAll()
		t.Setenv("STENT_DB", h.dsn)
		for _, size := range []struct{ width, height int }{{80, 24}, {200, 60}} {
			t.Run(fmt.Sprintf("%dx%d", size.width, size.height), func(t *testing.T) {
				term := newTerminal(t, size.width, size.height)
				term.enter(`echo "before"; ` + stent + ` watch --interval 0.2s; echo "left with $?"`)
				term.keys("Enter")
				term.shows("Throughput", "Latency p95", "Error rate", "1 Queues")
				term.keys("2")
				term.shows("Task", runningID[:12], "validate_order")
				term.resize(120, 40)
				term.shows("validate_order", "Worker")
				term.resize(30, 8)
				term.shows("at least 40x10")
				term.resize(size.width, size.height)
				term.keys("4")
				term.shows("order_workflow", "completed")
				term.keys("Enter")
				term.shows("Workflow  order_workflow", "State     pending")
				term.keys("q")
				term.shows("before", "left with 0")
				term.hides("Throughput")
			})
		}
	})
}

// A dead letter is replayed with a key and a confirmation, and without the confirmation it is not.
func TestWatchReplays(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		stent := filepath.Join(t.TempDir(), "stent")
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", stent, "github.com/stentgo/stent/cmd/stent").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Setenv("STENT_DB", h.dsn)
		term := newTerminal(t, 80, 24)
		term.enter(stent + " watch --interval 0.2s")
		term.keys("Enter")
		term.shows("3 Dead letters 1")
		term.keys("3", "r")
		term.shows("Replay " + failedID + ".2")
		term.keys("n")
		term.shows("Left as it is.")
		if letters, err := h.db.DeadLetters(t.Context(), backend.DeadLetterFilter{}); err != nil || len(letters) != 1 {
			t.Fatalf("%d dead letters after a no, %v", len(letters), err)
		}
		term.keys("r")
		term.shows("Replay " + failedID + ".2")
		term.keys("y")
		term.shows("Replayed "+failedID+".2", "3 Dead letters 0")
		if letters, err := h.db.DeadLetters(t.Context(), backend.DeadLetterFilter{}); err != nil || len(letters) != 0 {
			t.Errorf("%d dead letters after a yes, %v", len(letters), err)
		}
	})
}

// A queue is paused and an execution cancelled from the screen, each with a confirmation.
func TestWatchPausesAndCancels(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellWaiting()
	h.tellFailed()
	stent := filepath.Join(t.TempDir(), "stent")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", stent, "github.com/stentgo/stent/cmd/stent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("STENT_DB", h.dsn)
	term := newTerminal(t, 80, 24)
	term.enter(stent + " watch --interval 0.2s")
	term.keys("Enter")
	term.shows("1 Queues 1")
	term.keys("p")
	term.shows("Pause queue default?")
	term.keys("y")
	term.shows("Paused queue default.", "default (paused)")
	term.keys("4", "Down", "c")
	term.shows("Cancel execution " + waitingID)
	term.keys("y")
	term.shows("Asked "+waitingID+" to stop.", "cancelling")
}

// SIGTERM leaves the terminal as it was: the other screen is gone, and what is typed is seen again.
func TestWatchLeavesTheTerminalAsItWas(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellFailed()
	stent := filepath.Join(t.TempDir(), "stent")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", stent, "github.com/stentgo/stent/cmd/stent").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("STENT_DB", h.dsn)
	term := newTerminal(t, 80, 24)
	pid := filepath.Join(t.TempDir(), "pid")
	term.enter("stty -a | grep -o ' -\\?echo ' | head -1; sh -c 'echo $$ >" + pid + "; exec " + stent + " watch'; echo \"left with $?\"; stty -a | grep -o ' -\\?echo ' | head -1")
	term.keys("Enter")
	term.shows("Throughput")
	data, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscan(string(data), &n); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	term.shows("left with 0")
	term.hides("Throughput")
	term.enter("echo typed")
	term.shows("echo typed")
	if screen := term.screen(); strings.Contains(screen, "-echo") {
		t.Errorf("the terminal no longer echoes:\n%s", screen)
	}
}

// terminal is a tmux session with a shell.
type terminal struct {
	t      *testing.T
	socket string
}

func newTerminal(t *testing.T, width, height int) *terminal {
	t.Helper()
	dir, err := os.MkdirTemp("", "tmux") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t, filepath.Join(dir, "s")}
	t.Cleanup(func() {
		_, _ = term.tmux("kill-server")
		_ = os.RemoveAll(dir)
	})
	term.must("new-session", "-d", "-s", "w", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "env PS1='$ ' sh")
	return term
}

func (term *terminal) tmux(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-f", "/dev/null", "-S", term.socket}, args...)...) //nolint:noctx // it answers at once
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (term *terminal) must(args ...string) string {
	term.t.Helper()
	out, err := term.tmux(args...)
	if err != nil {
		term.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return out
}

func (term *terminal) enter(text string) {
	term.t.Helper()
	term.must("send-keys", "-t", "w", "-l", text)
}
func (term *terminal) screen() string {
	term.t.Helper()
	return term.must("capture-pane", "-p", "-t", "w")
}
func (term *terminal) resize(width, h int) {
	term.t.Helper()
	term.must("resize-window", "-t", "w", "-x", fmt.Sprint(width), "-y", fmt.Sprint(h))
}
func (term *terminal) keys(names ...string) {
	term.t.Helper()
	for _, name := range names {
		term.must("send-keys", "-t", "w", name)
	}
}

// shows polls until all the texts are on the screen.
func (term *terminal) shows(texts ...string) {
	term.t.Helper()
	term.until(func(screen string) (missing string) {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return "want " + text
			}
		}
		return ""
	})
}

func (term *terminal) hides(text string) {
	term.t.Helper()
	term.until(func(screen string) string {
		if strings.Contains(screen, text) {
			return "do not want " + text
		}
		return ""
	})
}

func (term *terminal) until(holds func(screen string) (why string)) {
	term.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		screen := term.screen()
		why := holds(screen)
		if why == "" {
			return
		}
		if time.Now().After(deadline) {
			term.t.Fatalf("after 60s the screen is as follows; %s\n%s", why, screen)
		}
		<-time.After(50 * time.Millisecond)
	}
}
