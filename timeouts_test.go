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

// endsTimedOut waits for the end, which has to be that, with a message.
func endsTimedOut[O any](p *program, run *core.Run[O], limit time.Duration) {
	p.w.Helper()
	out, err := run.Wait(p.w.ctx())
	var ended *core.ExecutionError
	var late *core.TimeoutError
	switch {
	case !errors.As(err, &ended) || ended.State != backend.TimedOut:
		p.w.Errorf("Wait: %v, %v; want that it timed out", out, err)
	case !errors.As(err, &late) || *late != core.TimeoutError{Kind: core.TimeoutMaxDuration, Limit: limit}:
		p.w.Errorf("%v is no timeout of %v: %+v", err, limit, late)
	case !strings.Contains(err.Error(), fmt.Sprintf("timed out: maximal duration: the execution took longer than %v", limit)):
		p.w.Errorf("the message is %q", err) // a fault of the original: it said "no result"
	}
	if s, err := p.StateOf(p.w.ctx(), run.ID()); err != nil || s.State != backend.TimedOut {
		p.w.Errorf("%s is %s, %v", run.ID(), s.State, err)
	}
}

const brief = 300 * time.Millisecond

func TestAnExecutionTimesOutWhereverItIs(t *testing.T) {
	residence(t, func(t *testing.T, w *world, cfg core.WorkerConfig) {
		wf := core.NewWorkflow[int, string]("endless", core.MaxDuration(brief))
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (string, error) { return "", flow.Sleep(time.Hour) })).serve(cfg)
		begun := time.Now()
		run := start(p, wf, 1)
		endsTimedOut(p, run, brief)
		if d := time.Since(begun); d < brief {
			t.Errorf("it timed out after %v", d)
		}
		longer := start(p, wf, 2, core.MaxDuration(time.Hour))
		p.waits(longer.ID(), backend.Timer, backend.Waiting)
		if s, err := p.StateOf(w.ctx(), longer.ID()); err != nil || s.State != backend.Running || s.Deadline.IsZero() {
			t.Errorf("the start's own duration: %s until %v, %v", s.State, s.Deadline, err)
		}
		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{Execution: run.ID()})
		if err != nil || len(letters) != 1 || !letters[0].Task.IsRoot() {
			t.Errorf("dead letters %+v, %v", letters, err)
		}
	})
}

func TestAnExecutionThatNoWorkerHasTimesOut(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		wf := core.NewWorkflow[int, string]("orphan", core.Queue("nobody"), core.MaxDuration(brief), core.Elsewhere())
		other := core.NewWorkflow[int, int]("other")
		run := start(w.program(), wf, 1) // before there is any worker
		p := w.program(other.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil })).
			serve(core.WorkerConfig{Lease: 3 * time.Second})
		endsTimedOut(p, run, brief)
		endsTimedOut(p, start(p, wf, 2), brief)
	})
}

func TestTheActivitiesOfAnExecutionThatTimedOutAreStopped(t *testing.T) {
	const limit = time.Second
	for _, apart := range []bool{false, true} {
		t.Run(map[bool]string{false: "with its workflow", true: "on another worker"}[apart], func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				act := core.NewActivity[int, string]("steady", core.Queue("acts"))
				wf := core.NewWorkflow[int, string]("hasty", core.MaxDuration(limit))
				var began atomic.Bool
				told := make(chan error, 1)
				doAct := act.Handle(func(ctx context.Context, _ int) (string, error) {
					began.Store(true)
					<-ctx.Done()
					told <- context.Cause(ctx)
					return "in spite of it", nil
				})
				doFlow := wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) })
				var p *program
				if apart {
					w.program(doAct).serve(core.WorkerConfig{Lease: 3 * time.Second, Queues: []string{"acts"}})
					p = w.program(doFlow).serve(core.WorkerConfig{Lease: 3 * time.Second, Queues: []string{core.DefaultQueue}})
				} else {
					p = w.program(doAct, doFlow).serve(core.WorkerConfig{Lease: 3 * time.Second})
				}
				p.ready()
				run := start(p, wf, 1)
				for endsTimedOut(p, run, limit); !began.Load(); endsTimedOut(p, run, limit) { // nobody came to it in time
					run = start(p, wf, 1)
				}
				select {
				case cause := <-told:
					var late *core.TimeoutError
					if !errors.As(cause, &late) || late.Kind != core.TimeoutMaxDuration || late.Limit != limit {
						t.Errorf("the cause is %v", cause)
					}
				case <-w.ctx().Done():
					t.Fatal("the activity was not told")
				}
				p.stop()
				endsTimedOut(p, run, limit) // whatever came back
			})
		})
	}
}

