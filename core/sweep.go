package core

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// The sweeper is how a worker ends what has used up its time, on whatever worker it is, or on none: executions past their
// maximal duration, and activities that nobody took in time; and how schedules tick. It asks the database only when
// something is known to be over: a heartbeat tells when the next is, and so does whatever this process starts, claims or
// writes.

// sweepMargin is how long after a time is over the worker looks, so that one look is enough; sweepPause, how long it leaves
// what others are writing at that moment; sweepAgain, how long a database that cannot be reached.
const (
	sweepMargin = 5 * time.Millisecond
	sweepPause  = 50 * time.Millisecond
	sweepAgain  = time.Second
)

// expireIn makes the worker look for what has used up its time, in d at the latest.
func (w *worker) expireIn(d time.Duration) { w.sweepIn(&w.sweepAt, d+sweepMargin) }

// tickIn makes it look for schedules that are due, in d at the latest.
func (w *worker) tickIn(d time.Duration) { w.sweepIn(&w.tickAt, d) }

func (w *worker) sweepIn(what *time.Time, d time.Duration) {
	at := w.e.clock.Now().Add(d)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !what.IsZero() && !what.After(at) {
		return
	}
	*what = at
	select {
	case w.sweepSoon <- struct{}{}:
	default:
	}
}

func (w *worker) sweepAfter(r backend.Renewal) {
	if r.Expiry >= 0 {
		w.expireIn(r.Expiry)
	}
	if r.Tick >= 0 {
		w.tickIn(r.Tick)
	}
}

// expiresIn tells the workers of this process of something that is limited in time.
func (e *Engine) expiresIn(d time.Duration) {
	if d <= 0 {
		return
	}
	for _, w := range e.serving() {
		w.expireIn(d)
	}
}

func (w *worker) sweep(ctx context.Context) {
	for {
		w.mu.Lock()
		at := w.sweepAt
		if at.IsZero() || !w.tickAt.IsZero() && w.tickAt.Before(at) {
			at = w.tickAt
		}
		w.mu.Unlock()
		over, timer := make(chan struct{}), ClockTimer(stillTimer{})
		if !at.IsZero() {
			timer = w.e.clock.AfterFunc(max(at.Sub(w.e.clock.Now()), 0), func() { close(over) })
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-w.sweepSoon: // it may be sooner
			timer.Stop()
		case <-over:
			if w.passed(&w.tickAt) {
				w.tick(ctx)
			}
			if w.passed(&w.sweepAt) {
				w.expire(ctx)
			}
		}
	}
}

// passed tells whether a time is over, and forgets it then.
func (w *worker) passed(what *time.Time) bool {
	now := w.e.clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if what.IsZero() || what.After(now) {
		return false
	}
	*what = time.Time{}
	return true
}

// expire has what has used up its time ended.
func (w *worker) expire(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, commitTimeout)
	x, err := w.e.db.Expire(limited)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			w.e.measureError("expire", err)
			w.e.outage.failed("look for what has used up its time", err, "stent_worker_id", w.id)
			w.expireIn(sweepAgain)
		}
		return
	}
	if x.Next >= 0 {
		w.expireIn(max(x.Next, sweepPause))
	}
	w.measureExpired(ctx, &x)
	for _, end := range x.Executions {
		w.e.waits.ended(end.ID, ending{workflow: end.Workflow, state: end.State, failure: end.Failure})
		w.endedElsewhere(end.ID)
		w.e.log.Error("execution took longer than it may", "stent_execution_id", end.ID, "workflow", end.Workflow, "state", end.State)
	}
	for _, t := range x.Tasks {
		w.e.log.Error("no worker took the task in time; it is in the dead letters",
			"stent_execution_id", t.Task.Execution, "stent_task_id", t.Task, "stent_step", t.Step, "stent_queue", t.Queue, "error", t.Failure.Message)
	}
	if len(x.Executions) > 0 {
		w.e.watch.changed()
		for _, local := range w.e.serving() {
			local.renewNow() // which tells what was taken from it
		}
	}
	if len(x.Executions)+len(x.Tasks) > 0 {
		w.e.woke()
	}
}
