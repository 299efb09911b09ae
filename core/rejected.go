package core

import (
	"context"
	"errors"

	"github.com/stentgo/stent/core/backend"
)

// What a database does not take is not tried again: it would be refused for ever. The task or the execution that wrote it fails
// of that, and is in the dead letters, from where it can be replayed when the cause is gone.

// rejection is what a worker remembers of a turn: the claim that it belonged to, and why the database did not take it.
type rejection struct {
	token int64
	err   error
}

// rejects notes that the database did not take a turn. The run is given back, since what the turn told is not in the database,
// and with the next claim it begins from there and fails at once. If even that is not taken, it is left alone as long as the worker
// lives, or it would go round for ever.
func (w *worker) rejects(r *run, t *backend.Turn) bool {
	if !errors.Is(t.Err, backend.ErrRejected) {
		return false
	}
	message := "the database does not take what an execution writes; the execution fails"
	if r.rejected != nil {
		message = "the database does not take that an execution fails; it is left alone until this worker ends"
	}
	w.e.log.ErrorContext(r.context(), message,
		"stent_execution_id", r.info.ExecutionID, "stent_worker_id", w.id, "workflow", r.info.Workflow, "error", t.Err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rejected[r.info.ExecutionID] = rejection{r.token, t.Err}
	return true
}

// buryRejected is for an end of an attempt that the database did not take, outside a turn.
func (w *worker) buryRejected(ctx context.Context, id backend.TaskID, token int64, err error) bool {
	w.mu.Lock()
	a := w.activities[id]
	w.mu.Unlock()
	if a == nil || a.token != token || !errors.Is(err, backend.ErrRejected) {
		return false
	}
	failure := failureOf(&codedError{CodeRejected, err})
	w.e.log.ErrorContext(ctx, "the database does not take the end of a task, which is in the dead letters", append(a.attrs(), "error", err)...)
	cmd := &backend.Bury{Task: id, Token: token, State: backend.Failed, Failure: failure, Reason: reasonOf(failure)}
	w.submit(cmd, func(err error) {
		w.ended(ctx, id, token, deadLettered, cmd.Reason, cmd.Held, errors.Join(err, cmd.Err))
	})
	return true
}
