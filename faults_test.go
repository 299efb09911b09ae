package stent_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// severed is a backend whose connection can be cut, as the process's death or a network would cut it: nothing that is
// tried afterwards reaches the database. It records which activities were committed as completed before.
type severed struct {
	backend.Backend
	cutAfter int64 // commits that change something; 0 for never
	renewals func() error

	mu        sync.Mutex
	commits   int64
	cut       bool
	refused   int // commits that were tried after the cut
	workers   int // that were registered through it
	completed map[string]bool
	begun     map[string][]string // by task, the workers that began it
	repeated  []string            // tasks that began after they had been committed as completed
}

var errSevered = errors.New("severed")

func (s *severed) dead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut
}

func (s *severed) sever() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
}

func (s *severed) refusals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Commit cuts the connection right after the transaction was committed, before its answer comes back.
func (s *severed) Commit(ctx context.Context, b *backend.Batch) error {
	if s.dead() {
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		return errSevered
	}
	if err := s.Backend.Commit(ctx, b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := false
	for _, cmd := range b.Commands {
		changes = changes || s.note(cmd)
	}
	if changes {
		s.commits++
		if s.commits == s.cutAfter {
			s.cut = true
			return errSevered
		}
	}
	return nil
}

func (s *severed) note(cmd backend.Command) (changes bool) {
	switch cmd := cmd.(type) {
	case *backend.Claim:
		return len(cmd.Tasks) > 0
	case *backend.Complete:
		s.completes(cmd, cmd.Err)
	case *backend.Turn:
		for _, c := range cmd.Completed {
			s.completes(c, cmd.Err)
		}
	}
	return true
}

func (s *severed) completes(c *backend.Complete, err error) {
	if s.completed == nil {
		s.completed = map[string]bool{}
	}
	if err == nil {
		s.completed[c.Task.String()] = true
	}
}

// begins is told by the activities of every worker, also of those that do not go through the severed connection.
func (s *severed) begins(ctx context.Context) {
	info, _ := core.InfoFrom(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun == nil {
		s.begun = map[string][]string{}
	}
	s.begun[info.TaskID] = append(s.begun[info.TaskID], info.WorkerID)
	if s.completed[info.TaskID] {
		s.repeated = append(s.repeated, info.TaskID)
	}
}

// judge says what must not have happened: an activity that was committed as completed began once more. Before that it
// runs twice only if its worker lost its lease meanwhile, as on a machine that stood still for longer than that.
func (s *severed) judge(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, task := range s.repeated {
		t.Errorf("cut off after commit %d: %s was committed as completed and began again; it ran on %v", s.cutAfter, task, s.begun[task])
	}
	for task := range s.completed {
		if ran := len(s.begun[task]); ran != 1 && s.workers == 1 {
			t.Errorf("cut off after commit %d: %s ran on %v, whose lease stood", s.cutAfter, task, s.begun[task])
		}
	}
}

func (s *severed) History(ctx context.Context, ids []string) ([]backend.History, error) {
	if s.dead() {
		return nil, errSevered
	}
	return s.Backend.History(ctx, ids)
}

func (s *severed) News(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	if s.dead() {
		return nil, errSevered
	}
	return s.Backend.News(ctx, of)
}

func (s *severed) Renew(ctx context.Context, id string, state backend.WorkerState, used int, lease time.Duration) (backend.Renewal, error) {
	if s.dead() {
		return backend.Renewal{}, errSevered
	}
	if s.renewals != nil {
		if err := s.renewals(); err != nil {
			return backend.Renewal{}, err
		}
	}
	return s.Backend.Renew(ctx, id, state, used, lease)
}

func (s *severed) Register(ctx context.Context, w backend.Worker, lease time.Duration) (time.Time, error) {
	if s.dead() {
		return time.Time{}, errSevered
	}
	s.mu.Lock()
	s.workers++
	s.mu.Unlock()
	return s.Backend.Register(ctx, w, lease)
}

func (s *severed) Reap(ctx context.Context, maxCrashes int) (backend.Reaped, error) {
	if s.dead() {
		return backend.Reaped{}, errSevered
	}
	return s.Backend.Reap(ctx, maxCrashes)
}

func (s *severed) Retire(ctx context.Context, id string) error {
	if s.dead() {
		return errSevered
	}
	return s.Backend.Retire(ctx, id)
}

// crashLease is short, since a story waits for it.
const crashLease = 300 * time.Millisecond

// lastingLease is of workers that must not lose theirs, however busy the machine is.
const lastingLease = 30 * time.Second

// TestACrashAfterEveryCommitEndsInTheSameResult enumerates the commits of an execution and cuts the worker off after
// each: another one finishes it, and no activity whose completion was committed runs again.
func TestACrashAfterEveryCommitEndsInTheSameResult(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		double := core.NewActivity[int, int]("double")
		wf := core.NewWorkflow[int, int]("crossing")
		var now atomic.Pointer[severed]
		handlers := []core.Handler{
			double.Handle(func(ctx context.Context, n int) (int, error) {
				now.Load().begins(ctx)
				return 2 * n, nil
			}),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				a, err := double.Call(flow, n)
				if err != nil {
					return 0, err
				}
				if err := flow.Sleep(time.Millisecond); err != nil {
					return 0, err
				}
				pair, err := double.Map(flow, []int{a, a + 1})
				if err != nil {
					return 0, err
				}
				return double.Call(flow, pair[0]+pair[1])
			}),
		}
		for cut := int64(1); ; cut++ {
			id := fmt.Sprint("crash-", cut)
			dying := &severed{Backend: w.open(), cutAfter: cut}
			now.Store(dying)
			first := w.programOn(dying, handlers...)
			if _, err := wf.Start(w.ctx(), first.Engine, 5, core.ID(id)); err != nil && !errors.Is(err, errSevered) {
				t.Fatal(err)
			}
			if !dying.dead() { // else it died with the start on its lips
				first.serve(core.WorkerConfig{Lease: crashLease, DrainTimeout: time.Millisecond})
			}
			w.eventually("the worker is cut off, or the execution has ended", func() bool {
				s, err := first.StateOf(w.ctx(), id)
				return dying.dead() || err == nil && s.State.Final()
			})
			survived := !dying.dead()

			second := w.program(handlers...).serve(core.WorkerConfig{Lease: crashLease})
			if got := wait(second, wf.Attach(second.Engine, id)); got != 84 {
				t.Errorf("cut off after commit %d: result %d", cut, got)
			}
			first.stop()
			second.stop()
			dying.judge(t)
			if survived {
				if cut < 5 {
					t.Errorf("only %d commits to cut after", cut)
				}
				return
			}
		}
	})
}

