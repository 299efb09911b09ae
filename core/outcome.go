package core

import (
	"errors"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// conclude makes the end of the workflow part of the turn.
func (r *run) conclude(t *backend.Turn) {
	err := r.failure
	if r.aborted != nil {
		err = r.aborted
	}
	// What was asked for in this very turn and nobody waits for does not begin at all.
	kept := t.Added[:0]
	for _, a := range t.Added {
		if s := r.at(a.Seq); s.resolved() || s.detached {
			kept = append(kept, a)
		} else {
			s.forgotten = true
		}
	}
	t.Added = kept

	if err != nil && r.aborted == nil && !r.cancelling {
		var again *continueAsNewError
		if errors.As(err, &again) {
			r.forget(t)
			r.continueAsNew(t, again)
			return
		}
	}
	if err != nil && r.aborted == nil && !r.cancelling {
		if delay, again := r.policy.retry.next(r.attempt, err, r.w.random()); again {
			if !r.anyHere() { // they stand on the lease that this would give back; each brings another turn
				t.Again = &backend.Again{Failure: failureOf(err), Delay: delay}
			}
			return
		}
	}
	r.forget(t)
	r.ending = backend.Close{State: backend.Completed, Parent: r.parent}
	t.Close = &r.ending
	if err == nil {
		t.Close.Result = r.output
		return
	}
	failure := failureOf(err)
	t.Close.State, t.Close.Failure = backend.Failed, &failure
	if t.Close.Cause = r.causeOf(err); t.Close.Cause == nil {
		t.Close.Reason = reasonOf(failure)
	}
}

// leftOut is the error of a workflow that comes to its end without a call that its history holds, nil where there is none.
//
// It is said only where there is no other reason for that than code that was changed. A workflow that fails may have come
// less far than before, one that is tried again may go by its attempt, one that was told to stop ends as cancelled whatever
// it does. A replay, above all, is how an operator lets an execution go on with code that was mended, and that may well mean
// without the call. Recorded values did nothing in the world, and with them go versions that no longer need to be asked for.
func (r *run) leftOut() error {
	if r.unasked == 0 || r.attempt > 1 || r.cancelling || r.reopened {
		return nil
	}
	var again *continueAsNewError
	if r.failure != nil && !errors.As(r.failure, &again) {
		return nil
	}
	for _, s := range r.steps {
		if s != nil && s.isLeftOut() && s.kind != backend.SideEffect {
			return r.differs(s.key, describe(s.kind, s.name, false), asksNothing)
		}
	}
	return nil
}

// isLeftOut tells whether the history holds the step and the workflow has not come to it.
func (s *step) isLeftOut() bool { return !s.asked && !s.forgotten && !s.healed }

// causeOf is the dead letter that an error comes from, if replaying it heals this execution.
func (r *run) causeOf(err error) *backend.TaskID {
	var activity *ActivityError
	if errors.As(err, &activity) && activity.Task.Execution == r.info.ExecutionID {
		return &activity.Task
	}
	var child *ChildError
	if errors.As(err, &child) && child.Task.Execution == r.info.ExecutionID {
		return child.Cause
	}
	return nil
}

// forget cancels what nobody waits for any more, as the run ends.
func (r *run) forget(t *backend.Turn) {
	for _, s := range r.steps {
		if s != nil && !s.resolved() && !s.forgotten && !s.detached {
			t.Forgotten = append(t.Forgotten, s.id.Seq)
			if s.kind == backend.Child {
				t.Deserted = append(t.Deserted, s.child)
			}
		}
	}
}

// anyHere tells whether an activity of the run is running on this worker.
func (r *run) anyHere() bool {
	for _, s := range r.steps {
		if s != nil && s.here {
			return true
		}
	}
	return false
}

// lease lets new activities begin on this worker as soon as the turn is committed, as far as there are slots, and
// appends them to begin.
func (r *run) lease(t *backend.Turn, begin []*step) []*step {
	for i := range t.Added {
		a := &t.Added[i]
		s := r.at(a.Seq)
		if a.State == backend.Pending && s.free && r.w.mayBegin(a) {
			a.State, s.state, s.here, s.attempt, s.queue = backend.Running, backend.Running, true, 1, a.Queue
			begin = append(begin, s)
		}
	}
	return begin
}

// mayYield decides whether the run leaves the worker's memory with this turn: when it is known to wait for long, when
// too many wait, or when the worker drains. One with an activity on this very worker stays, since that activity stands
// on its lease.
func (r *run) mayYield(t *backend.Turn) {
	wake := time.Duration(-1)
	for _, s := range r.steps {
		if s == nil || s.resolved() || s.forgotten {
			continue
		}
		if s.here {
			return
		}
		if s.timeout >= 0 && (s.kind == backend.Timer || s.kind == backend.SignalWait) {
			left := s.timeout
			if !s.deadline.IsZero() {
				left = max(s.deadline.Sub(r.w.e.clock.Now()), 0)
			}
			if wake < 0 || left < wake {
				wake = left
			}
		}
	}
	// Whoever took it over from a worker that died lets go of it as soon as it waits, so that it is not blamed for the
	// next death as well.
	long := wake > r.w.cfg.EvictAfter || r.crashes > 0
	for _, s := range r.waiting {
		long = long && (s.kind != backend.Activity || r.crashes > 0)
	}
	if wake == 0 && r.w.ready() {
		return // the next turn is about to come: who leaves now is due at once, comes back and is where it was
	}
	if long || r.evict || r.w.crowded() {
		t.Yield = &backend.Yield{WakeIn: wake, Seen: r.wakes}
	}
}

func (r *run) activityOf(s *step) *activityTask {
	a := &activityTask{taskScope: taskScope{info: r.info}, id: s.id, token: 1, input: s.input, policy: s.policy, middleware: &r.middleware, carrier: r.carrier}
	a.info.TaskID, a.info.Step, a.info.Kind, a.info.Queue, a.info.Attempt = s.id.String(), s.name, backend.Activity, s.queue, 1
	return a
}
