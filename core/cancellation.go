package core

import (
	"github.com/stentgo/stent/core/backend"
)

// How a workflow is told that it is to stop.
//
// A run learns of it from a history or from a turn. At the first wait that would last, the one that is under way or the
// next one, everything that is unfinished is cancelled, in the turn of that moment: activities and children, wherever they
// are, timers, waits for signals. All of them are entries of the history, and so are their ends, so a workflow that runs
// again gets the same errors from the same calls. An entry of its own marks the place, so that it is told once: what the
// workflow calls from there on is done as ever, and it can put right what it has done.

// seeCancellation ends everything that is unfinished, if the workflow is to stop and has not been told. It is called while
// a turn is being made, by whoever has the run.
func (r *run) seeCancellation() {
	if !r.cancelling || r.cancelSeen {
		return
	}
	r.cancelSeen = true
	unwritten := make(map[int]*backend.Add, len(r.draft.Added))
	for i := range r.draft.Added {
		unwritten[r.draft.Added[i].Seq] = &r.draft.Added[i]
	}
	for _, s := range r.steps {
		if s == nil || s.resolved() || s.forgotten {
			continue
		}
		switch a := unwritten[s.id.Seq]; {
		case a != nil: // it was called in this very turn, and never begins
			a.State, a.Delay, a.Child = backend.Cancelled, 0, nil
		case s.kind == backend.Activity, s.kind == backend.Child && !s.detached:
			r.draft.Stopped = append(r.draft.Stopped, s.id.Seq)
			if s.kind == backend.Child {
				r.draft.Deserted = append(r.draft.Deserted, s.child)
			}
		default: // a detached child goes on, and is waited for no more
			if s.timer != nil {
				s.timer.Stop()
			}
			r.draft.Settled = append(r.draft.Settled, backend.Settle{Seq: s.id.Seq, State: backend.Cancelled})
		}
		s.state, s.here = backend.Cancelled, false
	}
	mark := &step{
		id: backend.TaskID{Execution: r.info.ExecutionID, Seq: r.base + len(r.steps) + 1}, key: "cancel", kind: backend.Cancellation, name: "cancel",
		state: backend.Completed, asked: true,
	}
	r.steps = append(r.steps, mark)
	r.draft.Added = append(r.draft.Added, backend.Add{
		Seq: mark.id.Seq, Key: mark.key, Kind: mark.kind, Step: mark.name, Queue: r.info.Queue, State: mark.state,
	})
}

// isToldOf tells whether a wait for these steps ends because the execution is to stop, and not because one of them has
// come to an end of its own.
func isToldOf(steps []*step) bool {
	for _, s := range steps {
		if s.resolved() && !s.cancelled() {
			return false
		}
	}
	return len(steps) > 0
}

// cancelled tells whether the step ended because its execution is to stop.
func (s *step) cancelled() bool { return s.refused == nil && s.state == backend.Cancelled }

// cancelForgotten ends the contexts of activities on this worker that a turn has cancelled. What ends with its execution or
// its run is told so by those who end that.
func (r *run) cancelForgotten(t *backend.Turn) {
	if t.Close != nil || t.Continue != nil {
		return
	}
	for _, seq := range t.Cancels() {
		r.w.cancelActivity(backend.TaskID{Execution: r.info.ExecutionID, Seq: seq}, ErrCancelled)
	}
}
