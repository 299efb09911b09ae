package stent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// ship fails with the error that fault says.
type shipping struct {
	ship *core.Activity[int, int]
	wf   *core.Workflow[int, int]
	ran  tally

	mu    sync.Mutex
	fault func(i int) error
}

func newShipping() *shipping {
	return &shipping{
		ship: core.NewActivity[int, int]("ship", core.Queue("shipping"), core.Retry(core.RetryPolicy{MaxAttempts: 1})),
		wf:   core.NewWorkflow[int, int]("shipping_run"),
	}
}

func (s *shipping) fails(fault func(i int) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func (s *shipping) handlers() []core.Handler {
	return []core.Handler{
		s.ship.Handle(func(_ context.Context, i int) (int, error) {
			s.ran.add("ship")
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.fault != nil {
				return 0, s.fault(i)
			}
			return i, nil
		}),
		s.wf.Handle(func(flow *core.Flow, i int) (int, error) { return s.ship.Call(flow, i) }),
	}
}

// failed starts n executions that fail, and returns them when their dead letters are there.
func (s *shipping) failed(p *program, n int) []*core.Run[int] {
	p.w.Helper()
	var runs []*core.Run[int]
	for i := range n {
		runs = append(runs, start(p, s.wf, i, core.ID(fmt.Sprint("ship-", i))))
	}
	for _, run := range runs {
		p.inState(run.ID(), backend.Failed)
	}
	return runs
}

func broken(i int) error { return fmt.Errorf("carrier refused parcel %d: status 503", i) }

func (p *program) letters(f core.DeadLetterFilter) []backend.DeadLetter {
	p.w.Helper()
	letters, err := p.DeadLetters(p.w.ctx(), f)
	if err != nil {
		p.w.Fatal(err)
	}
	return letters
}

func TestReplayAllHealsEveryExecutionWithACanaryFirst(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		const n = 30
		runs := s.failed(p, n)
		s.fails(nil)

		var seen []int // done before each step
		report, err := p.ReplayAll(w.ctx(), core.DeadLetterFilter{Step: "ship"}, core.By("anna"), core.Canary(3),
			core.OnProgress(func(b core.BulkProgress) { seen = append(seen, b.Done) }))
		if err != nil || report.Matched != n || report.Done != n || report.Skipped != 0 || len(report.Canaries) != 3 {
			t.Fatalf("%+v, %v", report, err)
		}
		for i, done := range seen {
			if done != i+1 {
				t.Errorf("progress %v", seen)
				break
			}
		}
		for i, run := range runs {
			if got := wait(p, run); got != i {
				t.Errorf("execution %d: %d", i, got)
			}
		}
		if left := p.letters(core.DeadLetterFilter{}); len(left) != 0 {
			t.Errorf("%d dead letters are left", len(left))
		}
		entries, err := p.Audit(w.ctx(), backend.AuditFilter{Actor: "anna", Action: backend.ActionReplay})
		if err != nil || len(entries) != n {
			t.Errorf("%d entries in the audit, %v", len(entries), err)
		}
	})
}

func TestACanaryThatFailsAgainStopsTheReplay(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		s.failed(p, 10)

		report, err := p.ReplayAll(w.ctx(), core.DeadLetterFilter{}, core.Canary(2))
		var stopped *core.CanaryError
		if !errors.As(err, &stopped) || len(stopped.Canaries) != 2 || stopped.Of != 2 || stopped.Timeout != 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		if c := stopped.Canaries[0]; c.State != backend.Failed || c.Step != "ship" || !strings.Contains(err.Error(), "carrier refused parcel") {
			t.Errorf("%+v, %v", c, err)
		}
		if report.Done != 2 || s.ran.of("ship") != 12 {
			t.Errorf("%+v, ran %d times", report, s.ran.of("ship"))
		}
		if left := p.letters(core.DeadLetterFilter{}); len(left) != 10 {
			t.Errorf("%d dead letters, want the 8 that were left and the 2 that failed again", len(left))
		}
	})
}

func TestACanaryThatDoesNotEndInTimeStopsTheReplay(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		s.failed(p, 3)
		p.stop() // nobody works any more

		_, err := p.ReplayAll(w.ctx(), core.DeadLetterFilter{}, core.Canary(1), core.CanaryWithin(50*time.Millisecond))
		var stopped *core.CanaryError
		if !errors.As(err, &stopped) || stopped.Timeout != 50*time.Millisecond || stopped.Canaries[0].State != backend.Pending {
			t.Errorf("%v", err)
		}
		if left := p.letters(core.DeadLetterFilter{}); len(left) != 2 {
			t.Errorf("%d dead letters are left", len(left))
		}
	})
}

