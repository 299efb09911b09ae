package stent_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Stories of what is kept through claims, retries and sleeps. docs/known-faults.md lists which fault each is against.

// declinedError is an error that its policy knows by its type.
type declinedError struct{ reason string }

func (e *declinedError) Error() string { return e.reason }

func TestThePolicyIsKeptThroughEveryClaim(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		policy := core.RetryPolicy{MaxAttempts: 6, InitialDelay: time.Millisecond, BackoffFactor: 1, NonRetryable: []string{"*stent_test.declinedError"}}
		act := core.NewActivity[string, int]("persistent", core.Retry(policy), core.Queue("elsewhere"))
		wf := core.NewWorkflow[string, int]("w")
		var did tally
		body := wf.Handle(func(flow *core.Flow, s string) (int, error) { return act.Call(flow, s) })
		handle := act.Handle(func(ctx context.Context, s string) (int, error) {
			info, _ := core.InfoFrom(ctx)
			did.add(s)
			switch {
			case s == "declined" && info.Attempt == 2:
				return 0, &declinedError{"no money"}
			case info.Attempt < 6:
				return 0, errors.New("not yet")
			}
			return info.Attempt, nil
		})
		// The program that calls has the policy; the one that runs the activity has a descriptor without it.
		caller := w.program(body, handle).serve(core.WorkerConfig{Queues: []string{"default"}})
		bare := core.NewActivity[string, int]("persistent")
		w.program(bare.Handle(func(ctx context.Context, s string) (int, error) {
			info, _ := core.InfoFrom(ctx)
			did.add(s)
			switch {
			case s == "declined" && info.Attempt == 2:
				return 0, &declinedError{"no money"}
			case info.Attempt < 6:
				return 0, errors.New("not yet")
			}
			return info.Attempt, nil
		})).serve(core.WorkerConfig{Queues: []string{"elsewhere"}})

		if got := wait(caller, start(caller, wf, "late")); got != 6 || did.of("late") != 6 {
			t.Errorf("attempt %d succeeded, after %d tries; want 6 as the policy says", got, did.of("late"))
		}
		_, err := start(caller, wf, "declined").Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || did.of("declined") != 2 {
			t.Errorf("what the policy does not retry: %v, after %d tries", err, did.of("declined"))
		}
	})
}

func TestATaggedWorkerWakesItsOwnSleepers(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("tagged", core.Tags("gpu"))
		wf := core.NewWorkflow[int, int]("sleeps_on_tags", core.Tags("gpu"))
		p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) {
			if err := flow.Sleep(20 * time.Millisecond); err != nil {
				return 0, err
			}
			n, err := act.Call(flow, n)
			if err != nil {
				return 0, err
			}
			return n, flow.Sleep(20 * time.Millisecond)
		}), act.Handle(func(_ context.Context, n int) (int, error) { return n + 1, nil })).
			serve(core.WorkerConfig{Tags: []string{"gpu"}, EvictAfter: time.Nanosecond})
		if got := wait(p, start(p, wf, 1)); got != 2 {
			t.Errorf("result %d", got)
		}
	})
}

func TestTimesAreUTCWhateverZoneTheyAreGivenIn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, time.Time]("timed")
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (time.Time, error) { return flow.Now() })).serve(core.WorkerConfig{})
		east := time.FixedZone("far east", 14*60*60)
		due := time.Now().Add(time.Hour).In(east)
		start(p, wf, 1, core.ID("later"), core.At(due))
		start(p, wf, 1, core.ID("past"), core.At(time.Now().Add(-time.Minute).In(east)))
		p.inState("past", backend.Completed)

		later, err := p.StateOf(w.ctx(), "later")
		if err != nil || later.State != backend.Pending || (later.Due.Sub(due)).Abs() > time.Millisecond {
			t.Errorf("due %v, want %v (%v)", later.Due, due, err)
		}
		past, err := p.StateOf(w.ctx(), "past")
		if err != nil {
			t.Fatal(err)
		}
		for name, at := range map[string]time.Time{
			"due": later.Due, "created": past.Created, "started": past.Started, "finished": past.Finished,
		} {
			if at.Location() != time.UTC {
				t.Errorf("%s is %v, which is not UTC", name, at)
			}
		}
		if ago := time.Since(past.Finished); ago < -time.Minute || ago > time.Minute {
			t.Errorf("it finished %v ago", ago)
		}
		if now := wait(p, wf.Attach(p.Engine, "past")); now.Location() != time.UTC || time.Since(now).Abs() > time.Minute {
			t.Errorf("the workflow's time was %v", now)
		}
	})
}

// TestWaitingWorkflowsAreBoundedInMemory has many more workflows wait than may be in memory.
func TestWaitingWorkflowsAreBoundedInMemory(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		const many, most = 200, 10
		go_ := core.NewSignal[int]("go")
		wf := core.NewWorkflow[int, int]("waits")
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (int, error) { return go_.Receive(flow) })).
			serve(core.WorkerConfig{MaxResident: most})
		var starting sync.WaitGroup
		for i := range many {
			starting.Go(func() { start(p, wf, i, core.ID(fmt.Sprint("w", i))) })
		}
		starting.Wait()
		w.eventually("few are in memory, and all have begun", func() bool {
			resident := 0
			for _, worker := range p.WorkerStatus().Workers {
				resident += worker.Resident
			}
			stats, err := p.db.Stats(w.ctx())
			return err == nil && stats.Executions[backend.Running] == many && resident <= most
		})
		for i := range many {
			if err := go_.Send(w.ctx(), p.Engine, fmt.Sprint("w", i), i); err != nil {
				t.Fatal(err)
			}
		}
		for i := range many {
			if got := wait(p, wf.Attach(p.Engine, fmt.Sprint("w", i))); got != i {
				t.Errorf("execution %d got %d", i, got)
			}
		}
	})
}