// A fault of the original: an orphan of the clock flipped an execution that had completed to timed out, and one that had
// timed out to completed.
func TestAnExecutionThatHasEndedIsNeverFlipped(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		slow := core.NewActivity[int, int]("slow")
		wf := core.NewWorkflow[int, int]("flipped", core.MaxDuration(brief))
		finish := make(chan struct{})
		p := w.program(
			slow.Handle(func(_ context.Context, n int) (int, error) { // it does not look at its context
				if n > 0 {
					<-finish
				}
				return n, nil
			}),
			wf.Handle(func(flow *core.Flow, n int) (int, error) { return slow.Call(flow, n) })).serve(core.WorkerConfig{Lease: 3 * time.Second})
		var quick *core.Run[int]
		w.eventually("one completes in time", func() bool {
			quick = start(p, wf, 0)
			_, err := quick.Wait(w.ctx())
			return err == nil
		})
		late := start(p, wf, 1)
		endsTimedOut(p, late, brief) // so that what is over has been looked for
		close(finish)
		p.stop()
		if got := wait(p, wf.Attach(p.Engine, quick.ID())); got != 0 {
			t.Errorf("what had completed gives %d", got)
		}
		if s := p.inState(quick.ID(), backend.Completed); s.TaskState != backend.Completed {
			t.Errorf("its orchestrator is %s", s.TaskState)
		}
		endsTimedOut(p, late, brief)
	})
}

func TestAReplayGivesAnExecutionItsTimeAgain(t *testing.T) {
	const limit = time.Second
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, string]("second_chance", core.MaxDuration(limit))
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (string, error) { return approval.Receive(flow) })).serve(core.WorkerConfig{Lease: 3 * time.Second})
		run := start(p, wf, 1)
		endsTimedOut(p, run, limit)
		send := func() error { return approval.Send(w.ctx(), p.Engine, run.ID(), "at last") }
		if err := send(); !errors.Is(err, core.ErrFinished) {
			t.Errorf("a signal before the replay: %v", err)
		}
		w.sometime(func() error {
			if err := p.Replay(w.ctx(), backend.TaskID{Execution: run.ID()}); err != nil {
				t.Fatal(err)
			}
			if err := send(); err != nil {
				endsTimedOut(p, run, limit)
				return err
			}
			got, err := run.Wait(w.ctx())
			if err == nil && got != "at last" {
				t.Errorf("got %q", got)
			}
			return err
		})
	})
}

// A fault of the original: a user's own TimeoutError timed the execution out.
func TestAUsersOwnTimeoutErrorIsAnOrdinaryFailure(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		once := core.Retry(core.RetryPolicy{MaxAttempts: 1})
		act := core.NewActivity[string, int]("imitator", once, core.StartToClose(time.Hour), core.HeartbeatTimeout(time.Hour))
		wf := core.NewWorkflow[string, int]("imitating", core.MaxDuration(time.Hour))
		errs := map[string]error{
			"deadline": fmt.Errorf("call the bank: %w", context.DeadlineExceeded),
			"copied":   &core.TimeoutError{Kind: core.TimeoutMaxDuration, Limit: time.Second},
			"attempt":  &core.TimeoutError{Kind: core.TimeoutStartToClose, Limit: time.Second},
			"cancel":   core.ErrCancelled,
		}
		p := w.program(
			act.Handle(func(_ context.Context, which string) (int, error) { return 0, errs[which] }),
			wf.Handle(func(flow *core.Flow, which string) (int, error) {
				if own, ok := strings.CutPrefix(which, "workflow "); ok {
					return 0, errs[own]
				}
				return act.Call(flow, which)
			})).serve(core.WorkerConfig{})
		for which := range errs {
			for _, by := range []string{"", "workflow "} {
				run := start(p, wf, by+which)
				_, err := run.Wait(w.ctx())
				var ended *core.ExecutionError
				var late *core.TimeoutError
				if !errors.As(err, &ended) || ended.State != backend.Failed || errors.As(err, &late) || errors.Is(err, core.ErrCancelled) {
					t.Errorf("%s%s: %v", by, which, err)
				}
				tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: run.ID(), Kinds: []backend.Kind{backend.Activity}})
				if err != nil || by == "" && (len(tasks) != 1 || tasks[0].State != backend.Failed) {
					t.Errorf("%s: %+v, %v", which, tasks, err)
				}
			}
		}
	})
}

