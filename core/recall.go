package core

import (
	"errors"
	"github.com/stentgo/stent/core/backend"
)

// recall stops what was taken from this worker while it ran it. It is told more than once.
func (w *worker) recall(r backend.Recall) {
	cause := ErrExecutionEnded
	switch r.State {
	case backend.Cancelling, backend.Cancelled:
		cause = ErrCancelled
	case backend.TimedOut:
		cause = &TimeoutError{Kind: TimeoutMaxDuration, Limit: r.Limit}
	}
	w.mu.Lock()
	x, a := w.runs[r.Task.Execution], w.activities[r.Task]
	if a != nil && a.token == r.Token {
		a.cancel(cause)
	}
	w.mu.Unlock()
	if r.Task.IsRoot() && x != nil && x.token == r.Token {
		x.drop(cause)
	}
}

// drop ends a run whose execution has ended elsewhere. Where a turn is under way its commit is refused, and ends it.
func (r *run) drop(cause error) {
	r.mu.Lock()
	r.taken = cause
	r.mu.Unlock()
	r.w.cancelActivities(r.info.ExecutionID, cause)
	if r.seize() {
		r.lose()
	}
}

// cancelActivity ends the context of an activity, if it runs on this worker.
func (w *worker) cancelActivity(id backend.TaskID, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.activities[id]; a != nil {
		a.cancel(cause)
	}
}

// isTaken tells whether the cause of a context's end is that the task is not the worker's any more, so that there is
// nothing to write.
func isTaken(cause error) bool {
	if cause == nil {
		return false
	}
	var late *TimeoutError
	return errors.Is(cause, ErrLeaseLost) || errors.Is(cause, ErrExecutionEnded) || errors.Is(cause, ErrCancelled) ||
		errors.As(cause, &late) && late.Kind == TimeoutMaxDuration
}