func TestAStaleWorkerChangesNothingAndStops(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, string]("slow")
		wf := core.NewWorkflow[int, string]("contested")
		var stale atomic.Bool
		entered, taken, cause := make(chan struct{}), make(chan struct{}), make(chan error, 10)
		hasEntered := sync.OnceFunc(func() { close(entered) }) // it may lose its lease by itself, and enter again
		frozen := &severed{Backend: w.open(), renewals: func() error {
			if stale.Load() {
				return errors.New("frozen")
			}
			return nil
		}}
		first := w.programOn(frozen, wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) }),
			act.Handle(func(ctx context.Context, _ int) (string, error) {
				hasEntered()
				<-ctx.Done()
				cause <- context.Cause(ctx)
				<-taken
				return "from the stale worker", nil
			})).serve(core.WorkerConfig{Lease: crashLease, DrainTimeout: time.Millisecond})
		run := start(first, wf, 1)
		<-entered
		stale.Store(true)

		second := w.program(wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) }),
			act.Handle(func(context.Context, int) (string, error) {
				close(taken)
				return "from the new worker", nil
			})).serve(core.WorkerConfig{Lease: lastingLease})
		if got := wait(second, wf.Attach(second.Engine, run.ID())); got != "from the new worker" {
			t.Errorf("result %q", got)
		}
		if err := <-cause; !errors.Is(err, core.ErrLeaseLost) {
			t.Errorf("the stale worker's activity was cancelled because of %v", err)
		}
		if s := second.inState(run.ID(), backend.Completed); string(s.Result) != `"from the new worker"` {
			t.Errorf("stored result %s", s.Result)
		}
	})
}