func TestAnActivityThatNoWorkerTakesInTimeIsNotTriedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("untaken", core.Queue("nobody"), core.ScheduleToStart(brief), core.Retry(core.RetryPolicy{MaxAttempts: 5}))
		wf := core.NewWorkflow[int, string]("shop")
		p := w.program(wf.Handle(func(flow *core.Flow, n int) (string, error) {
			_, err := act.Call(flow, n)
			var failed *core.ActivityError
			var late *core.TimeoutError
			if !errors.As(err, &failed) || failed.State != backend.TimedOut || failed.Attempts != 1 ||
				!errors.As(err, &late) || *late != (core.TimeoutError{Kind: core.TimeoutScheduleToStart, Limit: brief}) {
				return "", core.NonRetryable(fmt.Errorf("not what was expected: %w", err))
			}
			return err.Error(), nil
		})).serve(core.WorkerConfig{Lease: 3 * time.Second, Queues: []string{core.DefaultQueue}})
		run := start(p, wf, 1)
		if got := wait(p, run); !strings.Contains(got, "schedule-to-start timeout: no worker took the task from queue nobody within 300ms") {
			t.Errorf("the workflow was told %q", got)
		}
		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{Execution: run.ID()})
		if err != nil || len(letters) != 1 || letters[0].Attempts != 1 || !strings.HasPrefix(letters[0].Reason, "schedule-to-start timeout") {
			t.Errorf("dead letters %+v, %v", letters, err)
		}
	})
}

func TestAnActivityThatSaysNothingIsTriedAgainAndKnowsHowFarItWas(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		for name, hang := range map[string]func(ctx context.Context){
			"one that looks at its context": func(ctx context.Context) { <-ctx.Done() },
			"one that hangs":                func(context.Context) { <-w.ctx().Done() },
		} {
			const silence = time.Second // the first heartbeat has to be in time
			act := core.NewActivity[int, int]("mute", core.HeartbeatTimeout(silence), core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
			wf := core.NewWorkflow[int, int]("monologue")
			cause := make(chan error, 1)
			p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
				act.Handle(func(ctx context.Context, _ int) (int, error) {
					var page int
					if known, err := core.HeartbeatDetail(ctx, &page); err != nil {
						return 0, core.NonRetryable(err)
					} else if known {
						return page, nil
					}
					for page = 1; page <= 7; page++ {
						if err := core.Heartbeat(ctx, page); err != nil {
							return 0, core.NonRetryable(err)
						}
					}
					go func() {
						<-ctx.Done()
						cause <- context.Cause(ctx)
					}()
					hang(ctx)
					return 0, ctx.Err()
				})).serve(core.WorkerConfig{})
			run := start(p, wf, 1)
			if got := wait(p, run); got != 7 {
				t.Errorf("%s: the next attempt knew %d", name, got)
			}
			var late *core.TimeoutError
			if err := <-cause; !errors.As(err, &late) || *late != (core.TimeoutError{Kind: core.TimeoutHeartbeat, Limit: silence}) {
				t.Errorf("%s: the cause is %v", name, err)
			}
			tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: run.ID(), Kinds: []backend.Kind{backend.Activity}})
			if err != nil || len(tasks) != 1 || tasks[0].Attempt != 2 {
				t.Errorf("%s: %+v, %v", name, tasks, err)
			}
			p.stop()
		}
	})
}

