package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// levelTask is the level of what happens to every task.
const levelTask = slog.LevelDebug

// activityTask is an attempt at an activity that runs on this worker.
type activityTask struct {
	id     backend.TaskID
	info   TaskInfo
	token  int64
	input  []byte
	policy taskPolicy
	cancel context.CancelCauseFunc

	// For metrics, when the attempt has ended.
	within context.Context //nolint:containedctx // on its way to the recorders
	took   time.Duration

	// For the middleware.
	crashes int
	carrier map[string]string
}

// begin runs an activity whose slot is taken and whose lease is in the database.
func (w *worker) begin(a *activityTask) {
	ctx, cancel := context.WithCancelCause(w.ctx)
	a.cancel = cancel
	w.mu.Lock()
	w.activities[a.id] = a
	w.mu.Unlock()
	w.goroutines.Go(func() {
		defer cancel(nil)
		w.execute(withScope(ctx, &taskScope{info: a.info}), a)
	})
}

func (w *worker) execute(ctx context.Context, a *activityTask) {
	var (
		began  time.Time
		within = ctx
		result []byte
		err    error
	)
	if len(w.e.metrics) > 0 {
		began = w.e.clock.Now()
	}
	if w.e.middleware.any() {
		within, result, err = w.attemptWithin(ctx, a)
	} else {
		result, err = w.attempt(ctx, a)
	}
	if len(w.e.metrics) > 0 {
		a.within, a.took = within, w.e.clock.Now().Sub(began)
	}

	w.release()
	w.conclude(ctx, within, a, result, err)
	w.refill()
}

// attemptWithin is an attempt within the middleware, and returns the context that the middleware made, for the log. The
// middleware can change an error, but not make one a result.
func (w *worker) attemptWithin(ctx context.Context, a *activityTask) (within context.Context, result []byte, err error) {
	within = ctx
	var failed error
	err = w.e.executing(ctx, a, func(ctx context.Context) error {
		within = ctx //nolint:fatcontext // it leaves the function once
		result, failed = w.attempt(ctx, a)
		return failed
	})
	if err == nil {
		err = failed
	}
	return within, result, err
}

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

// tooLongError is the cause of a context whose attempt has used up its time.
type tooLongError struct{ limit time.Duration }

func (e *tooLongError) Error() string { return fmt.Sprintf("the attempt took longer than %v", e.limit) }

// attempt calls the user's function; a panic is an error like any other.
func (w *worker) attempt(ctx context.Context, a *activityTask) (result []byte, err error) {
	h, ok := w.e.handler(a.info.Step)
	if !ok || h.activity == nil {
		return nil, unregistered(&callee{name: a.info.Step}, a.info.Queue, joined(w.steps))
	}
	if limit := a.policy.startToClose; limit > 0 {
		var cancel context.CancelFunc
		late := &tooLongError{limit}
		ctx, cancel = context.WithTimeoutCause(ctx, limit, late)
		defer cancel()
		defer func() {
			if err != nil && errors.Is(context.Cause(ctx), late) {
				err = fmt.Errorf("%w: %w", late, err)
			}
		}()
	}
	defer func() {
		if v := recover(); v != nil {
			err = recovered(v)
		}
	}()
	return h.activity(ctx, w.e.payloads, a.input)
}

// conclude has the end of an attempt written: in the turn of its workflow, if that is here, or else by itself. ctx is the
// attempt's, within is that of the middleware.
func (w *worker) conclude(ctx, within context.Context, a *activityTask, result []byte, err error) {
	if err == nil {
		w.logTask(within, a, "task completed")
		w.complete(within, &backend.Complete{Task: a.id, Token: a.token, Result: result})
		return
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrLeaseLost), errors.Is(cause, ErrExecutionEnded):
		w.finished(a.id, a.token)
		return // it belongs to somebody else, or nobody wants it
	case errors.Is(cause, ErrShutdown):
		w.giveBack(within, &backend.Release{Task: a.id, Token: a.token})
		return
	}
	failure := failureOf(err)
	if delay, again := a.policy.retry.next(a.info.Attempt, err, w.random()); again {
		w.e.log.WarnContext(within, "task failed and is tried again", append(a.attrs(), "in", delay, "error", failure.Message)...)
		w.retry(within, &backend.Retry{Task: a.id, Token: a.token, Failure: failure, Delay: delay}, a.info.Queue)
		return
	}
	w.e.log.ErrorContext(within, "task failed and is in the dead letters", append(a.attrs(), "error", failure.Message)...)
	state := backend.Failed
	var late *tooLongError
	if errors.As(err, &late) {
		state = backend.TimedOut
	}
	w.bury(within, &backend.Bury{Task: a.id, Token: a.token, State: state, Failure: failure, Reason: reasonOf(failure)}, a.info.Attempt)
}

func (a *activityTask) attrs() []any {
	return []any{
		"stent_execution_id", a.info.ExecutionID, "stent_task_id", a.info.TaskID, "stent_worker_id", a.info.WorkerID,
		"stent_step", a.info.Step, "stent_queue", a.info.Queue, "stent_attempt", a.info.Attempt,
	}
}

func (w *worker) logTask(ctx context.Context, a *activityTask, message string) {
	if w.e.log.Enabled(ctx, levelTask) {
		w.e.log.Log(ctx, levelTask, message, a.attrs()...)
	}
}

// complete and bury end an activity: in the turn of its workflow, if that is in memory here, or else by themselves.
func (w *worker) complete(ctx context.Context, cmd *backend.Complete) {
	if !w.inTurn(cmd.Task, event{completed: cmd}) {
		w.submit(cmd, func(err error) { w.ended(ctx, cmd.Task, cmd.Token, taskCompleted, "", errors.Join(err, cmd.Err)) })
	}
}

func (w *worker) bury(ctx context.Context, cmd *backend.Bury, attempt int) {
	if !w.inTurn(cmd.Task, event{buried: cmd, attempt: attempt}) {
		w.submit(cmd, func(err error) {
			w.ended(ctx, cmd.Task, cmd.Token, deadLettered, cmd.Reason, errors.Join(err, cmd.Err))
		})
	}
}

func (w *worker) inTurn(id backend.TaskID, ev event) bool {
	w.mu.Lock()
	r := w.runs[id.Execution]
	w.mu.Unlock()
	return r != nil && id.Seq > r.base && r.deliver(ev) // what a former run had under way is nobody's
}

// ended is called when the end of an activity was written outside a turn: its workflow may be due now.
func (w *worker) ended(ctx context.Context, id backend.TaskID, token int64, how what, reason string, err error) {
	a := w.finished(id, token)
	if err != nil {
		w.refused(ctx, id.Execution, err)
		return
	}
	w.measureEnd(a, how, reason)
	w.due(0)
}

func (w *worker) retry(ctx context.Context, cmd *backend.Retry, queue string) {
	w.submit(cmd, func(err error) {
		a := w.finished(cmd.Task, cmd.Token)
		if err = errors.Join(err, cmd.Err); err != nil {
			w.refused(ctx, cmd.Task.Execution, err)
			return
		}
		w.measureEnd(a, taskFailed, reasonOf(cmd.Failure))
		w.returned(cmd.Task)
		if cmd.Delay == 0 {
			w.e.taskDue(queue, 0)
		} else {
			w.dueIn(cmd.Delay)
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
