package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/internal/stack"
)

// activityTask is an attempt at an activity that runs on this worker.
type activityTask struct {
	taskScope
	ctx    scopedContext
	says   heartbeats
	end    backend.Complete // where it is a success
	id     backend.TaskID
	token  int64
	input  []byte
	policy taskPolicy
	said   []byte // by an earlier attempt
	cancel context.CancelCauseFunc
	began  time.Time

	// For metrics, when the attempt has ended.
	within context.Context //nolint:containedctx // on its way to the recorders
	took   time.Duration

	// For the middleware.
	middleware *chain // what stands around it; nil until it has been asked, where the activity was claimed by itself
	crashes    int
	carrier    map[string]string

	mu    sync.Mutex
	late  *TimeoutError // which of its limits it has exceeded
	over  bool          // its end has been decided
	letGo func()        // of the key of the result that it makes for others
}

// begin runs an activity whose slot is taken and whose lease is in the database, with a context made of the worker's.
func (w *worker) begin(ctx context.Context, a *activityTask) {
	ctx, cancel := context.WithCancelCause(ctx)
	a.ctx = scopedContext{ctx, &a.taskScope}
	a.cancel, a.began = cancel, w.e.clock.Now()
	if isClosed(w.lostLease) { // while the answer was on its way
		cancel(ErrLeaseLost)
	}
	a.says = heartbeats{payloads: w.e.payloads, clock: w.e.clock, before: a.said, last: a.began}
	a.beats = &a.says
	w.mu.Lock()
	w.activities[a.id] = a
	w.mu.Unlock()
	w.goroutines.Add(1) // and not Go, which allocates another closure
	go w.runTask(a)
}

func (w *worker) runTask(a *activityTask) {
	stack.Grow()
	defer w.goroutines.Done()
	defer a.cancel(nil)
	ctx := context.Context(&a.ctx)
	if a.middleware == nil {
		ctx = w.enter(a)
	}
	w.execute(ctx, a)
}

func (w *worker) execute(ctx context.Context, a *activityTask) {
	within, result, err := w.attemptWithin(ctx, a)
	w.release()
	if a.decide() {
		w.measured(within, a)
		w.conclude(ctx, within, a, result, err)
	} else { // its attempt was written off
		w.mu.Lock()
		w.stuck--
		w.mu.Unlock()
		w.e.log.WarnContext(ctx, "an activity has returned long after its time was used up; what it returned counts for nothing", a.attrs()...)
	}
	w.refill()
}

// measured notes how long an attempt took, if anybody wants to know.
func (w *worker) measured(within context.Context, a *activityTask) {
	if len(w.e.metrics) > 0 {
		a.within, a.took = within, w.e.clock.Now().Sub(a.began)
	}
}

// decide makes the caller the one who says how the attempt ended. false if that has been said.
func (a *activityTask) decide() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := !a.over
	a.over = true
	return first
}

func (w *worker) attempt(ctx context.Context, a *activityTask) ([]byte, error) {
	if a.policy.shareKey != "" {
		return w.share(ctx, a)
	}
	return w.call(ctx, a)
}

// call calls the user's function; a panic is an error like any other.
func (w *worker) call(ctx context.Context, a *activityTask) (result []byte, err error) {
	h, ok := w.e.handler(a.info.Step)
	if !ok || h.activity == nil {
		return nil, unregistered(&callee{name: a.info.Step}, a.info.Queue, joined(w.steps))
	}
	if a.policy.startToClose > 0 || a.policy.heartbeat > 0 {
		limited, stop := w.limit(ctx, a)
		defer stop()
		ctx = limited
		defer func() {
			late, ok := context.Cause(limited).(*TimeoutError) //nolint:errorlint // a cause of the engine's own, as it was given
			if err != nil && ok && late.Kind != TimeoutMaxDuration {
				a.setLate(late)
				err = &lateError{late, err}
			}
		}()
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err // others may have the task by now, and may have completed it
	}
	defer func() {
		if v := recover(); v != nil {
			err = recovered(v)
		}
	}()
	return h.activity(ctx, w.e.payloads, a.input)
}

