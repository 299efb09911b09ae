package stent_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

type batch struct {
	From int   `json:"from"`
	Seen []int `json:"seen"`
}

func TestAWorkflowThatContinuesAsNewHasAFreshHistoryAndTheSameCaller(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var (
			mu  sync.Mutex
			ids = map[string]int{} // of tasks
		)
		work := core.NewActivity[int, int]("work")
		loop := core.NewWorkflow[batch, int]("loop")
		p := w.program(
			work.Handle(func(ctx context.Context, n int) (int, error) {
				info, _ := core.InfoFrom(ctx)
				mu.Lock()
				defer mu.Unlock()
				ids[info.TaskID]++
				return n + 1, nil
			}),
			loop.Handle(func(flow *core.Flow, b batch) (int, error) {
				if b.From != 2*(flow.Info().Run-1) {
					return 0, fmt.Errorf("run %d begins from %d", flow.Info().Run, b.From)
				}
				flow.Counter("work").Add(2)
				for range 2 {
					var err error
					if b.From, err = work.Call(flow, b.From); err != nil {
						return 0, err
					}
				}
				if err := flow.State("at").Set(b.From); err != nil {
					return 0, err
				}
				if b.From < 20 {
					return 0, flow.ContinueAsNew(b)
				}
				return b.From, nil
			}),
		).serve(core.WorkerConfig{})
		run := start(p, loop, batch{}, core.ID("loop"))
		if got := wait(p, run); got != 20 {
			t.Errorf("result %d", got)
		}
		s := p.inState("loop", backend.Completed)
		if s.Run != 10 || len(s.Counters) != 1 || s.Counters[0].Value != 20 || len(s.Custom) != 1 || string(s.Custom[0].Value) != "20" {
			t.Errorf("run %d, counters %v, custom state %v", s.Run, s.Counters, s.Custom)
		}
		tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: "loop", Kinds: []backend.Kind{backend.Activity}})
		if err != nil || len(tasks) != 2 {
			t.Errorf("%d activities in its history, %v", len(tasks), err)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(ids) != 20 {
			t.Errorf("20 activities had %d ids: %v", len(ids), ids)
		}
		if again := start(p, loop, batch{}, core.ID("loop")); !again.Existed {
			t.Error("the same start began another execution")
		}
	})
}

func TestSignalsThatARunHasNotReceivedAreForTheNext(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		number := core.NewSignal[int]("number")
		loop := core.NewWorkflow[batch, []int]("collect")
		const all = 30
		p := w.program(loop.Handle(func(flow *core.Flow, b batch) ([]int, error) {
			for range 3 {
				n, err := number.Receive(flow)
				if err != nil {
					return nil, err
				}
				b.Seen = append(b.Seen, n)
			}
			if len(b.Seen) < all {
				return nil, flow.ContinueAsNew(b)
			}
			return b.Seen, nil
		}))
		run := start(p, loop, batch{})
		for n := range all {
			if err := number.Send(w.ctx(), p.Engine, run.ID(), n); err != nil {
				t.Fatal(err)
			}
		}
		p.serve(core.WorkerConfig{}) // from now on nothing comes that would wake a run
		got := wait(p, run)
		for i, n := range got {
			if i != n {
				t.Fatalf("received %v", got)
			}
		}
		if len(got) != all {
			t.Errorf("received %v", got)
		}
	})
}

func TestWhatARunLeavesBehindIsGivenUp(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		began, cause := make(chan struct{}), make(chan error, 1)
		slow := core.NewActivity[int, int]("slow")
		loop := core.NewWorkflow[int, int]("impatient")
		p := w.program(
			slow.Handle(func(ctx context.Context, n int) (int, error) {
				close(began)
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return n, nil // its result is nobody's
			}),
			loop.Handle(func(flow *core.Flow, n int) (int, error) {
				if n > 0 {
					_, err := core.NewSignal[bool]("and out").Receive(flow)
					return n, err
				}
				f := slow.Go(flow, n)
				if _, err := core.Select(flow, f, core.NewSignal[bool]("enough").Next(flow)); err != nil {
					return 0, err
				}
				return 0, flow.ContinueAsNew(n + 1)
			}),
		).serve(core.WorkerConfig{})
		run := start(p, loop, 0)
		<-began
		if err := p.SignalRaw(w.ctx(), run.ID(), "enough", []byte("true")); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-cause:
			if !errors.Is(err, core.ErrExecutionEnded) {
				t.Errorf("its activity was cancelled because of %v", err)
			}
		case <-time.After(patience):
			t.Fatal("its activity goes on")
		}
		if err := p.SignalRaw(w.ctx(), run.ID(), "and out", []byte("true")); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 1 {
			t.Errorf("result %d", got)
		}
	})
}