func TestDeadLettersAreChosenByWhatWentWrong(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(func(i int) error {
			if i%3 == 0 {
				return fmt.Errorf("no stock of article %d", i)
			}
			return broken(i)
		})
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		s.failed(p, 9)

		letters := p.letters(core.DeadLetterFilter{Execution: "ship-3"})
		if len(letters) != 1 {
			t.Fatalf("%+v", letters)
		}
		stock := core.Fingerprint(letters[0].Failure)
		page := p.letters(core.DeadLetterFilter{Fingerprint: stock, Limit: 2})
		for _, c := range []struct {
			name   string
			filter core.DeadLetterFilter
			want   int
		}{
			{"all", core.DeadLetterFilter{}, 9},
			{"the reason", core.DeadLetterFilter{Fingerprint: stock}, 3},
			{"the reason, a page", core.DeadLetterFilter{Fingerprint: stock, Limit: 2}, 2},
			{"the reason, the next page", core.DeadLetterFilter{Fingerprint: stock, After: page[len(page)-1].Task}, 1},
			{"the workflow", core.DeadLetterFilter{Workflow: "shipping_run"}, 9},
			{"another workflow", core.DeadLetterFilter{Workflow: "other"}, 0},
			{"the queue", core.DeadLetterFilter{Queue: "shipping", Step: "ship"}, 9},
			{"an age", core.DeadLetterFilter{MovedBefore: letters[0].Moved.Add(-time.Hour)}, 0},
		} {
			if got := p.letters(c.filter); len(got) != c.want {
				t.Errorf("%s: %d dead letters, want %d", c.name, len(got), c.want)
			}
		}

		dry, err := p.DiscardAll(w.ctx(), core.DeadLetterFilter{Fingerprint: stock}, core.DryRun())
		if err != nil || dry.Matched != 3 || dry.Done != 0 || len(p.letters(core.DeadLetterFilter{})) != 9 {
			t.Errorf("dry run: %+v, %v", dry, err)
		}
		report, err := p.DiscardAll(w.ctx(), core.DeadLetterFilter{Fingerprint: stock}, core.By("bert"))
		if err != nil || report.Done != 3 {
			t.Errorf("%+v, %v", report, err)
		}
		if left := p.letters(core.DeadLetterFilter{}); len(left) != 6 {
			t.Errorf("%d dead letters are left", len(left))
		}
		if s := p.inState("ship-3", backend.Failed); s.Failure == nil {
			t.Error("a discard has changed the execution")
		}
	})
}

func TestABulkReplayThatIsInterruptedSaysWhatItHasDone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		s.failed(p, 12)
		p.stop()

		ctx, interrupt := context.WithCancel(w.ctx())
		report, err := p.ReplayAll(ctx, core.DeadLetterFilter{}, core.OnProgress(func(b core.BulkProgress) {
			if b.Done == 5 {
				interrupt()
			}
		}))
		if !errors.Is(err, context.Canceled) || report.Done != 5 {
			t.Errorf("%+v, %v", report, err)
		}
		if left := p.letters(core.DeadLetterFilter{}); len(left) != 12-report.Done {
			t.Errorf("%d were replayed, %d are left of 12", report.Done, len(left))
		}
	})
}

func TestTwoBulkReplaysAtOnceReplayEachLetterOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		const n = 40
		runs := s.failed(p, n)
		s.fails(nil)
		var (
			done, skipped atomic.Int64
			both          sync.WaitGroup
		)
		for range 2 {
			other := w.program()
			both.Go(func() {
				report, err := other.ReplayAll(w.ctx(), core.DeadLetterFilter{})
				if err != nil {
					t.Error(err)
				}
				done.Add(int64(report.Done))
				skipped.Add(int64(report.Skipped))
			})
		}
		both.Wait()
		for _, run := range runs {
			wait(p, run)
		}
		if done.Load() != n || s.ran.of("ship") != 2*n {
			t.Errorf("%d replayed, %d skipped, ran %d times", done.Load(), skipped.Load(), s.ran.of("ship"))
		}
	})
}

func TestABulkReplayKeepsToItsRate(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		s.failed(p, 6)
		p.stop()
		began := time.Now()
		report, err := p.ReplayAll(w.ctx(), core.DeadLetterFilter{}, core.Rate(50), core.ToQueue("slow lane"))
		if took := time.Since(began); err != nil || report.Done != 6 || took < 100*time.Millisecond {
			t.Errorf("%+v in %v, want 100ms or more at 50 a second; %v", report, took, err)
		}
		if depth, err := p.QueueDepth(w.ctx(), "slow lane"); err != nil || depth != 6 {
			t.Errorf("%d in the other queue, %v", depth, err)
		}
		for _, bad := range []core.BulkReplayOption{core.Rate(-1), core.Canary(-1), core.ToQueue(""), core.OnProgress(nil), core.CanaryWithin(0)} {
			if _, err := p.ReplayAll(w.ctx(), core.DeadLetterFilter{}, bad); err == nil {
				t.Error("a bad option is no error")
			}
		}
	})
}

// The original ran an activity of 3 attempts in a workflow of 3 attempts 9 times, and left 4 dead letters for one fault.
func TestNestedRetriesDoNotMultiply(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		inner := core.NewActivity[int, int]("inner", core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: time.Millisecond}))
		outer := core.NewWorkflow[int, int]("outer", core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: time.Millisecond}))
		p := w.program(
			inner.Handle(func(context.Context, int) (int, error) {
				did.add("inner")
				return 0, errors.New("down")
			}),
			outer.Handle(func(flow *core.Flow, i int) (int, error) { return inner.Call(flow, i) }),
		).serve(core.WorkerConfig{})
		run := start(p, outer, 1)
		if _, err := run.Wait(w.ctx()); err == nil {
			t.Fatal("it should have failed")
		}
		if did.of("inner") != 3 {
			t.Errorf("the activity ran %d times, its policy says 3", did.of("inner"))
		}
		if letters := p.letters(core.DeadLetterFilter{}); len(letters) != 1 || letters[0].Step != "inner" {
			t.Errorf("one fault, dead letters %+v", letters)
		}
	})
}
