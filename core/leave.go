package core

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// committed is called by the committer.
func (r *run) committed(t *backend.Turn, begin []*step, err error) {
	defer r.w.refill() // the slots that are free now, and that no activity of this turn has taken
	r.finish(t, errors.Join(err, t.Err))
	if err != nil || t.Err != nil {
		for range begin {
			r.w.release()
		}
		if !r.w.rejects(r, t) {
			r.w.refused(r.context(), r.info.ExecutionID, errors.Join(err, t.Err))
		}
		r.w.goroutines.Go(r.lose)
		return
	}
	r.cancelForgotten(t)
	if t.EffectsSeen > 0 {
		r.effects = t.EffectsSeen
	}
	r.tellChildren(t)
	for _, a := range t.Added {
		if a.State == backend.Pending {
			r.w.e.taskDue(a.Queue, a.Priority)
		}
		if a.State == backend.Pending && a.StartWithin > 0 {
			r.w.e.expiresIn(a.Delay + a.StartWithin)
		}
	}
	if t.Continue != nil {
		r.renew(t)
		return
	}
	if t.Close != nil || t.Yield != nil || t.Again != nil {
		r.leave(t)
		return
	}
	if t.State == backend.Cancelling && !r.cancelling {
		r.cancelling = true
		r.mu.Lock()
		r.events = append(r.events, event{}) // another turn, which tells the workflow
		r.mu.Unlock()
	}
	for _, s := range begin {
		a := r.activityOf(s)
		r.w.measureClaimed(&a.info, time.Time{}) // it was due and begun with the same write
		r.w.begin(r.tasks, a)
	}
	for _, a := range t.Added {
		if a.State == backend.Waiting {
			r.arm(r.at(a.Seq))
		}
	}
	r.turned()
}

// finish takes the activities that ended with a turn out of the worker's hands. err says that the turn was refused.
func (r *run) finish(t *backend.Turn, err error) {
	for _, c := range t.Completed {
		if a := r.w.finished(c.Task, c.Token); err == nil {
			r.w.measureEnd(a, taskCompleted, "")
		}
	}
	for _, c := range t.Buried {
		if a := r.w.finished(c.Task, c.Token); err == nil {
			r.w.measureEnd(a, deadLettered, c.Reason)
		}
	}
}

// turned ends a turn, or begins the next if something has happened meanwhile.
func (r *run) turned() {
	r.mu.Lock()
	again := len(r.events) > 0
	r.busy = again
	r.mu.Unlock()
	if again {
		r.turnSoon()
	}
}

// leave takes the run out of memory after its last turn here.
func (r *run) leave(t *backend.Turn) {
	left := r.remove()
	// News that came too late for this turn has made a run that waits due.
	if t.Yield != nil && slices.ContainsFunc(left, func(ev event) bool { return ev.history != nil || ev.news != nil }) {
		r.w.due(r.priority)
	}
	r.measureTurn(t)
	// An activity that came from a queue may have ended while the turn was being committed.
	for _, ev := range left {
		if ev.completed != nil {
			r.w.complete(r.context(), ev.completed)
		}
		if ev.buried != nil {
			r.w.bury(r.context(), ev.buried, ev.attempt)
		}
	}
	if t.Close != nil {
		r.w.closed(r, t)
	}
	if t.Again != nil {
		r.w.dueIn(t.Again.Delay)
	}
	if t.Yield != nil && t.Yield.WakeIn >= 0 {
		r.w.dueIn(t.Yield.WakeIn)
	}
	if !r.ended {
		r.w.goroutines.Go(r.kill)
	}
}

// lose drops the run because its lease is gone, or its turn was refused. No turn is under way but the caller's.
func (r *run) lose() {
	for _, ev := range r.remove() {
		if ev.completed != nil {
			r.w.finished(ev.completed.Task, ev.completed.Token)
		}
		if ev.buried != nil {
			r.w.finished(ev.buried.Task, ev.buried.Token)
		}
	}
	r.mu.Lock()
	taken := r.taken
	r.mu.Unlock()
	if taken != nil {
		r.w.cancelActivities(r.info.ExecutionID, taken)
		r.kill()
		return
	}
	r.w.cancelActivities(r.info.ExecutionID, ErrLeaseLost)
	r.kill()
	if !isClosed(r.w.lostLease) && r.rejected == nil {
		r.giveUp()
	}
}

// giveUp gives back what the run held, for somebody to begin again from what the database holds: a turn was refused
// although the worker's lease stands. What stands on the orchestrator's lease goes first.
func (r *run) giveUp() {
	left := int32(1)
	root := func(error) {
		if atomic.AddInt32(&left, -1) > 0 {
			return
		}
		cmd := &backend.Release{Task: backend.TaskID{Execution: r.info.ExecutionID}, Token: r.token}
		r.w.submit(cmd, func(error) { r.w.due(r.priority) })
	}
	for _, s := range r.steps {
		if s != nil && s.here {
			atomic.AddInt32(&left, 1)
			r.w.submit(&backend.Release{Task: s.id, Token: 1}, root)
		}
	}
	root(nil)
}

// remove forgets the run and returns the events that nobody has taken in.
func (r *run) remove() []event {
	r.mu.Lock()
	left := r.events
	r.events, r.gone = nil, true
	r.mu.Unlock()
	for _, s := range r.steps {
		if s != nil && s.timer != nil {
			s.timer.Stop()
		}
	}
	r.w.forget(r)
	return left
}

// kill ends the workflow's goroutine; what the workflow deferred runs. No turn is under way.
func (r *run) kill() {
	if !r.begun || r.ended {
		return
	}
	r.killed = true
	r.baton <- struct{}{}
	<-r.baton
}
