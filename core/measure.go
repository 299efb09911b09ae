package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// recorderQueues are an engine's recorders. Without any, telling them something is one comparison.
type recorderQueues []*recorderQueue

func (qs recorderQueues) put(e *recorded) {
	for _, q := range qs {
		q.put(e)
	}
}

// claimed tells that a task was begun whose due time is known.
func (w *worker) measureClaimed(info *TaskInfo, due time.Time) {
	if len(w.e.metrics) == 0 {
		return
	}
	var waited time.Duration
	if !due.IsZero() {
		waited = max(w.e.committer.databaseTime().Sub(due), 0)
	}
	w.e.progressed()
	w.e.metrics.put(&recorded{what: taskClaimed, queue: info.Queue, step: info.Step, kind: info.Kind, duration: waited})
}

// measureAdmitted tells of an orchestrator that was due at a time, and is in memory from now on.
func (r *run) measureAdmitted(due time.Time) {
	if len(r.w.e.metrics) > 0 {
		r.admitted = r.w.e.clock.Now()
		r.w.measureClaimed(&r.info, due)
	}
}

// measureEnd tells how an activity's attempt ended, once that was written; a is nil where it is no longer known here.
func (w *worker) measureEnd(a *activityTask, ended what, reason string) {
	if len(w.e.metrics) == 0 || a == nil {
		return
	}
	w.e.progressed()
	e := recorded{ctx: a.within, queue: a.info.Queue, step: a.info.Step, kind: a.info.Kind, text: reason, duration: a.took}
	switch ended {
	case deadLettered:
		e.what = taskFailed
		w.e.metrics.put(&e)
		e.what = deadLettered
	case taskFailed:
		e.what, e.flag = taskFailed, true
	default:
		e.what = ended
	}
	w.e.metrics.put(&e)
}

// measureTurn tells how an orchestrator left memory: not at all, as far as its task goes, if it only waits.
func (r *run) measureTurn(t *backend.Turn) {
	if len(r.w.e.metrics) == 0 || t.Close == nil && t.Again == nil {
		return
	}
	e := recorded{ctx: r.context(), queue: r.info.Queue, step: r.info.Step, kind: r.info.Kind, duration: r.w.e.clock.Now().Sub(r.admitted)}
	put := func(what what) {
		e.what = what
		r.w.e.metrics.put(&e)
	}
	r.w.e.progressed()
	if t.Again != nil {
		e.text, e.flag = reasonOf(t.Again.Failure), true
		put(taskFailed)
		return
	}
	switch t.State {
	case backend.Completed:
		put(taskCompleted)
	case backend.Failed, backend.TimedOut:
		e.text = t.Close.Reason
		if t.Close.Failure != nil {
			e.text = reasonOf(*t.Close.Failure)
		}
		put(taskFailed)
		if t.Close.Reason != "" {
			put(deadLettered)
		}
	}
	r.w.e.measureFinished(r.context(), r.info.Workflow, t.State, r.created)
}

func (e *Engine) measureFinished(ctx context.Context, workflow string, state backend.State, created time.Time) {
	if len(e.metrics) == 0 {
		return
	}
	var took time.Duration
	if !created.IsZero() {
		took = max(e.committer.databaseTime().Sub(created), 0)
	}
	e.metrics.put(&recorded{ctx: ctx, what: executionFinished, step: workflow, text: string(state), duration: took})
}

func (e *Engine) measureStarted(cmd *backend.Start) {
	if len(e.metrics) > 0 && cmd.Err == nil && !cmd.Existed {
		e.metrics.put(&recorded{what: executionStarted, step: cmd.Workflow, queue: cmd.Queue})
	}
}

func (w *worker) measureClaim(cmd *backend.Claim, asked time.Time, err error) {
	if len(w.e.metrics) == 0 {
		return
	}
	result := ClaimEmpty
	switch {
	case err != nil || cmd.Err != nil:
		result = ClaimError
	case len(cmd.Tasks) > 0:
		result = ClaimTasks
	}
	w.e.metrics.put(&recorded{what: claimEnded, text: string(result), n: len(cmd.Tasks), duration: w.e.clock.Now().Sub(asked)})
}

// measureFenced tells of a write that the database refused, and not of one that never got there.
func (w *worker) measureFenced(execution string, err error) {
	if len(w.e.metrics) > 0 && errors.Is(err, ErrLeaseLost) && !errors.Is(err, errGivenUp) {
		w.e.metrics.put(&recorded{what: writeFenced, step: w.id, text: execution})
	}
}

func (w *worker) measureRenewal(result RenewalResult) {
	if len(w.e.metrics) > 0 {
		w.e.metrics.put(&recorded{what: leaseRenewed, step: w.id, text: string(result)})
	}
}