// The turn that begins a run anew deletes the first thousand entries of the one before; the rest follows.
func TestALongHistoryIsDeletedWhenItsRunEnds(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		long := core.NewWorkflow[int, string]("long")
		p := w.program(long.Handle(func(flow *core.Flow, n int) (string, error) {
			for range n {
				if _, err := flow.NewID(); err != nil {
					return "", err
				}
			}
			if n > 0 {
				return "", flow.ContinueAsNew(0)
			}
			return approval.Receive(flow)
		})).serve(core.WorkerConfig{})
		run := start(p, long, 2500)
		p.waits(run.ID(), backend.SignalWait, backend.Waiting)
		w.eventually("the history of the first run is gone", func() bool { return w.entriesKept() == 1 })
		send(p, run.ID(), "done")
		if got := wait(p, run); got != "done" {
			t.Errorf("result %q", got)
		}
	})
}

// entriesKept is how many entries of histories the database holds, those behind the beginning of a run included.
func (w *world) entriesKept() (n int) {
	w.Helper()
	if w.backend == "postgres" {
		conn, err := pgx.Connect(w.ctx(), w.address)
		if err != nil {
			w.Fatal(err)
		}
		defer conn.Close(w.ctx())
		if err := conn.QueryRow(w.ctx(), "SELECT count(*) FROM stent.tasks").Scan(&n); err != nil {
			w.Fatal(err)
		}
		return n
	}
	db, err := sql.Open("sqlite", "file:"+w.address+"?_pragma=busy_timeout(10000)")
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(w.ctx(), "SELECT count(*) FROM tasks").Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

func TestAnInputOfAnotherTypeDoesNotContinue(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		loop := core.NewWorkflow[int, int]("mistyped")
		p := w.program(loop.Handle(func(flow *core.Flow, _ int) (int, error) {
			return 0, flow.ContinueAsNew("seven")
		})).serve(core.WorkerConfig{})
		_, err := start(p, loop, 1).Wait(w.ctx())
		if err == nil || !strings.Contains(err.Error(), "input of workflow mistyped: a string, want a int") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAWorkerDrainsThoughAWorkflowBeginsAnewAgainAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var stop atomic.Bool
		loop := core.NewWorkflow[int, int]("restless")
		handler := loop.Handle(func(flow *core.Flow, n int) (int, error) {
			if stop.Load() {
				return n, nil
			}
			return 0, flow.ContinueAsNew(n + 1)
		})
		p := w.program(handler).serve(core.WorkerConfig{DrainTimeout: time.Hour})
		run := start(p, loop, 1, core.ID("restless"))
		w.eventually("it has begun anew a few times", func() bool {
			s, err := p.StateOf(w.ctx(), run.ID())
			return err == nil && s.Run > 5
		})
		p.stop()
		s := p.inState("restless", backend.Running)
		if s.TaskState != backend.Waiting && s.TaskState != backend.Pending {
			t.Errorf("after the drain it is %s", s.TaskState)
		}
		stop.Store(true)
		again := w.program(handler).serve(core.WorkerConfig{})
		if got := wait(again, loop.Attach(again.Engine, run.ID())); got != s.Run {
			t.Errorf("result %d after run %d", got, s.Run)
		}
	})
}

// lockedBuffer is a log that goroutines share.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), part)
}