// lateTurn holds back the answer to the transaction that made an activity running.
type lateTurn struct {
	*severed
	held    chan struct{} // closed when an answer is held back
	release chan struct{}
	once    sync.Once
}

func (l *lateTurn) Commit(ctx context.Context, b *backend.Batch) error {
	err := l.severed.Commit(ctx, b)
	for _, cmd := range b.Commands {
		turn, ok := cmd.(*backend.Turn)
		if ok && len(turn.Added) > 0 && turn.Added[0].Kind == backend.Activity {
			l.once.Do(func() { close(l.held) })
			<-l.release
		}
	}
	return err
}

func TestAnActivityDoesNotBeginWhenItsLeaseWasLostOnTheWay(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, string]("act")
		wf := core.NewWorkflow[int, string]("contested")
		var stale atomic.Bool
		slow := &lateTurn{held: make(chan struct{}), release: make(chan struct{}), severed: &severed{Backend: w.open(), renewals: func() error {
			if stale.Load() {
				return errors.New("frozen")
			}
			return nil
		}}}
		var begunLate atomic.Int32
		first := w.programOn(slow, wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) }),
			act.Handle(func(context.Context, int) (string, error) {
				begunLate.Add(1)
				return "late", nil
			})).serve(core.WorkerConfig{Lease: crashLease, DrainTimeout: time.Millisecond})
		run := start(first, wf, 1)
		<-slow.held
		stale.Store(true)

		second := w.program(wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) }),
			act.Handle(func(context.Context, int) (string, error) { return "in time", nil })).serve(core.WorkerConfig{Lease: crashLease})
		if got := wait(second, wf.Attach(second.Engine, run.ID())); got != "in time" {
			t.Errorf("result %q", got)
		}
		w.eventually("the first worker knows that its lease is over", func() bool { return !first.WorkerStatus().Ready })
		close(slow.release)
		first.stop()
		if n := begunLate.Load(); n != 0 {
			t.Errorf("a completed activity began %d times on a worker that knew its lease to be over", n)
		}
	})
}

func TestOneTransientErrorDoesNotEndTheHeartbeat(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		w.sometime(w.heartbeatsWithErrors)
	})
}

// heartbeatsWithErrors has two renewals of a lease fail one after the other, and returns what came of it.
func (w *world) heartbeatsWithErrors() error {
	act := core.NewActivity[int, bool]("long")
	wf := core.NewWorkflow[int, bool]("patient")
	var renewals, runs atomic.Int32
	flaky := &severed{Backend: w.open(), renewals: func() error {
		if n := renewals.Add(1); n == 2 || n == 3 {
			return errors.New("connection reset")
		}
		return nil
	}}
	p := w.programOn(flaky, wf.Handle(func(flow *core.Flow, n int) (bool, error) { return act.Call(flow, n) }),
		act.Handle(func(ctx context.Context, _ int) (bool, error) {
			runs.Add(1)
			for renewals.Load() < 10 { // more than two leases
				select {
				case <-ctx.Done():
					return false, context.Cause(ctx)
				case <-time.After(time.Millisecond):
				}
			}
			return true, nil
		})).serve(core.WorkerConfig{Lease: time.Second})
	defer p.stop()
	if ok, err := start(p, wf, 1).Wait(w.ctx()); err != nil || !ok || runs.Load() != 1 {
		return fmt.Errorf("the activity was cancelled, and begun %d times: %w", runs.Load(), err)
	}
	return nil
}

