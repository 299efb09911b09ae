package stent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/stenttest"
)

// cancel is for stories in which it must not fail.
func (p *program) cancel(id string) {
	p.w.Helper()
	if err := p.Cancel(p.w.ctx(), id, core.By("ada"), core.Because("changed her mind")); err != nil {
		p.w.Fatal(err)
	}
}

// endsCancelled waits for the end, which has to be that, and to stay that.
func endsCancelled[O any](p *program, run *core.Run[O]) {
	p.w.Helper()
	out, err := run.Wait(p.w.ctx())
	var ended *core.ExecutionError
	if !errors.As(err, &ended) || ended.State != backend.Cancelled || !errors.Is(err, core.ErrCancelled) {
		p.w.Errorf("Wait: %v, %v; want that it was cancelled", out, err)
	}
	s, err := p.StateOf(p.w.ctx(), run.ID())
	if err != nil || s.State != backend.Cancelled || s.TaskState != backend.Cancelled || s.Result != nil || s.CancelRequested.IsZero() {
		p.w.Errorf("%s is %s, result %q: %v", run.ID(), s.State, s.Result, err)
	}
	letters, err := p.DeadLetters(p.w.ctx(), core.DeadLetterFilter{Execution: run.ID()})
	if err != nil || len(letters) > 0 {
		p.w.Errorf("dead letters of a cancelled execution: %+v, %v", letters, err)
	}
}

// residence runs a story with workflows that stay in memory while they wait, and with such as leave it.
func residence(t *testing.T, story func(t *testing.T, w *world, cfg core.WorkerConfig)) {
	t.Helper()
	onEach(t, func(t *testing.T, w *world) {
		t.Run("in memory", func(t *testing.T) { story(t, w.as(t), core.WorkerConfig{}) })
		t.Run("put aside", func(t *testing.T) {
			story(t, w.as(t), core.WorkerConfig{EvictAfter: time.Nanosecond, MaxResident: 1})
		})
	})
}

// as is the same database in a test of its own.
func (w *world) as(t *testing.T) *world {
	part := *w
	part.T = t
	return &part
}

// waits polls until the execution's workflow waits for something: an entry of its history of that kind is there.
func (p *program) waits(id string, kind backend.Kind, state backend.State) {
	p.w.Helper()
	p.w.eventually(fmt.Sprintf("%s waits for a %s", id, kind), func() bool {
		tasks, err := p.db.Tasks(p.w.ctx(), backend.TaskFilter{Execution: id, Kinds: []backend.Kind{kind}, States: []backend.State{state}})
		return err == nil && len(tasks) > 0
	})
}

// A fault of the original: the result of a function that was running when it was cancelled overwrote the cancellation.
func TestCancelOfARunningFunctionIsNotOverwrittenByCompleted(t *testing.T) {
	residence(t, func(t *testing.T, w *world, cfg core.WorkerConfig) {
		stubborn := core.NewActivity[int, string]("stubborn")
		wf := core.NewWorkflow[int, string]("stubborn_workflow")
		running, finish := make(chan struct{}), make(chan struct{})
		p := w.program(
			stubborn.Handle(func(context.Context, int) (string, error) { // it does not look at its context
				close(running)
				<-finish
				return "done", nil
			}),
			wf.Handle(func(flow *core.Flow, n int) (string, error) {
				out, err := stubborn.Call(flow, n)
				if !errors.Is(err, core.ErrCancelled) {
					t.Errorf("the call gave %q, %v", out, err)
				}
				return "completed all the same", nil
			})).serve(cfg)
		run := start(p, wf, 1)
		<-running
		p.cancel(run.ID())
		endsCancelled(p, run)
		close(finish)
		p.stop() // with what the activity returned
		endsCancelled(p, run)
	})
}

