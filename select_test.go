package stent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func TestSelectTakesWhatComesFirstAndKeepsItsChoice(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		slow := core.NewActivity[int, string]("slow")
		release := make(chan struct{})
		var turns atomic.Int32
		wf := core.NewWorkflow[int, string]("first_of")
		p := w.program(
			slow.Handle(func(context.Context, int) (string, error) { <-release; return "activity", nil }),
			wf.Handle(func(flow *core.Flow, ms int) (string, error) {
				turns.Add(1)
				call, timer, signal := slow.Go(flow, 1), flow.Timer(time.Duration(ms)*time.Millisecond), approval.Next(flow)
				first, err := core.Select(flow, call, timer, signal)
				if err != nil {
					return "", err
				}
				got := []string{fmt.Sprint(first)}
				v, err := call.Get(flow)
				if err != nil {
					return "", err
				}
				got = append(got, v)
				// Now that no activity keeps it in memory it leaves. By the time it runs again everything has happened.
				if err := flow.Sleep(10 * time.Millisecond); err != nil {
					return "", err
				}
				if v, err = signal.Get(flow); err != nil {
					return "", err
				}
				return strings.Join(append(got, v), " "), timer.Wait(flow)
			}),
		)
		byTimer := start(p, wf, 1)
		bySignal := start(p, wf, 500)
		send(p, bySignal.ID(), "x") // before anybody looks, or the timer could be first
		p.serve(core.WorkerConfig{EvictAfter: time.Nanosecond})
		w.eventually("both have chosen", func() bool {
			n := 0
			for _, id := range []string{byTimer.ID(), bySignal.ID()} {
				tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: id})
				if err != nil {
					t.Fatal(err)
				}
				for _, task := range tasks {
					if task.Step == "select" {
						n++
					}
				}
			}
			return n == 2
		})
		close(release)
		send(p, byTimer.ID(), "y")
		if got := wait(p, byTimer); got != "1 activity y" {
			t.Errorf("result %q", got)
		}
		if got := wait(p, bySignal); got != "2 activity x" {
			t.Errorf("result %q", got)
		}
		if turns.Load() <= 2 {
			t.Error("no workflow ran again; the story does not show what it should")
		}
	})
}

func TestSideEffectsKeepTheirValue(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var calls atomic.Int32
		wf := core.NewWorkflow[int, string]("drawing")
		p := w.program(wf.Handle(func(flow *core.Flow, _ int) (string, error) {
			n, err := core.SideEffect(flow, "draw", func() int32 { return calls.Add(1) })
			if err != nil {
				return "", err
			}
			id, err := flow.NewID()
			if err != nil {
				return "", err
			}
			if err := flow.State("drawn").Set(id); err != nil {
				return "", err
			}
			if err := flow.Sleep(5 * time.Millisecond); err != nil {
				return "", err
			}
			return fmt.Sprint(n, " ", id), nil
		})).serve(core.WorkerConfig{EvictAfter: time.Nanosecond})
		run := start(p, wf, 1)
		got := wait(p, run)
		s := p.inState(run.ID(), backend.Completed)
		if want := "1 " + strings.Trim(string(s.Custom[0].Value), `"`); got != want || calls.Load() != 1 {
			t.Errorf("result %q, want %q; drawn %d times", got, want, calls.Load())
		}
	})
}

func TestVersionLetsCodeChangeUnderRunningExecutions(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		wf := core.NewWorkflow[int, string]("evolving")
		deployed := func(body func(flow *core.Flow, n int) (string, error)) *program {
			return w.program(append(orderHandlers(&did, nil), wf.Handle(body))...)
		}
		rest := func(flow *core.Flow, result string) (string, error) {
			if _, err := notify.Call(flow, "always"); err != nil {
				return "", err
			}
			_, err := approval.Receive(flow)
			return result, err
		}
		versioned := func(lowest, highest int) func(flow *core.Flow, n int) (string, error) {
			return func(flow *core.Flow, _ int) (string, error) {
				v, err := flow.Version("validated", lowest, highest)
				if err != nil {
					return "", err
				}
				if v > 0 {
					if _, err := validate.Call(flow, order{}); err != nil {
						return "", err
					}
				}
				return rest(flow, fmt.Sprint("version ", v))
			}
		}
		waits := func(p *program, id string) {
			w.eventually(id+" waits for its signal", func() bool {
				tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: id, Kinds: []backend.Kind{backend.SignalWait}})
				return err == nil && len(tasks) == 1
			})
		}

		first := deployed(func(flow *core.Flow, _ int) (string, error) { return rest(flow, "unversioned") }).serve(core.WorkerConfig{})
		start(first, wf, 1, core.ID("old"))
		waits(first, "old")
		first.stop()

		second := deployed(versioned(0, 1)).serve(core.WorkerConfig{})
		start(second, wf, 1, core.ID("new"))
		waits(second, "new")
		second.stop()

		third := deployed(versioned(0, 2)).serve(core.WorkerConfig{})
		for id, want := range map[string]string{"old": "version 0", "new": "version 1"} {
			send(third, id, "go on")
			if got := wait(third, wf.Attach(third.Engine, id)); got != want {
				t.Errorf("%s: %q, want %q", id, got, want)
			}
		}
		start(third, wf, 1, core.ID("newest"))
		waits(third, "newest")
		third.stop()

		early := deployed(versioned(0, 1)).serve(core.WorkerConfig{}) // a rollback
		send(early, "newest", "go on")
		_, err := wf.Attach(early.Engine, "newest").Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.Failure.Code != core.CodeNonDeterminism || !strings.Contains(failed.Failure.Message, "version 2") {
			t.Errorf("a version that the program does not know: %v", err)
		}
	})
}
