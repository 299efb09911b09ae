package stent_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// leakErrand does a bit of everything in a process of its own, where nobody else has goroutines, and says which of the
// module's are still there when Serve has returned and the database is closed.
func leakErrand(ctx context.Context, db backend.Backend) error {
	act := core.NewActivity[int, int]("act", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}), core.StartToClose(time.Minute),
		core.HeartbeatTimeout(time.Minute))
	hang := core.NewActivity[int, int]("hang", core.StartToClose(10*time.Millisecond), core.Retry(core.RetryPolicy{MaxAttempts: 1}))
	child := core.NewWorkflow[int, int]("child")
	wf := core.NewWorkflow[int, int]("parent")
	asleep := core.NewWorkflow[int, int]("asleep")
	e, err := core.New(db, core.WithMetrics(core.NopRecorder{}), core.WithSampleInterval(10*time.Millisecond))
	if err != nil {
		return err
	}
	err = e.Register(
		act.Handle(func(ctx context.Context, n int) (int, error) {
			if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
				return 0, core.RetryAfter(fmt.Errorf("once"), time.Millisecond)
			}
			return n, core.Heartbeat(ctx, n)
		}),
		hang.Handle(func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }),
		child.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
		asleep.Handle(func(flow *core.Flow, n int) (int, error) { return n, flow.Sleep(time.Hour) }),
		wf.Handle(func(flow *core.Flow, n int) (int, error) {
			timer := flow.Timer(time.Hour)
			if _, err := hang.Call(flow, n); err == nil {
				return 0, fmt.Errorf("it came back")
			}
			if _, err := core.Select(flow, timer, child.Go(flow, n)); err != nil {
				return 0, err
			}
			return n, flow.Sleep(time.Millisecond)
		}),
	)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- e.Serve(serving, core.WorkerConfig{Lease: crashLease, EvictAfter: time.Millisecond, DrainTimeout: time.Second})
	}()
	for i := range 20 {
		if _, err := asleep.Start(ctx, e, i); err != nil {
			return err
		}
		run, err := wf.Start(ctx, e, i)
		if err != nil {
			return err
		}
		if _, err := run.Wait(ctx); err != nil {
			return err
		}
	}
	stop()
	if err := <-served; err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return leftGoroutines(ctx)
}

// leftGoroutines waits a moment for those that are just ending.
func leftGoroutines(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		var ours []string
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			inModule := strings.Contains(stack, "github.com/stentgo/stent/") || strings.Contains(stack, "jackc/pgx") || strings.Contains(stack, "modernc.org")
			if inModule && !strings.Contains(stack, "leftGoroutines") {
				ours = append(ours, stack)
			}
		}
		if len(ours) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d goroutines are left:\n%s", len(ours), strings.Join(ours, "\n\n"))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestNoGoroutineIsLeftWhenServeHasReturned(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		cmd := exec.CommandContext(w.ctx(), os.Args[0])
		cmd.Env = append(os.Environ(), workerAddress+"="+w.address, workerBackend+"="+w.backend, workerErrand+"=leaks",
			workerLedger+"="+filepath.Join(t.TempDir(), "ledger"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}
