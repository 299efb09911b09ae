package cli

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// following is a stent show --follow that goes on beside the test.
type following struct {
	t    *testing.T
	mu   sync.Mutex
	text strings.Builder // what it has printed
	errs strings.Builder // to be read when it has ended
	code chan int
}

func (h *history) follow(ctx context.Context, args ...string) *following {
	h.t.Helper()
	h.t.Setenv("STENT_DB", h.dsn)
	f := &following{t: h.t, code: make(chan int, 1)}
	a := &app{stdin: strings.NewReader(""), stdout: f, stderr: &f.errs, now: h.clock.Now, program: "stent"}
	go func() { f.code <- a.run(ctx, append([]string{"--utc", "show", "--follow"}, args...)) }()
	return f
}

func (f *following) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.Write(p)
}

func (f *following) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text.String()
}

func (f *following) shows(text string) {
	f.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(f.String(), text); {
		if time.Now().After(deadline) {
			f.t.Fatalf("does not show %q:\n%s", text, f)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// ends waits for the end and wants an exit code.
func (f *following) ends(code int) {
	f.t.Helper()
	select {
	case got := <-f.code:
		if got != code {
			f.t.Errorf("exit code %d, %q", got, f.errs.String())
		}
	case <-time.After(30 * time.Second):
		f.t.Fatalf("goes on:\n%s", f)
	}
}

// Each line is printed once, when it happens, and the result as the last.
func TestFollow(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellRunning()
		f := h.follow(t.Context(), runningID[:8])
		f.shows("> validate_order (running)\n")
		h.clock.at(t, "10:35:07")
		h.begin(runningID, 1, 2, "charge_payment")
		f.shows("> charge_payment (running)\n")
		h.clock.at(t, "10:35:09")
		h.commit(&backend.Turn{
			Execution: runningID, Token: 1, Close: &backend.Close{State: backend.Completed, Result: []byte(`[1,2]`)},
			Completed: []*backend.Complete{{Task: task(runningID, 2), Token: 1, Result: []byte(`{}`)}},
		})
		f.ends(exitOK)
		want := `ID: 550e8400-e29b-41d4-a716-446655440001
[10:35:00] > order_workflow (running)
[10:35:00] > validate_order (running)
[10:35:07] + validate_order (completed)
[10:35:07] > charge_payment (running)
[10:35:09] + charge_payment (completed)
[10:35:09] + order_workflow (completed)
State: completed

Result: [1, 2]
`
		if b.comparable(f.String()) != b.comparable(want) {
			t.Errorf("got\n%s\nwant\n%s", f, want)
		}
	})
}

// With --json each line is an object of its own, and the last is the execution as show --json has it.
func TestFollowJSON(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellFailed()
	f := h.follow(t.Context(), failedID, "--json")
	f.ends(exitOK)
	lines := strings.Split(strings.TrimSuffix(f.String(), "\n"), "\n")
	for i, line := range lines {
		var shape struct {
			Progress  *progressShape
			Execution *executionDetailShape
		}
		if err := json.Unmarshal([]byte(line), &shape); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		last := i == len(lines)-1
		if (shape.Execution != nil) != last || (shape.Progress != nil) == last {
			t.Errorf("line %d of %d is %s", i+1, len(lines), line)
		}
		if last && (shape.Execution.ID != failedID || len(shape.Execution.DeadLetters) != 1) {
			t.Errorf("the last line is %s", line)
		}
	}
}

// Ctrl-C ends it, and so does whoever closes the pipe.
func TestFollowIsCutShort(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellRunning()
	ctx, interrupt := context.WithCancel(t.Context())
	f := h.follow(ctx, runningID)
	f.shows("validate_order")
	interrupt()
	f.ends(exitInterrupted)
	if f.errs.String() != "stent: interrupted\n" {
		t.Errorf("says %q", f.errs.String())
	}

	r, w := io.Pipe()
	r.Close()
	a := &app{stdin: strings.NewReader(""), stdout: w, stderr: &f.errs, now: h.clock.Now, program: "stent"}
	f.errs.Reset()
	if code := a.run(t.Context(), []string{"show", "--follow", runningID}); code != exitOK || f.errs.Len() > 0 {
		t.Errorf("with a closed pipe: exit code %d, %q", code, f.errs.String())
	}
}
