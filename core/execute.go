package core

import (
	"context"
	"errors"
	"log/slog"

	"github.com/stentgo/stent/core/backend"
)

// levelTask is the level of what happens to every task.
const levelTask = slog.LevelDebug

// finished forgets an attempt whose end has been written, or is not to be. Until then it is in the worker's hands: a
// drain waits for it, and it is not taken for the remains of a claim whose answer was lost. It returns nil where there is
// no such attempt.
func (w *worker) finished(id backend.TaskID, token int64) *activityTask {
	w.mu.Lock()
	a := w.activities[id]
	if a == nil || a.token != token { // it may be the next attempt, which has begun
		w.mu.Unlock()
		return nil
	}
	delete(w.activities, id)
	w.fewer.Broadcast()
	w.mu.Unlock()
	if w.limits[a.info.Step] > 0 {
		w.due(0) // the last claim left alone what the limit now lets pass
	}
	return a
}

func (w *worker) logTask(ctx context.Context, a *activityTask, message string) {
	if w.e.log.Enabled(ctx, levelTask) {
		w.e.log.Log(ctx, levelTask, message, a.attrs()...)
	}
}

// complete and bury end an activity: in the turn of its workflow, if that is in memory here, or else by themselves.
func (w *worker) complete(ctx context.Context, cmd *backend.Complete) {
	if !w.inTurn(cmd.Task, event{completed: cmd}) {
		w.submit(cmd, func(err error) {
			if !w.buryRejected(ctx, cmd.Task, cmd.Token, cmd.Err) {
				w.ended(ctx, cmd.Task, cmd.Token, taskCompleted, "", cmd.Held, errors.Join(err, cmd.Err))
			}
		})
	}
}

func (w *worker) bury(ctx context.Context, cmd *backend.Bury, attempt int) {
	if !w.inTurn(cmd.Task, event{buried: cmd, attempt: attempt}) {
		w.submit(cmd, func(err error) {
			w.ended(ctx, cmd.Task, cmd.Token, deadLettered, cmd.Reason, cmd.Held, errors.Join(err, cmd.Err))
		})
	}
}

func (w *worker) inTurn(id backend.TaskID, ev event) bool {
	w.mu.Lock()
	r := w.runs[id.Execution]
	w.mu.Unlock()
	return r != nil && id.Seq > r.base && r.deliver(ev) // what a former run had under way is nobody's
}

// ended is called when the end of an activity was written outside a turn: its workflow may be due now, unless it is held.
func (w *worker) ended(ctx context.Context, id backend.TaskID, token int64, how what, reason string, held bool, err error) {
	a := w.finished(id, token)
	if err != nil {
		w.refused(ctx, id.Execution, err)
		return
	}
	w.measureEnd(a, how, reason)
	if held {
		w.refill()
	} else {
		w.due(0)
	}
}

func (w *worker) retry(ctx context.Context, cmd *backend.Retry, a *activityTask) {
	w.submit(cmd, func(err error) {
		if w.buryRejected(ctx, cmd.Task, cmd.Token, cmd.Err) {
			return
		}
		w.finished(cmd.Task, cmd.Token) // which may not find it: the next attempt may have begun
		if err = errors.Join(err, cmd.Err); err != nil {
			w.refused(ctx, cmd.Task.Execution, err)
			return
		}
		w.measureEnd(a, taskFailed, reasonOf(cmd.Failure))
		w.returned(cmd.Task)
		if cmd.Delay == 0 {
			w.e.taskDue(a.info.Queue, 0)
		} else {
			w.dueIn(cmd.Delay)
		}
		if limit := a.policy.scheduleToStart; limit > 0 {
			w.expireIn(cmd.Delay + limit)
		}
	})
}

// giveBack is for an attempt that was cut short by the worker itself and does not count.
func (w *worker) giveBack(ctx context.Context, cmd *backend.Release) {
	w.submit(cmd, func(err error) {
		w.finished(cmd.Task, cmd.Token)
		if err = errors.Join(err, cmd.Err); err != nil {
			w.refused(ctx, cmd.Task.Execution, err)
			return
		}
		w.returned(cmd.Task)
		w.due(0)
	})
}

// returned tells the workflow, if it is here, that its activity is in a queue again, which is committed: from now on
// the two may part.
func (w *worker) returned(id backend.TaskID) {
	w.mu.Lock()
	r := w.runs[id.Execution]
	w.mu.Unlock()
	if r != nil {
		w.goroutines.Go(func() { r.deliver(event{returned: id.Seq}) })
	}
}

// cancelActivities ends the contexts of an execution's activities on this worker.
func (w *worker) cancelActivities(execution string, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, a := range w.activities {
		if id.Execution == execution {
			a.cancel(cause)
		}
	}
}