func TestPoisonGoesToTheDeadLettersAfterMaxCrashes(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, bool]("poison")
		wf := core.NewWorkflow[int, bool]("poisoned")
		body := wf.Handle(func(flow *core.Flow, n int) (bool, error) { return act.Call(flow, n) })
		run := start(w.program(), wf, 1)
		for range 2 {
			dying := &severed{Backend: w.open()}
			p := w.programOn(dying, body, act.Handle(func(ctx context.Context, _ int) (bool, error) {
				dying.mu.Lock()
				dying.cut = true
				dying.mu.Unlock()
				<-ctx.Done()
				return false, ctx.Err()
			})).serve(core.WorkerConfig{Lease: crashLease, MaxCrashes: 2, DrainTimeout: time.Millisecond})
			w.eventually("the worker dies of it", dying.dead)
			p.stop()
		}
		p := w.program(body, act.Handle(func(context.Context, int) (bool, error) { return true, nil })).serve(core.WorkerConfig{Lease: crashLease, MaxCrashes: 2})
		_, err := wf.Attach(p.Engine, run.ID()).Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.Cause == nil {
			t.Fatalf("waiting on the poisoned execution: %v", err)
		}
		letter, err := p.db.DeadLetter(w.ctx(), *failed.Cause)
		if err != nil || letter.Step != "poison" || letter.Crashes != 2 || letter.Attempts != 1 {
			t.Fatalf("dead letter %+v, %v", letter, err)
		}
		if err := p.Replay(w.ctx(), letter.Task); err != nil {
			t.Fatal(err)
		}
		if !wait(p, wf.Attach(p.Engine, run.ID())) {
			t.Error("it did not heal")
		}
	})
}

func TestAUsersOwnDeadlineIsAnOrdinaryFailure(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("impatient", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
		wf := core.NewWorkflow[int, int]("w")
		p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
			act.Handle(func(ctx context.Context, _ int) (int, error) {
				ctx, cancel := context.WithTimeout(ctx, time.Microsecond)
				defer cancel()
				<-ctx.Done()
				return 0, ctx.Err()
			})).serve(core.WorkerConfig{})
		_, err := start(p, wf, 1).Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.State != backend.Failed {
			t.Errorf("state: %v", err)
		}
	})
}

func TestAnAttemptThatTakesTooLongHasFailed(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("dawdling", core.StartToClose(100*time.Millisecond), core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
		wf := core.NewWorkflow[int, int]("w")
		var tries atomic.Int32
		p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
			act.Handle(func(ctx context.Context, _ int) (int, error) {
				tries.Add(1)
				<-ctx.Done()
				return 0, ctx.Err()
			})).serve(core.WorkerConfig{})
		_, err := start(p, wf, 1, core.ID("late")).Wait(w.ctx())
		if err == nil || tries.Load() != 2 {
			t.Errorf("after %d tries: %v", tries.Load(), err)
		}
		tasks, _ := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: "late", Kinds: []backend.Kind{backend.Activity}})
		if len(tasks) != 1 || tasks[0].State != backend.TimedOut {
			t.Errorf("tasks %+v", tasks)
		}
	})
}

func TestDrainLetsActivitiesFinishAndPutsWaitingWorkflowsAside(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("finishing")
		wf := core.NewWorkflow[int, int]("one")
		entered, finish := make(chan struct{}), make(chan struct{})
		handlers := []core.Handler{
			approvals.Handle(receiveApprovals),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				n, err := act.Call(flow, n)
				if err != nil {
					return 0, err
				}
				return act.Call(flow, n)
			}),
			act.Handle(func(_ context.Context, n int) (int, error) {
				if n == 0 {
					close(entered)
					<-finish
				}
				return n + 1, nil
			}),
		}
		p := w.program(handlers...).serve(core.WorkerConfig{})
		waiting := start(p, approvals, 1)
		busy := start(p, wf, 0)
		<-entered
		stopped := make(chan struct{})
		go func() { p.stop(); close(stopped) }()
		w.eventually("the worker drains", func() bool {
			s := p.WorkerStatus()
			return s.Draining && !s.Ready
		})
		p.inState(waiting.ID(), backend.Running)
		w.eventually("the waiting workflow is put aside", func() bool {
			s, err := p.StateOf(w.ctx(), waiting.ID())
			return err == nil && s.TaskState == backend.Waiting
		})
		close(finish)
		<-stopped

		// Nothing was lost: the first activity's result is there, the second one waits for another worker.
		tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: busy.ID(), Kinds: []backend.Kind{backend.Activity}})
		if err != nil || len(tasks) != 2 || tasks[0].State != backend.Completed || tasks[1].State != backend.Pending {
			t.Errorf("after the drain: %+v %v", tasks, err)
		}
		next := w.program(handlers...).serve(core.WorkerConfig{})
		if got := wait(next, wf.Attach(next.Engine, busy.ID())); got != 2 {
			t.Errorf("result %d", got)
		}
	})
}