func TestAHistoryThatGrowsTooLongFailsTheExecutionAndHealsWithAHigherLimit(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		program := func(most int, log *lockedBuffer) *program {
			endless := core.NewWorkflow[int, int]("endless", core.HistoryLimit(5, most))
			e, err := core.New(w.open(), core.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Register(
				logged.Handle(func(_ context.Context, n int) (int, error) { did.add("logged"); return n + 1, nil }),
				endless.Handle(func(flow *core.Flow, n int) (int, error) {
					for n < 15 {
						var err error
						if n, err = logged.Call(flow, n); err != nil {
							return 0, err
						}
					}
					return n, nil
				}),
			); err != nil {
				t.Fatal(err)
			}
			return (&program{Engine: e, w: w, db: w.open(), stop: func() {}}).serve(core.WorkerConfig{EvictAfter: time.Millisecond})
		}
		var log lockedBuffer
		p := program(10, &log)
		endless := core.NewWorkflow[int, int]("endless")
		run := start(p, endless, 0, core.ID("long"))
		_, err := run.Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.Failure.Code != core.CodeHistoryLimit || !strings.Contains(err.Error(), "ContinueAsNew") {
			t.Fatalf("error %v", err)
		}
		if n := log.count("a history grows long"); n != 1 {
			t.Errorf("warned %d times", n)
		}
		letter, err := p.db.DeadLetter(w.ctx(), backend.TaskID{Execution: "long"})
		if err != nil || letter.Failure.Code != core.CodeHistoryLimit {
			t.Fatalf("dead letter %+v, %v", letter, err)
		}
		p.stop()

		again := program(100, &log)
		if err := again.Replay(w.ctx(), letter.Task); err != nil {
			t.Fatal(err)
		}
		if got := wait(again, endless.Attach(again.Engine, "long")); got != 15 || did.of("logged") != 15 {
			t.Errorf("result %d after %d activities", got, did.of("logged"))
		}
	})
}

func TestHistoryLimitsAreChecked(t *testing.T) {
	for _, x := range []struct{ warn, most int }{{-1, 5}, {6, 5}, {0, 0}, {0, 1_000_001}} {
		if err := core.WithHistoryLimit(x.warn, x.most)(new(core.Engine)); err == nil {
			t.Errorf("%v is no error", x)
		}
	}
}

// TestACrashAfterEveryCommitOfAFamilyEndsInTheSameResult is TestACrashAfterEveryCommitEndsInTheSameResult with children
// and runs.
func TestACrashAfterEveryCommitOfAFamilyEndsInTheSameResult(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var now atomic.Pointer[severed]
		double := core.NewActivity[int, int]("double")
		child := core.NewWorkflow[int, int]("child")
		wf := core.NewWorkflow[batch, int]("crossing")
		handlers := []core.Handler{
			double.Handle(func(ctx context.Context, n int) (int, error) {
				now.Load().begins(ctx)
				return 2 * n, nil
			}),
			child.Handle(func(flow *core.Flow, n int) (int, error) {
				if n < 10 {
					return 0, flow.ContinueAsNew(n + 10)
				}
				return double.Call(flow, n)
			}),
			wf.Handle(func(flow *core.Flow, b batch) (int, error) {
				flow.Counter("runs").Add(1)
				pair, err := child.Map(flow, []int{b.From, b.From + 1})
				if err != nil {
					return 0, err
				}
				if b.From == 0 {
					return 0, flow.ContinueAsNew(batch{From: pair[0] + pair[1]})
				}
				return double.Call(flow, pair[0]+pair[1])
			}),
		}
		for cut := int64(1); ; cut++ {
			id := fmt.Sprint("crash-", cut)
			dying := &severed{Backend: w.open(), cutAfter: cut}
			now.Store(dying)
			first := w.programOn(dying, handlers...)
			if _, err := wf.Start(w.ctx(), first.Engine, batch{}, core.ID(id)); err != nil && !errors.Is(err, errSevered) {
				t.Fatal(err)
			}
			if !dying.dead() {
				first.serve(core.WorkerConfig{Lease: crashLease, DrainTimeout: time.Millisecond})
			}
			w.eventually("the worker is cut off, or the execution has ended", func() bool {
				s, err := first.StateOf(w.ctx(), id)
				return dying.dead() || err == nil && s.State.Final()
			})
			survived := !dying.dead()
			second := w.program(handlers...).serve(core.WorkerConfig{Lease: crashLease})
			if got := wait(second, wf.Attach(second.Engine, id)); got != 340 {
				t.Errorf("cut off after commit %d: result %d", cut, got)
			}
			s := second.inState(id, backend.Completed)
			if s.Run != 2 || len(s.Counters) != 1 || s.Counters[0].Value != 2 {
				t.Errorf("cut off after commit %d: run %d, counters %v", cut, s.Run, s.Counters)
			}
			first.stop()
			second.stop()
			dying.judge(t)
			if survived {
				if cut < 10 {
					t.Errorf("only %d commits to cut after", cut)
				}
				return
			}
		}
	})
}