func (a *activityTask) setLate(late *TimeoutError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.late = late
}

func (a *activityTask) isLate() *TimeoutError {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.late
}

// limit gives the attempt a context that ends when it exceeds one of its limits.
func (w *worker) limit(outer context.Context, a *activityTask) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(outer)
	if d := a.policy.startToClose; d > 0 { // what the activity calls may want to know the deadline
		late := &TimeoutError{Kind: TimeoutStartToClose, Limit: d}
		limited, end := context.WithTimeoutCause(ctx, d, late)
		stopped := context.AfterFunc(limited, func() {
			if errors.Is(context.Cause(limited), late) {
				w.exceeded(outer, a, late)
			}
		})
		ctx, stop = limited, func() { stopped(); end() }
	}
	stopBeats := func() {}
	if a.policy.heartbeat > 0 {
		stopBeats = w.listen(outer, a, cancel)
	}
	inner := stop
	return ctx, func() {
		stopBeats()
		if inner != nil {
			inner()
		}
		cancel(nil)
	}
}

// listen ends the attempt's context when it says nothing for too long.
func (w *worker) listen(outer context.Context, a *activityTask, cancel context.CancelCauseFunc) (stop func()) {
	var (
		mu    sync.Mutex
		ended bool
		timer ClockTimer
		check func()
	)
	arm := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			timer = w.e.clock.AfterFunc(d, check)
		}
	}
	check = func() {
		if left := a.policy.heartbeat - a.beats.since(); left > 0 {
			arm(left)
			return
		}
		late := &TimeoutError{Kind: TimeoutHeartbeat, Limit: a.policy.heartbeat}
		cancel(late)
		w.exceeded(outer, a, late)
	}
	arm(a.policy.heartbeat)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}

// exceeded notes that an attempt has exceeded a limit, and writes it off if it does not return soon.
func (w *worker) exceeded(ctx context.Context, a *activityTask, late *TimeoutError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.late != nil || a.over {
		return
	}
	a.late = late
	w.e.clock.AfterFunc(attemptGrace, func() {
		w.mu.Lock() // before the end is decided, so that nobody waits for what is left behind
		w.stuck++
		w.mu.Unlock()
		if !a.decide() {
			w.mu.Lock()
			w.stuck--
			w.mu.Unlock()
			return
		}
		w.measured(ctx, a)
		if letGo := a.sharesNoMore(); letGo != nil {
			w.goroutines.Go(letGo)
		}
		w.conclude(ctx, ctx, a, nil, &lateError{late, errStuck})
	})
}

// conclude has the end of an attempt written: in the turn of its workflow, if that is here, or else by itself. ctx is the
// attempt's, within is that of the middleware.
func (w *worker) conclude(ctx, within context.Context, a *activityTask, result []byte, err error) {
	cause := context.Cause(ctx)
	if isTaken(cause) {
		w.finished(a.id, a.token)
		return // it belongs to somebody else, or nobody wants it
	}
	if err == nil {
		w.logTask(within, a, "task completed")
		a.end = backend.Complete{Task: a.id, Token: a.token, Result: result}
		w.complete(within, &a.end)
		return
	}
	if errors.Is(cause, ErrShutdown) {
		w.giveBack(within, &backend.Release{Task: a.id, Token: a.token, Detail: a.beats.take()})
		return
	}
	if errors.Is(err, errCrowded) {
		w.giveBack(within, &backend.Release{Task: a.id, Token: a.token})
		return
	}
	failure := failureOf(err)
	if delay, again := a.policy.retry.next(a.info.Attempt, err, w.random()); again {
		w.e.log.WarnContext(within, "task failed and is tried again", append(a.attrs(), "in", delay, "error", failure.Message)...)
		w.retry(within, &backend.Retry{
			Task: a.id, Token: a.token, Failure: failure, Delay: delay, Detail: a.beats.take(),
		}, a)
		return
	}
	w.e.log.ErrorContext(within, "task failed and is in the dead letters", append(a.attrs(), "error", failure.Message)...)
	state := backend.Failed
	if a.isLate() != nil {
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
