package core

import (
	"errors"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Future is the result of a call that is under way.
type Future[O any] struct{ step *step }

// Get waits for the result. It may be called more than once.
func (f *Future[O]) Get(flow *Flow) (O, error) {
	var out O
	flow.awaitOne(f.step)
	if err := f.step.err(); err != nil {
		return out, err
	}
	return out, flow.run.w.e.payloads.decode("result of ", f.step.name, f.step.result, &out)
}

func (f *Future[O]) awaited() *step { return f.step }

// Timer is a durable sleep that is under way.
type Timer struct{ step *step }

// Timer starts a sleep of d by the database's clock and returns at once. A d of 0 or less fires at once.
func (f *Flow) Timer(d time.Duration) *Timer {
	s, added, err := f.enter(backend.Timer, "sleep", "", 0)
	if err != nil {
		return &Timer{&step{name: "sleep", refused: err}}
	}
	if added {
		s.state, s.timeout = backend.Waiting, max(d, 0)
		f.add(s, backend.Add{State: backend.Waiting, Delay: s.timeout})
	}
	return &Timer{s}
}

// Wait waits until the timer fires.
func (t *Timer) Wait(flow *Flow) error {
	flow.awaitOne(t.step)
	return t.step.err()
}

func (t *Timer) awaited() *step { return t.step }

// Sleep waits for d by the database's clock; the worker may be stopped meanwhile. A d of 0 or less returns at once and
// leaves no trace in the history.
func (f *Flow) Sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return f.Timer(d).Wait(f)
}

// Awaitable is what Select can wait for: a [*Future], a [*Timer], a [*Reception].
type Awaitable interface{ awaited() *step }

// Select waits until at least one of several things has happened and returns its place among them, the first if there
// are more. Which one it was is kept, so that the workflow goes the same way when it runs again. What it did not choose
// goes on and can be waited for again. When the execution is asked to stop, and nothing else has happened, the error is
// [ErrCancelled].
func Select(flow *Flow, of ...Awaitable) (int, error) {
	if len(of) == 0 {
		return 0, NonRetryable(errors.New("select: nothing to wait for"))
	}
	steps := make([]*step, len(of))
	for i, a := range of {
		steps[i] = a.awaited()
	}
	key := flow.key("select", "")
	if flow.run.byKey[key] == nil {
		flow.await(steps)
	}
	s, added, err := flow.enter(backend.SideEffect, "select", key, 0)
	if err != nil {
		return 0, err
	}
	if added {
		first := slices.IndexFunc(steps, func(s *step) bool { return s.resolved() && !s.cancelled() })
		if first < 0 {
			first = slices.IndexFunc(steps, (*step).resolved)
		}
		if err := flow.record(s, first); err != nil {
			return 0, err
		}
	}
	var choice int
	if err := flow.run.w.e.payloads.decode("select", "", s.result, &choice); err != nil {
		return 0, err
	}
	if s := steps[min(choice, len(steps)-1)]; s.cancelled() && s.kind != backend.Child { // a child may have been cancelled for itself
		return choice, s.err()
	}
	return choice, nil
}
