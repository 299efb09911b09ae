package stent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Calls that a workflow's code no longer makes, while its history has them.

var (
	gone      = core.NewActivity[string, string]("gone", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
	goneChild = core.NewWorkflow[string, string]("gone_child")
	goneMail  = core.NewSignal[string]("gone_mail")
	pruned    = core.NewWorkflow[int, string]("pruned", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
)

type prunedBody = func(flow *core.Flow, n int) (string, error)

// prunes is a program whose workflow has that body.
func (w *world) prunes(body prunedBody, ms ...core.Middleware) *program {
	return w.observed(ms, pruned.Handle(body),
		gone.Handle(func(_ context.Context, in string) (string, error) {
			if in == "broken" {
				return "", errors.New("broken")
			}
			return in, nil
		}),
		goneChild.Handle(func(_ *core.Flow, in string) (string, error) { return in, nil }),
	).serve(core.WorkerConfig{})
}

// before is a body that does something and then waits for its approval.
func before(what func(flow *core.Flow) error) prunedBody {
	return func(flow *core.Flow, _ int) (string, error) {
		if err := what(flow); err != nil {
			return "", err
		}
		return approval.Receive(flow)
	}
}

// ends waits for an execution's end, whichever it is.
func (p *program) ends(id string) core.Snapshot {
	p.w.Helper()
	_, _ = pruned.Attach(p.Engine, id).Wait(p.w.ctx())
	s, err := p.StateOf(p.w.ctx(), id)
	if err != nil {
		p.w.Fatal(err)
	}
	if s.Failure == nil {
		s.Failure = &backend.Failure{}
	}
	return s
}

func nothing(*core.Flow) error { return nil }

// changes begins an execution with one body, lets it come to its approval, and has it go on with another body.
func (w *world) changes(from, to prunedBody, ms ...core.Middleware) (p *program, id string) {
	old := w.prunes(from)
	id = start(old, pruned, 1).ID()
	if err := goneMail.Send(w.ctx(), old.Engine, id, "hello"); err != nil {
		w.Fatal(err)
	}
	w.eventually("it waits for its approval", func() bool {
		because, err := old.Why(w.ctx(), id)
		return err == nil && because.Reason == core.ReasonSignal && because.Step == approval.Name()
	})
	old.stop()
	return w.prunes(to, ms...), id
}

func TestACallThatTheCodeLeavesOutIsFoundWhenTheWorkflowEnds(t *testing.T) {
	for _, call := range []struct {
		name string
		do   func(flow *core.Flow) error
		told string
	}{
		{"an activity", func(flow *core.Flow) error { _, err := gone.Call(flow, "x"); return err }, `at call "gone#1": its history holds activity "gone"`},
		{"a child", func(flow *core.Flow) error { _, err := goneChild.Call(flow, "x"); return err }, `holds child "gone_child"`},
		{"a timer", func(flow *core.Flow) error { return flow.Sleep(time.Millisecond) }, `holds timer "sleep"`},
		{"a signal", func(flow *core.Flow) error { _, err := goneMail.Receive(flow); return err }, `holds signal "gone_mail"`},
	} {
		t.Run(call.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				changed, id := w.changes(before(call.do), before(nothing))
				send(changed, id, "yes")
				s := changed.ends(id)
				if want := call.told + ", the workflow now asks for nothing"; s.Failure.Code != core.CodeNonDeterminism || !strings.Contains(s.Failure.Message, want) {
					t.Errorf("failure %+v\nwant %s", s.Failure, want)
				}
				changed.stop()

				restored := w.prunes(before(call.do))
				if err := restored.Replay(w.ctx(), backend.TaskID{Execution: id}); err != nil {
					t.Fatal(err)
				}
				if got := wait(restored, pruned.Attach(restored.Engine, id)); got != "yes" {
					t.Errorf("result %q", got)
				}
			})
		})
	}
}

func TestACallThatTheCodeLeavesOutIsFoundWhenTheWorkflowBeginsAnew(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old := before(func(flow *core.Flow) error { _, err := gone.Call(flow, "x"); return err })
		changed, id := w.changes(old, func(flow *core.Flow, n int) (string, error) {
			if n == 2 {
				return "anew", nil
			}
			return "", flow.ContinueAsNew(n + 1)
		})
		send(changed, id, "yes")
		if s := changed.ends(id); s.Failure.Code != core.CodeNonDeterminism {
			t.Errorf("failure %+v", s.Failure)
		}
	})
}

// An operator who has found out replays the dead letter, and the execution goes on without the call.
func TestAReplayGoesOnWithoutTheCallThatTheCodeLeavesOut(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		changed, id := w.changes(before(func(flow *core.Flow) error { _, err := gone.Call(flow, "x"); return err }), before(nothing))
		send(changed, id, "yes")
		changed.ends(id)
		if err := changed.Replay(w.ctx(), backend.TaskID{Execution: id}); err != nil {
			t.Fatal(err)
		}
		if got := wait(changed, pruned.Attach(changed.Engine, id)); got != "yes" {
			t.Errorf("result %q", got)
		}
	})
}

// Not every entry that the workflow does not come to is a fault of its code.
func TestWhatAWorkflowMayLeaveOutIsNoNonDeterminism(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		ends := func(p *program, id string, state backend.State, failure string) {
			t.Helper()
			if s := p.ends(id); s.State != state || s.Failure.Message != failure {
				t.Errorf("it is %s, failure %+v, want %s, %q", s.State, s.Failure, state, failure)
			}
			p.stop()
		}

		recorded := before(func(flow *core.Flow) error {
			_, first := flow.Now()
			_, second := core.SideEffect(flow, "drawn", func() int { return 1 })
			_, third := flow.Version("settled", 0, 1)
			return errors.Join(first, second, third)
		})
		p, id := w.changes(recorded, before(nothing))
		send(p, id, "yes")
		ends(p, id, backend.Completed, "")

		calls := before(func(flow *core.Flow) error { _, err := gone.Call(flow, "x"); return err })
		p, id = w.changes(calls, func(*core.Flow, int) (string, error) { return "", core.NonRetryable(errors.New("no more")) })
		send(p, id, "yes")
		ends(p, id, backend.Failed, "no more")

		seen := &diary{}
		p, id = w.changes(calls, func(flow *core.Flow, _ int) (string, error) {
			_, _ = approval.Receive(flow)
			return "put right", nil
		}, seen)
		p.cancel(id)
		ends(p, id, backend.Cancelled, "")
		if told := seen.about("non-determinism"); len(told) > 0 {
			t.Errorf("middleware was told of a cancelled execution: %s", told)
		}

		p = w.prunes(func(flow *core.Flow, _ int) (string, error) {
			in := "broken"
			if flow.Info().Attempt > 1 {
				in = "whole"
			}
			return gone.Call(flow, in, core.Key(in))
		})
		ends(p, start(p, pruned, 1).ID(), backend.Completed, "")
	})
}

func TestADeadLetterIsMendedByLeavingItsCallOut(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		old := w.prunes(func(flow *core.Flow, _ int) (string, error) { return gone.Call(flow, "broken") })
		id := start(old, pruned, 1).ID()
		old.ends(id)
		old.stop()
		mended := w.prunes(func(*core.Flow, int) (string, error) { return "without", nil })
		if err := mended.Replay(w.ctx(), backend.TaskID{Execution: id, Seq: 1}); err != nil {
			t.Fatal(err)
		}
		if got := wait(mended, pruned.Attach(mended.Engine, id)); got != "without" {
			t.Errorf("result %q", got)
		}
	})
}
