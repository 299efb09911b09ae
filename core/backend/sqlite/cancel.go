package sqlite

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

// cancel asks an execution to stop.
func (t *tx) cancel(c *backend.Cancel) error {
	c.Ended, c.Err = false, nil
	var (
		n      int64
		begun  bool
		parent *backend.TaskID
	)
	_, err := t.one(t.ctx, t.q.cancelLook, func(r *row) {
		n, c.State, begun, parent = r.int(), backend.State(r.text()), r.bool(), r.task()
	}, c.Execution)
	switch {
	case err != nil:
		return err
	case n == 0:
		c.State, c.Err = "", backend.ErrNotFound
		return nil
	case c.State == backend.Cancelling, c.State == backend.Cancelled:
		return nil
	case c.State.Final():
		c.Err = backend.ErrFinished
		return nil
	}
	before := c.State
	c.State = backend.Cancelling
	if f, ok := t.fences[c.Execution]; ok { // of a turn that is still to come
		f.state = c.State
		t.fences[c.Execution] = f
	}
	if !begun {
		c.State, c.Ended = backend.Cancelled, true
	}
	t.tally(before, c.State)
	if _, err := t.exec(t.q.cancel, n, c.State, t.now); err != nil {
		return err
	}
	if _, err := t.exec(t.q.cancelRecall, n, t.now); err != nil {
		return err
	}
	if _, err := t.exec(t.q.cancelTasks, n, t.now); err != nil {
		return err
	}
	if !begun {
		if err := t.settleParent(parent, c.Execution, c.State, &backend.Close{}); err != nil {
			return err
		}
	}
	_, err = t.exec(t.q.audit, t.now, c.Actor, backend.ActionCancel, c.Execution, 0, "", c.Reason, 0)
	return err
}

// forgetAll cancels all unfinished tasks of an execution that has ended, and has the workers told that run them.
func (t *tx) forgetAll(n int64, execution string) error {
	var children []string
	err := t.each(t.ctx, t.q.openChildren, func(r *row) error {
		children = append(children, r.text())
		return nil
	}, n)
	if err != nil {
		return err
	}
	if _, err := t.exec(t.q.forgetAllRecall, n, t.now); err != nil {
		return err
	}
	if _, err := t.exec(t.q.forgetAll, n, t.now); err != nil {
		return err
	}
	for _, child := range children {
		if err := t.cancel(backend.Desertion(execution, child)); err != nil {
			return err
		}
	}
	return nil
}

// keepRecalls is how long a worker is told of what was taken from it.
const keepRecalls = 10 * time.Minute

// recalled reads what was taken from a worker while it ran it.
func (t *tx) recalled(worker string) (all []backend.Recall, err error) {
	err = t.each(t.ctx, t.q.recalled, func(r *row) error {
		recall := backend.Recall{Task: backend.TaskID{Execution: r.text(), Seq: int(r.int())}, Token: r.int(), State: backend.State(r.text())}
		recall.Limit = micros(r.int())
		all = append(all, recall)
		return nil
	}, worker)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	_, err = t.exec(t.q.recallNone, worker, t.now-keepRecalls.Microseconds())
	return all, err
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
