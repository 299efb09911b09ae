package core

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

// ContinueAsNew ends this run of the workflow and begins it anew, with another input and without a history. The
// workflow returns the error that it is given here:
//
//	return Report{}, flow.ContinueAsNew(next)
//
// The execution stays the same: whoever waits for it goes on waiting for the final result. Counters, custom state and
// signals that were not received stay. What is under way is given up, as when the workflow ends: activities are
// cancelled, and children that are not [Detached] are asked to cancel. A maximal duration counts from the first run.
//
// in must be an input of this workflow; anything else is an error that fails the execution.
func (f *Flow) ContinueAsNew(in any) error {
	f.mustLive()
	if err := f.run.handler.accepts(in); err != nil {
		return NonRetryable(err)
	}
	data, err := f.run.w.e.payloads.encode("input of workflow ", f.run.info.Workflow, in)
	if err != nil {
		return NonRetryable(err)
	}
	return &continueAsNewError{input: data}
}

// continueAsNewError is the error by which a workflow asks to begin anew.
type continueAsNewError struct{ input []byte }

func (c *continueAsNewError) Error() string {
	return "the workflow is to begin anew: it has to return the error that ContinueAsNew gave it"
}

// continueAsNew makes the beginning of the next run part of the turn.
func (r *run) continueAsNew(t *backend.Turn, again *continueAsNewError) {
	base := r.base + len(r.steps)
	if base > backend.MaxSeq-r.most {
		base = 0 // after a million entries the places of the first are free
	}
	t.Continue = &backend.Continue{Run: r.number + 1, Base: base, Input: again.input}
}

// renew puts the next run in the place of this one, after the turn that began it has been committed. It begins like one
// that was just claimed, by reading what the database holds: signals may have come.
func (r *run) renew(t *backend.Turn) {
	next := &run{
		w: r.w, info: r.info, token: r.token, attempt: 1, policy: r.policy, input: t.Continue.Input, priority: r.priority,
		handler: r.handler, number: t.Continue.Run, base: t.Continue.Base, parent: r.parent, carrier: r.carrier, metadata: r.metadata,
		created: r.created, started: r.started, reopened: r.reopened, admitted: r.admitted,
		warn: r.warn, most: r.most, busy: true,
		baton: make(chan struct{}),
	}
	next.info.Run, next.info.Attempt = next.number, 1
	r.w.mu.Lock()
	r.w.runs[r.info.ExecutionID] = next
	r.w.mu.Unlock()
	for _, ev := range r.remove() {
		if ev.completed != nil {
			r.w.finished(ev.completed.Task, ev.completed.Token)
		}
		if ev.buried != nil {
			r.w.finished(ev.buried.Task, ev.buried.Token)
		}
	}
	r.w.cancelActivities(r.info.ExecutionID, ErrExecutionEnded)
	if t.Continue.Left {
		r.w.trim(r.info.ExecutionID)
	}
	if r.w.crowded() {
		next.putOff(r.wakes)
		return
	}
	r.w.goroutines.Go(func() { r.w.load([]string{r.info.ExecutionID}) })
}

// putOff lets a run that has not begun leave memory, for whoever claims it next.
func (r *run) putOff(wakes int) {
	r.loaded = true
	t := &backend.Turn{Execution: r.info.ExecutionID, Token: r.token, Yield: &backend.Yield{Seen: wakes}}
	r.w.submit(t, func(err error) { r.committed(t, nil, err) })
}

// trim deletes what is left of an execution's former runs, a part after the other. What a crash leaves goes with the next
// run's, or with the execution.
func (w *worker) trim(execution string) {
	cmd := &backend.Trim{Execution: execution}
	w.e.committer.submit("", cmd, func(err error) {
		switch {
		case err != nil:
			w.e.log.Warn("cannot delete the history of former runs; the next run tries again", "stent_execution_id", execution, "error", err)
		case cmd.Left:
			w.trim(execution)
		}
	})
}

// lengthen makes sure that the history may have one more entry.
func (f *Flow) lengthen() {
	r := f.run
	if len(r.steps) >= r.most {
		f.abort(&codedError{CodeHistoryLimit, fmt.Errorf("the history of execution %s has %d entries, the most that it may have: let workflow %s "+
			"begin anew with flow.ContinueAsNew before, or give it a higher core.HistoryLimit, and replay this dead letter",
			r.info.ExecutionID, len(r.steps), r.info.Workflow)})
	}
	if len(r.steps) == r.warn && r.warn > 0 {
		r.w.e.log.Warn("a history grows long; consider flow.ContinueAsNew", "stent_execution_id", r.info.ExecutionID,
			"workflow", r.info.Workflow, "entries", len(r.steps), "most", r.most, "run", r.number)
	}
}