// The end of an activity and the cancellation come at the same moment, many times over: whichever is first, the
// execution ends as cancelled, or had completed before it was asked.
func TestACancelledExecutionIsNeverCompletedLater(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("quick")
		wf := core.NewWorkflow[int, int]("race")
		p := w.program(act.Handle(func(_ context.Context, n int) (int, error) { return n, nil }),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				for range 3 {
					_, _ = act.Call(flow, n) // it pays no heed to anything
				}
				return n, nil
			})).serve(core.WorkerConfig{})
		var racers sync.WaitGroup
		for i := range 60 {
			racers.Go(func() {
				run := start(p, wf, i)
				<-time.After(time.Duration(i%12) * 500 * time.Microsecond)
				err := p.Cancel(w.ctx(), run.ID())
				out, ended := run.Wait(w.ctx())
				switch {
				case err == nil && !errors.Is(ended, core.ErrCancelled):
					t.Errorf("it was cancelled and ended with %v, %v", out, ended)
				case err != nil && (!errors.Is(err, core.ErrFinished) || ended != nil || out != i):
					t.Errorf("cancel: %v; it ended with %v, %v", err, out, ended)
				}
			})
		}
		racers.Wait()
	})
}

// A fault of the original: a workflow that was cancelled while it waited for a signal completed.
func TestCancelWhileWaitingForASignalDoesNotComplete(t *testing.T) {
	residence(t, func(t *testing.T, w *world, cfg core.WorkerConfig) {
		wf := core.NewWorkflow[int, string]("patient")
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (string, error) {
			if _, err := approval.Receive(flow); !errors.Is(err, core.ErrCancelled) {
				t.Errorf("Receive: %v", err)
			}
			return "done", nil
		})).serve(cfg)
		run := start(p, wf, 1)
		p.waits(run.ID(), backend.SignalWait, backend.Waiting)
		other := w.program()
		other.cancel(run.ID())
		endsCancelled(p, run)
		if err := approval.Send(w.ctx(), other.Engine, run.ID(), "late"); !errors.Is(err, core.ErrFinished) {
			t.Errorf("a signal to a cancelled execution: %v", err)
		}
	})
}

func TestEveryKindOfWaitIsEndedOnceAndThenCallsWork(t *testing.T) {
	residence(t, func(t *testing.T, w *world, cfg core.WorkerConfig) {
		nowhere := core.NewActivity[int, int]("nowhere", core.Queue("nobody"), core.Elsewhere())
		undo := core.NewActivity[string, string]("undo")
		waits := map[string]func(flow *core.Flow) error{
			"call":  func(flow *core.Flow) error { _, err := nowhere.Call(flow, 1); return err },
			"map":   func(flow *core.Flow) error { _, err := nowhere.Map(flow, []int{1, 2, 3}); return err },
			"sleep": func(flow *core.Flow) error { return flow.Sleep(time.Hour) },
			"signal": func(flow *core.Flow) error {
				_, err := approval.ReceiveWithin(flow, time.Hour)
				return err
			},
			"select, where a timer is not taken for fired": func(flow *core.Flow) error {
				_, err := core.Select(flow, flow.Timer(time.Hour), nowhere.Go(flow, 1), approval.Next(flow))
				return err
			},
		}
		wf := core.NewWorkflow[string, string]("waiting")
		var did tally
		p := w.program(
			undo.Handle(func(_ context.Context, what string) (string, error) {
				if did.add(what) == 1 {
					return "", core.RetryAfter(errors.New("not yet"), time.Millisecond)
				}
				return what, nil
			}),
			wf.Handle(func(flow *core.Flow, name string) (string, error) {
				early := nowhere.Go(flow, 0)
				if err := waits[name](flow); !errors.Is(err, core.ErrCancelled) {
					t.Errorf("%s: the wait gave %v", name, err)
				}
				if _, err := undo.Call(flow, name); err != nil {
					t.Errorf("%s: a call after the cancellation: %v", name, err)
				}
				if err := flow.Sleep(time.Millisecond); err != nil {
					t.Errorf("%s: a sleep after it: %v", name, err)
				}
				if _, err := early.Get(flow); !errors.Is(err, core.ErrCancelled) {
					t.Errorf("%s: what was called before gave %v", name, err)
				}
				return "undone", nil
			})).serve(cfg)
		for name := range waits {
			run := start(p, wf, name)
			p.waits(run.ID(), backend.Activity, backend.Pending)
			p.cancel(run.ID())
			endsCancelled(p, run)
			if did.of(name) != 2 {
				t.Errorf("%s: it was undone %d times", name, did.of(name))
			}
		}
		depth, err := p.QueueDepth(w.ctx(), "nobody")
		if err != nil || depth != 0 {
			t.Errorf("%d activities are left in the queue, %v", depth, err)
		}
	})
}

