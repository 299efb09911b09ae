package stent_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

var approval = core.NewSignal[string]("approval")

// approvals receives n signals and returns them.
var approvals = core.NewWorkflow[int, []string]("approvals")

func receiveApprovals(flow *core.Flow, n int) ([]string, error) {
	var got []string
	for range n {
		v, err := approval.Receive(flow)
		if err != nil {
			return nil, err
		}
		got = append(got, v)
	}
	return got, nil
}

func send(p *program, execution, payload string) {
	p.w.Helper()
	if err := approval.Send(p.w.ctx(), p.Engine, execution, payload); err != nil {
		p.w.Fatal(err)
	}
}

func TestSignalsAreBufferedOrderedAndEachConsumedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(approvals.Handle(receiveApprovals))
		run := start(p, approvals, 3)
		for _, v := range []string{"a", "b", "c"} {
			send(p, run.ID(), v) // nobody waits yet
		}
		p.serve(core.WorkerConfig{})
		if got := wait(p, run); fmt.Sprint(got) != "[a b c]" {
			t.Errorf("received %v", got)
		}
	})
}

func TestASignalBetweenCheckAndWaitIsNotLost(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		// Workflows leave memory the moment they wait, while another program sends: every interleaving of the two comes up.
		p := w.program(approvals.Handle(receiveApprovals)).serve(core.WorkerConfig{EvictAfter: time.Nanosecond, MaxResident: 1})
		other := w.program()
		const n = 40
		var runs []*core.Run[[]string]
		for range n {
			runs = append(runs, start(p, approvals, 2))
		}
		for i, run := range runs {
			send(other, run.ID(), fmt.Sprint("first-", i))
			send(p, run.ID(), fmt.Sprint("second-", i))
		}
		for i, run := range runs {
			if got := wait(p, run); fmt.Sprint(got) != fmt.Sprintf("[first-%d second-%d]", i, i) {
				t.Errorf("received %v", got)
			}
		}
	})
}

func TestASignalReachesAWorkflowThatLeftMemory(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(approvals.Handle(receiveApprovals)).serve(core.WorkerConfig{EvictAfter: time.Millisecond})
		run := start(p, approvals, 1)
		w.eventually("it has left memory", func() bool {
			s, err := p.StateOf(w.ctx(), run.ID())
			return err == nil && s.TaskState == backend.Waiting
		})
		send(w.program(), run.ID(), "late")
		if got := wait(p, run); fmt.Sprint(got) != "[late]" {
			t.Errorf("received %v", got)
		}
	})
}

func TestSignalsToUnknownOrEndedExecutionsAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(approvals.Handle(receiveApprovals)).serve(core.WorkerConfig{})
		if err := approval.Send(w.ctx(), p.Engine, "nobody", "x"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("to an unknown execution: %v", err)
		}
		run := start(p, approvals, 0)
		wait(p, run)
		if err := approval.Send(w.ctx(), p.Engine, run.ID(), "x"); !errors.Is(err, core.ErrFinished) {
			t.Errorf("to an ended execution: %v", err)
		}
	})
}

func TestAWaitForASignalTimesOut(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, string]("patient")
		p := w.program(wf.Handle(func(flow *core.Flow, ms int) (string, error) {
			v, err := approval.ReceiveWithin(flow, time.Duration(ms)*time.Millisecond)
			if errors.Is(err, core.ErrSignalTimeout) {
				return "too late", nil
			}
			return v, err
		})).serve(core.WorkerConfig{})
		if got := wait(p, start(p, wf, 30)); got != "too late" {
			t.Errorf("result %q", got)
		}
		run := start(p, wf, 60_000)
		send(p, run.ID(), "in time")
		if got := wait(p, run); got != "in time" {
			t.Errorf("result %q", got)
		}
	})
}

func TestCountersAndStateCountOnceHoweverOftenTheWorkflowRuns(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		step := core.NewActivity[int, int]("step")
		wf := core.NewWorkflow[int, int]("counting")
		p := w.program(
			step.Handle(func(_ context.Context, n int) (int, error) { return n, nil }),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				for i := range n {
					flow.Counter("progress").Add(1)
					if err := flow.State("phase").Set(fmt.Sprint("round ", i)); err != nil {
						return 0, err
					}
					if _, err := step.Call(flow, i); err != nil {
						return 0, err
					}
					if err := flow.Sleep(5 * time.Millisecond); err != nil { // it leaves memory and runs again from the top
						return 0, err
					}
				}
				return n, nil
			}),
		).serve(core.WorkerConfig{EvictAfter: time.Nanosecond})
		run := start(p, wf, 4)
		wait(p, run)
		s := p.inState(run.ID(), backend.Completed)
		if len(s.Counters) != 1 || s.Counters[0] != (backend.Counter{Name: "progress", Value: 4}) {
			t.Errorf("counters %v", s.Counters)
		}
		if len(s.Custom) != 1 || string(s.Custom[0].Value) != `"round 3"` {
			t.Errorf("custom state %s", s.Custom)
		}
	})
}