func TestDrainCancelsWhatTakesTooLongWithoutBurningItsAttempt(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, string]("endless", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
		wf := core.NewWorkflow[int, string]("w")
		body := wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) })
		entered, cause := make(chan struct{}), make(chan error, 1)
		p := w.program(body, act.Handle(func(ctx context.Context, _ int) (string, error) {
			close(entered)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return "", ctx.Err()
		})).serve(core.WorkerConfig{DrainTimeout: time.Millisecond})
		run := start(p, wf, 1)
		<-entered
		p.stop()
		if err := <-cause; !errors.Is(err, core.ErrShutdown) {
			t.Errorf("cancelled because of %v", err)
		}
		next := w.program(body, act.Handle(func(ctx context.Context, _ int) (string, error) {
			info, _ := core.InfoFrom(ctx)
			return fmt.Sprint("attempt ", info.Attempt), nil
		})).serve(core.WorkerConfig{})
		if got := wait(next, wf.Attach(next.Engine, run.ID())); got != "attempt 1" {
			t.Errorf("result %q", got)
		}
	})
}

func TestPriorityOfTheStartAndOfTheDefinitionIsHonoured(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var order []string
		plain := core.NewWorkflow[string, int]("plain")
		urgent := core.NewWorkflow[string, int]("urgent", core.Priority(5))
		body := func(_ *core.Flow, name string) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return 0, nil
		}
		p := w.program(plain.Handle(body), urgent.Handle(body))
		var runs []*core.Run[int]
		runs = append(runs, start(p, plain, "plain 1"), start(p, plain, "plain 2"), start(p, urgent, "urgent"),
			start(p, plain, "most urgent", core.Priority(9)), start(p, plain, "least", core.Priority(-1)))
		p.serve(core.WorkerConfig{Slots: 1})
		for _, run := range runs {
			wait(p, run)
		}
		if got := fmt.Sprint(order); got != "[most urgent urgent plain 1 plain 2 least]" {
			t.Errorf("order %s", got)
		}
	})
}

func TestFiftyIneligibleTasksHideNoneBehindThem(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, int]("w")
		p := w.program(wf.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil }))
		for i := range 50 {
			start(p, wf, i, core.Tags("gpu"))
		}
		run := start(p, wf, 7)
		p.serve(core.WorkerConfig{Slots: 2})
		if got := wait(p, run); got != 7 {
			t.Errorf("result %d", got)
		}
		tagged := w.program(wf.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil })).serve(core.WorkerConfig{Tags: []string{"gpu", "ssd"}})
		w.eventually("the tagged ones are done by a worker with the tag", func() bool {
			depth, err := tagged.QueueDepth(w.ctx(), "default")
			return err == nil && depth == 0
		})
	})
}

func TestAHundredThousandSleepersHoldNoGoroutineEach(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		n := 100_000
		if raceEnabled {
			n = 5_000 // under the race detector SQLite is twenty times slower; `make test-scale` tells this story without it
		}
		wf := core.NewWorkflow[int, int]("hibernating")
		p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) { return n, flow.Sleep(24 * time.Hour) }))
		var starting sync.WaitGroup
		for range 64 {
			starting.Go(func() {
				for range n / 64 {
					start(p, wf, 1)
				}
			})
		}
		starting.Wait()
		before := runtime.NumGoroutine()
		p.serve(core.WorkerConfig{Slots: 1000})
		w.eventually("all sleep", func() bool {
			stats, err := p.db.Stats(w.ctx())
			if err != nil || len(stats.Queues) != 1 {
				return false
			}
			return stats.Queues[0].Scheduled == int64(n/64*64) && stats.Queues[0].Running == 0
		})
		w.eventually("their goroutines have ended", func() bool { return runtime.NumGoroutine() < before+100 })
	})
}
