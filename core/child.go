package core

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/stentgo/stent/core/backend"
)

// Call runs the workflow as an execution of its own, a child, and waits for its result. The error is a [*ChildError]
// when it ended without one.
//
// The child is begun with what else the calling workflow does up to its next wait, and its end wakes it, whichever
// worker has which of the two. Without [Queue] and [Priority] it has those of the execution that calls it. Unless it is
// [Detached], it is asked to cancel when that execution ends before it.
func (w *Workflow[I, O]) Call(flow *Flow, in I, opts ...ChildOption) (O, error) {
	return w.Go(flow, in, opts...).Get(flow)
}

// Go starts the workflow as a child and returns at once; the result is got from the future. See [Workflow.Call].
func (w *Workflow[I, O]) Go(flow *Flow, in I, opts ...ChildOption) *Future[O] {
	return &Future[O]{step: flow.callChild(&w.callee, in, opts)}
}

// Map runs the workflow as a child for each item and returns the results in the order of the items. At most [Parallel]
// children are under way at once. After a failure no further ones are begun; those under way are waited for, and the
// error is that of the first item that failed.
func (w *Workflow[I, O]) Map(flow *Flow, items []I, opts ...ChildOption) ([]O, error) {
	var s settings
	for _, opt := range opts {
		opt.toChild(&s)
	}
	return mapCalls(flow, w.name, items, s.parallel, func(in I) *Future[O] { return w.Go(flow, in, opts...) })
}

// Child is the id of the execution that the call of a workflow has begun, for a signal to it or to show; "" for the call
// of an activity.
func (f *Future[O]) Child() string { return f.step.child }

// callChild finds the call of a workflow in the history, or begins its execution. What is wrong with it is told when its
// result is asked for.
func (f *Flow) callChild(c *callee, in any, opts []ChildOption) *step {
	settings := c.settings
	for _, opt := range opts {
		opt.toChild(&settings)
	}
	data, sum, err := f.run.w.e.payloads.encodeInput("input of workflow ", c.name, in)
	if err == nil {
		err = settings.err
	}
	if err != nil {
		f.key(c.name, settings.key) // the call has its place among the others, whatever is wrong with it
		return &step{name: c.name, refused: NonRetryable(err)}
	}
	s, added, err := f.enter(backend.Child, c.name, settings.key, sum)
	if err != nil {
		return &step{name: c.name, refused: err}
	}
	if !added {
		return s
	}
	start := &backend.Start{
		ID:          orDefault(settings.id, childID(s.id)),
		Workflow:    c.name,
		Queue:       orDefault(settings.queue, f.run.info.Queue),
		Priority:    orDefault(settings.priority, f.run.priority),
		Tags:        settings.tags,
		Policy:      workflowPolicy(settings.retry),
		Input:       data,
		InputHash:   sum,
		Delay:       settings.delay,
		At:          settings.at,
		MaxDuration: settings.maxDuration,
		Metadata:    settings.metadata,
		Carrier:     f.run.carrier,
	}
	if err := f.run.w.knows(c, start.Queue); err != nil {
		f.abort(err)
	}
	f.run.w.e.startingChild(f.ctx, start, f.run.info.ExecutionID)
	s.state, s.timeout = backend.Waiting, -1
	s.child, s.detached = start.ID, settings.detached
	f.add(s, backend.Add{
		Queue: start.Queue, Priority: start.Priority, Tags: start.Tags, InputHash: sum, State: backend.Waiting, Delay: -1,
		Child: start, Detached: s.detached,
	})
	return s
}

// childID names a child after the place of its call. An id that would be too long, since children have children, is
// hashed.
func childID(call backend.TaskID) string {
	id := call.Execution + "/" + strconv.Itoa(call.Seq)
	if len(id) <= maxName {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "child-" + hex.EncodeToString(sum[:16])
}

// childError is what became of a child that has no result.
func (s *step) childError() error {
	e := &ChildError{Child: s.child, Workflow: s.name, Task: s.id, State: s.state}
	if s.failure != nil {
		e.Failure = *s.failure
	}
	if cause, err := backend.ParseTaskID(e.Failure.Cause); err == nil {
		e.Cause = &cause
	}
	return e
}

// tellChildren tells workers of the children that a turn has begun, and of those that it has asked to stop.
func (r *run) tellChildren(t *backend.Turn) {
	if len(t.Deserted) > 0 {
		r.w.e.woke()
		r.w.e.watch.changed()
	}
	for i := range t.Added {
		if c := t.Added[i].Child; c != nil {
			r.w.e.measureStarted(c)
			r.w.e.taskDue(c.Queue, c.Priority)
			r.w.e.expiresIn(c.MaxDuration)
		}
	}
}