func TestTheLastAttemptThatSaysNothingHasTimedOut(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		limits := map[core.TimeoutKind]core.ActivityOption{
			core.TimeoutHeartbeat: core.HeartbeatTimeout(brief), core.TimeoutStartToClose: core.StartToClose(brief),
		}
		for kind, limit := range limits {
			act := core.NewActivity[int, int]("mute", limit, core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
			wf := core.NewWorkflow[int, int]("monologue")
			p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
				act.Handle(func(ctx context.Context, _ int) (int, error) {
					<-ctx.Done()
					return 0, context.Cause(ctx)
				})).serve(core.WorkerConfig{})
			run := start(p, wf, 1)
			_, err := run.Wait(w.ctx())
			if err == nil || !strings.Contains(err.Error(), "after 2 attempts: ") || !strings.HasSuffix(err.Error(), (&core.TimeoutError{Kind: kind, Limit: brief}).Error()) {
				t.Errorf("%s: %v", kind, err)
			}
			tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: run.ID(), Kinds: []backend.Kind{backend.Activity}})
			if err != nil || len(tasks) != 1 || tasks[0].State != backend.TimedOut || tasks[0].Failure.Code != string(kind) || tasks[0].Failure.Limit != brief {
				t.Errorf("%s: %+v, %v", kind, tasks, err)
			}
			p.stop()
		}
	})
}

func TestAHeartbeatKeepsAnAttemptAlive(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("talker", core.HeartbeatTimeout(2*time.Second))
		wf := core.NewWorkflow[int, int]("dialogue")
		p := w.program(wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
			act.Handle(func(ctx context.Context, n int) (int, error) {
				for end := time.After(3 * time.Second); ; {
					select {
					case <-end:
						return n, nil
					case <-time.After(20 * time.Millisecond):
						if err := core.Heartbeat(ctx, nil); err != nil {
							return 0, err
						}
					}
				}
			})).serve(core.WorkerConfig{})
		if got := wait(p, start(p, wf, 5)); got != 5 {
			t.Errorf("got %d", got)
		}
	})
}

// counting is a backend that counts what is written of heartbeats.
type counting struct {
	backend.Backend
	beats atomic.Int64
}

func (c *counting) Commit(ctx context.Context, b *backend.Batch) error {
	for _, cmd := range b.Commands {
		if _, ok := cmd.(*backend.Beat); ok {
			c.beats.Add(1)
		}
	}
	return c.Backend.Commit(ctx, b)
}

func TestTheDetailOfAWorkerThatDiedIsKnownAndHeartbeatsAreNoWritesEach(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("long")
		wf := core.NewWorkflow[int, int]("marathon")
		said, crash := make(chan struct{}), make(chan struct{})
		hasSaid := sync.OnceFunc(func() { close(said) })
		run := func(doomed bool) []core.Handler {
			return []core.Handler{
				wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
				act.Handle(func(ctx context.Context, _ int) (int, error) {
					var mile int
					known, err := core.HeartbeatDetail(ctx, &mile)
					if !doomed {
						if info, _ := core.InfoFrom(ctx); !known || err != nil || info.Attempt != 1 {
							return 0, core.NonRetryable(fmt.Errorf("attempt %d knows %d, %t, %w", info.Attempt, mile, known, err))
						}
						return mile, nil
					}
					for mile = 1; mile <= 10_000; mile++ {
						if err := core.Heartbeat(ctx, mile); err != nil {
							return 0, err
						}
					}
					hasSaid()
					<-crash
					return 0, errors.New("it is dead")
				}),
			}
		}
		count := &counting{Backend: w.open()}
		dying := &severed{Backend: count}
		first := w.programOn(dying, run(true)...).serve(core.WorkerConfig{Lease: 3 * time.Second, DrainTimeout: time.Millisecond})
		id := start(first, wf, 1).ID()
		<-said
		w.eventually("what it said last is written", func() bool {
			tasks, err := first.db.Tasks(w.ctx(), backend.TaskFilter{Execution: id, Kinds: []backend.Kind{backend.Activity}})
			return err == nil && len(tasks) == 1 && string(tasks[0].Detail) == "10000"
		})
		if n := count.beats.Load(); n > 5 {
			t.Errorf("10000 heartbeats were written %d times", n)
		}
		dying.mu.Lock()
		dying.cut = true
		dying.mu.Unlock()
		second := w.program(run(false)...).serve(core.WorkerConfig{Lease: 3 * time.Second})
		if got := wait(second, wf.Attach(second.Engine, id)); got != 10_000 {
			t.Errorf("the next attempt knew %d", got)
		}
		close(crash)
	})
}
