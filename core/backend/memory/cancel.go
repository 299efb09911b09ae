package memory

import (
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// cancel asks an execution to stop.
func (t *tx) cancel(c *backend.Cancel) (backend.State, error) {
	e := t.find(c.Execution)
	switch {
	case e == nil:
		return "", backend.ErrNotFound
	case !e.CancelRequested.IsZero() && (e.State == backend.Cancelling || e.State == backend.Cancelled):
		return e.State, nil
	case e.State.Final():
		return e.State, backend.ErrFinished
	}
	held := e.TaskState == backend.Running
	e.CancelRequested, e.State = t.now, backend.Cancelling
	t.note(backend.AuditEntry{Task: backend.TaskID{Execution: e.ID}, Actor: c.Actor, Action: backend.ActionCancel, Detail: c.Reason})
	for _, s := range e.tasks {
		if s != nil && (s.State == backend.Pending || s.State == backend.Running && !held) {
			t.forget(s, "")
		}
	}
	switch {
	case e.Started.IsZero():
		for _, s := range e.tasks {
			if s != nil && !s.Detached {
				t.forget(s, "")
			}
		}
		t.close(e, &backend.Close{})
		c.Ended = true
	case held:
		t.wake(e)
	case e.at.IsZero() || e.at.After(t.now):
		t.setDue(&e.claimable, t.now)
	}
	return e.State, nil
}

// recall has a worker told of a task that was taken from it while it ran it.
func (t *tx) recall(worker string, id backend.TaskID) {
	if !slices.Contains(t.recalls[worker], id) {
		t.recalls[worker] = append(t.recalls[worker], id)
	}
}

// recalled is what was taken from a worker. What it runs anew is its own.
func (t *tx) recalled(worker string) (all []backend.Recall) {
	for _, id := range t.recalls[worker] {
		e := t.find(id.Execution)
		r := backend.Recall{Task: id, Token: e.Token, State: e.State, Limit: e.lasts}
		if s := e.task(id.Seq); s != nil {
			r.Token = s.Token
		}
		if x := e.task(id.Seq); x != nil && x.State != backend.Running || x == nil && e.TaskState != backend.Running {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b backend.Recall) int { return compareTasks(a.Task, b.Task) })
	return all
}

func (t *tx) beat(c *backend.Beat) bool {
	s := t.leasedTask(c.Task, c.Token)
	if s != nil {
		s.say(c.Detail)
	}
	return s != nil
}

// say keeps what an activity says of how far it is; nothing leaves what is there.
func (t *task) say(detail []byte) {
	if detail != nil {
		t.Detail = payload(detail)
	}
}

// nextExpiry is how long it is until there is something to expire; negative if nothing is limited.
func (t *tx) nextExpiry() time.Duration {
	var first time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for e := range t.live {
		sooner(e.Deadline)
	}
	for x := range t.due {
		if x.task != nil {
			sooner(x.task.startBy)
		}
	}
	if first.IsZero() {
		return -1
	}
	return max(first.Sub(t.now), 0)
}