// measureReaped tells of a task whose worker died.
func (w *worker) measureReaped(ctx context.Context, t *backend.ReapedTask) {
	if len(w.e.metrics) == 0 {
		return
	}
	e := recorded{what: leaseTakenOver, queue: t.Queue, step: t.Step, kind: t.Kind, text: t.Worker}
	if !t.Buried {
		w.e.metrics.put(&e)
		return
	}
	e.what, e.text = taskFailed, "workers died of it too often"
	w.e.metrics.put(&e)
	e.what, e.flag = deadLettered, true
	w.e.metrics.put(&e)
	if t.Kind == backend.Orchestrator {
		w.measureElsewhere(ctx, t.Task.Execution)
	}
}

// measureExpired tells of what had used up its time.
func (w *worker) measureExpired(ctx context.Context, x *backend.Expired) {
	if len(w.e.metrics) == 0 {
		return
	}
	for _, t := range x.Tasks {
		e := recorded{what: taskFailed, queue: t.Queue, step: t.Step, kind: backend.Activity, text: reasonOf(t.Failure)}
		w.e.metrics.put(&e)
		e.what = deadLettered
		w.e.metrics.put(&e)
	}
	for _, end := range x.Executions {
		w.measureElsewhere(ctx, end.ID)
		if end.Failure != nil {
			w.e.metrics.put(&recorded{what: deadLettered, queue: end.Queue, step: end.Workflow, kind: backend.Orchestrator, text: reasonOf(*end.Failure)})
		}
	}
}

// measureElsewhere tells of an execution that this worker ended in the database, without having it in memory.
func (w *worker) measureElsewhere(ctx context.Context, id string) { w.e.measureElsewhere(ctx, id) }

func (e *Engine) measureElsewhere(ctx context.Context, id string) {
	if len(e.metrics) == 0 {
		return
	}
	x, err := e.db.Execution(ctx, id)
	if err != nil {
		e.measureError("history", err)
		e.log.Warn("an execution that has ended cannot be read and is not counted", "stent_execution_id", id, "error", err)
		return
	}
	e.metrics.put(&recorded{what: executionFinished, step: x.Workflow, text: string(x.State), duration: x.Finished.Sub(x.Created)})
}

// measureError tells that the database could not be asked. An ended context is the caller's own wish.
func (e *Engine) measureError(operation string, err error) {
	if len(e.metrics) > 0 && err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, ErrLeaseLost) && !errors.Is(err, ErrNotFound) {
		e.metrics.put(&recorded{what: backendFailed, text: operation, step: string(backend.FaultOf(err))})
	}
}

// measured tells of a batch and keeps how far the clock is from the database's.
func (c *committer) measured(b *backend.Batch, began time.Time, err error) {
	if len(c.metrics) == 0 {
		return
	}
	if err != nil {
		c.metrics.put(&recorded{what: backendFailed, text: "commit", step: string(backend.FaultOf(err))})
		return
	}
	now := c.clock.Now()
	if !b.Now.IsZero() {
		c.ahead.Store(int64(now.Sub(b.Now)))
	}
	c.metrics.put(&recorded{what: batchCommitted, n: len(b.Commands), duration: now.Sub(began)})
}

// databaseTime is what the database's clock says, to within the duration of a commit.
func (c *committer) databaseTime() time.Time {
	return c.clock.Now().Add(-time.Duration(c.ahead.Load()))
}

func (e *Engine) progressed() { e.progress.Store(e.clock.Now().UnixNano()) }

// ProcessGauges tells how the workers of this process stand. It asks nothing of the database.
func (e *Engine) ProcessGauges() ProcessGauges {
	g := ProcessGauges{Version: Version(), Backend: e.db.Name()}
	if at := e.progress.Load(); at != 0 {
		g.LastProgress = time.Unix(0, at)
	}
	for _, w := range e.serving() {
		w.mu.Lock()
		g.Slots += w.cfg.Slots
		g.SlotsUsed += min(len(w.activities), w.cfg.Slots)
		g.Ready = g.Ready || w.state == backend.WorkerReady
		w.mu.Unlock()
	}
	return g
}

// KnownTasks lists the workflows and activities that the workers of this process have handlers for, with the queues in
// which they stand unless a call or a start names another.
func (e *Engine) KnownTasks() []KnownTask {
	if len(e.serving()) == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var known []KnownTask
	var queues []string // of the workflows: where an activity goes that names none
	for name, h := range e.handlers {
		if h.kind == backend.Orchestrator {
			queue := orDefault(h.callee.settings.queue, DefaultQueue)
			known = append(known, KnownTask{queue, name, h.kind, h.callee.settings.slo})
			if !slices.Contains(queues, queue) {
				queues = append(queues, queue)
			}
		}
	}
	for name, h := range e.handlers {
		if h.kind != backend.Activity {
			continue
		}
		if queue := h.callee.settings.queue; queue != "" {
			known = append(known, KnownTask{queue, name, h.kind, h.callee.settings.slo})
			continue
		}
		for _, queue := range queues {
			known = append(known, KnownTask{queue, name, h.kind, h.callee.settings.slo})
		}
	}
	return known
}

var _ MetricsSource = (*Engine)(nil)