// The program dies at each commit in turn, also between the moment at which the workflow is told and the end of what it then
// does: it is told at the same place again, and what it has put right is not put right twice, which is what the matrix
// looks for.
func TestACrashWhileAWorkflowPutsThingsRightEndsTheSame(t *testing.T) {
	book := core.NewActivity[string, string]("book")
	cancelBooking := core.NewActivity[string, string]("cancel_booking")
	trip := core.NewWorkflow[string, string]("trip")
	told := core.NewSignal[bool]("told")
	handle := trip.Handle(func(flow *core.Flow, to string) (string, error) {
		hotel, err := book.Call(flow, "hotel in "+to)
		if err != nil {
			return "", err
		}
		if _, err = told.Receive(flow); errors.Is(err, core.ErrCancelled) {
			for _, what := range []string{"refund", hotel} {
				if _, err := cancelBooking.Call(flow, what); err != nil {
					return "", err
				}
				if err := flow.Sleep(time.Millisecond); err != nil {
					return "", err
				}
			}
			flow.Counter("put right").Add(1)
		}
		return "", err
	})
	story := func(env *stenttest.Env) {
		env.Handle(handle)
		pass := func(_ context.Context, what string) (string, error) { return what, nil }
		stenttest.Stub(env, book, pass)
		stenttest.Stub(env, cancelBooking, pass)
		run := stenttest.Start(env, trip, "Rome", env.ID("trip"))
		for !strings.Contains(string(env.History(run.ID())), `"kind": "signal"`) {
			<-time.After(time.Millisecond)
		}
		if err := env.Engine.Cancel(env.Context(), run.ID()); err != nil {
			env.Error(err)
		}
		if _, err := stenttest.Wait(env, run); !errors.Is(err, core.ErrCancelled) {
			env.Errorf("it ended with %v", err)
		}
		if c := env.State(run.ID()).Counters; len(c) != 1 || c[0].Value != 1 {
			env.Errorf("it was put right: %v", c)
		}
		stenttest.AssertReplays(env, env.History(run.ID()), handle)
	}
	t.Run("memory", func(t *testing.T) {
		if n := stenttest.Crashes(t, story); n < 12 {
			t.Errorf("%d crashes are fewer than there are commits", n)
		}
	})
	onEach(t, func(t *testing.T, w *world) { stenttest.Crashes(t, story, stenttest.On(w.open())) })
}

func TestCancelReachesActivitiesOnOtherWorkersWithTheNextHeartbeat(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(map[bool]string{false: "workflow in memory", true: "nobody has the workflow"}[gone], func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				far := core.NewActivity[int, string]("far", core.Queue("far"))
				wf := core.NewWorkflow[int, string]("near")
				running, told := make(chan struct{}), make(chan error, 10)
				runs := sync.OnceFunc(func() { close(running) }) // it may lose its lease, and run again
				w.program(far.Handle(func(ctx context.Context, _ int) (string, error) {
					runs()
					<-ctx.Done()
					if cause := context.Cause(ctx); !errors.Is(cause, core.ErrLeaseLost) {
						told <- cause
					}
					return "", ctx.Err()
				})).serve(core.WorkerConfig{Lease: 2 * time.Second, Queues: []string{"far"}})
				serveNear := func() *program {
					return w.program(wf.Handle(func(flow *core.Flow, n int) (string, error) { return far.Call(flow, n) })).
						serve(core.WorkerConfig{Lease: 2 * time.Second, Queues: []string{core.DefaultQueue}})
				}
				near := serveNear()
				run := start(near, wf, 1)
				<-running
				if gone {
					near.stop()
				}
				client := w.program()
				client.cancel(run.ID())
				select {
				case cause := <-told:
					if !errors.Is(cause, core.ErrCancelled) {
						t.Errorf("the cause is %v", cause)
					}
				case <-w.ctx().Done():
					t.Fatal("the activity was not told")
				}
				if gone {
					if s := client.inState(run.ID(), backend.Cancelling); s.TaskState != backend.Waiting && s.TaskState != backend.Pending {
						t.Errorf("the orchestrator is %s", s.TaskState)
					}
					serveNear()
				}
				endsCancelled(client, run)
				letters, err := client.DeadLetters(w.ctx(), core.DeadLetterFilter{})
				if err != nil || len(letters) > 0 {
					t.Errorf("dead letters: %+v, %v", letters, err)
				}
			})
		})
	}
}

func TestWhatNobodyHasBegunIsCancelledWithoutAWorker(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, int]("idle")
		client := w.program()
		run := start(client, wf, 1, core.Delay(time.Hour))
		waited := make(chan error, 1)
		go func() {
			_, err := run.Wait(w.ctx())
			waited <- err
		}()
		client.cancel(run.ID())
		if err := <-waited; !errors.Is(err, core.ErrCancelled) {
			t.Errorf("who waited was told %v", err)
		}
		endsCancelled(client, run)
		client.cancel(run.ID()) // again is no error
		if err := client.Cancel(w.ctx(), "nobody"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an unknown execution: %v", err)
		}
		p := w.program(wf.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil })).serve(core.WorkerConfig{})
		done := start(p, wf, 2)
		wait(p, done)
		if err := client.Cancel(w.ctx(), done.ID()); !errors.Is(err, core.ErrFinished) {
			t.Errorf("an ended execution: %v", err)
		}
		if got := wait(p, done); got != 2 {
			t.Errorf("its result is %d", got)
		}
	})
}

func TestAWorkflowThatIsCancelledIsNotTriedAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, int]("persistent", core.Retry(core.RetryPolicy{MaxAttempts: 5, InitialDelay: time.Hour}))
		var did tally
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (int, error) {
			did.add("run")
			return 0, flow.Sleep(time.Hour)
		})).serve(core.WorkerConfig{EvictAfter: 2 * time.Hour}) // it stays in memory
		run := start(p, wf, 1)
		p.waits(run.ID(), backend.Timer, backend.Waiting)
		p.cancel(run.ID())
		endsCancelled(p, run)
		if n := did.of("run"); n != 1 {
			t.Errorf("its code ran %d times", n)
		}
	})
}

func TestCancelReachesChildrenButNotDetachedOnes(t *testing.T) {
	residence(t, func(t *testing.T, w *world, cfg core.WorkerConfig) {
		undo := core.NewActivity[string, string]("undo_child")
		child := core.NewWorkflow[string, string]("child")
		parent := core.NewWorkflow[int, string]("parent")
		var did tally
		p := w.program(
			undo.Handle(func(_ context.Context, what string) (string, error) {
				did.add(what)
				return what, nil
			}),
			child.Handle(func(flow *core.Flow, name string) (string, error) {
				out, err := approval.Receive(flow)
				if errors.Is(err, core.ErrCancelled) {
					_, err = undo.Call(flow, name)
				}
				return out, err
			}),
			parent.Handle(func(flow *core.Flow, _ int) (string, error) {
				free := child.Go(flow, "detached", core.ID(flow.Info().ExecutionID+"-free"), core.Detached())
				bound := child.Go(flow, "bound", core.ID(flow.Info().ExecutionID+"-bound"))
				for _, f := range []*core.Future[string]{bound, free} {
					if _, err := f.Get(flow); !errors.Is(err, core.ErrCancelled) {
						t.Errorf("a child's result: %v", err)
					}
				}
				return "", nil
			})).serve(cfg)
		run := start(p, parent, 1)
		free, bound := child.Attach(p.Engine, run.ID()+"-free"), child.Attach(p.Engine, run.ID()+"-bound")
		for _, id := range []string{free.ID(), bound.ID()} {
			p.waits(id, backend.SignalWait, backend.Waiting)
		}
		p.cancel(run.ID())
		endsCancelled(p, run)
		endsCancelled(p, bound)
		if did.of("bound") != 1 || did.of("detached") != 0 {
			t.Errorf("undone: %d and %d times", did.of("bound"), did.of("detached"))
		}
		send(p, free.ID(), "at leisure")
		if got := wait(p, free); got != "at leisure" {
			t.Errorf("the detached child gave %q", got)
		}
	})
}
