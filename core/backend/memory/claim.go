package memory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// claimDue takes due tasks for the worker of the batch.
func (t *tx) claimDue(c *backend.Claim) {
	c.Tasks, c.More, c.NextDue, c.Woken, c.Paused, c.Err = nil, false, -1, nil, nil, nil
	if !t.alive {
		c.Err = backend.ErrLeaseLost
		return
	}
	for e := range t.live {
		if e.woken && e.Worker == t.worker && e.TaskState == backend.Running {
			e.woken = false
			c.Woken = append(c.Woken, e.ID)
		}
	}
	slices.Sort(c.Woken)
	if c.OnlyWoken {
		return
	}
	for _, queue := range c.Queues {
		if t.pausedNow(queue) {
			c.Paused = append(c.Paused, queue)
		}
	}

	var due []*claimable
	for x := range t.due {
		switch {
		case !t.mayTake(c, x):
		case !x.at.After(t.now):
			due = append(due, x)
		case c.NextDue < 0 || x.at.Sub(t.now) < c.NextDue:
			c.NextDue = x.at.Sub(t.now)
		}
	}
	slices.SortFunc(due, func(a, b *claimable) int {
		return cmp.Or(cmp.Compare(b.priority(), a.priority()), a.at.Compare(b.at), cmp.Compare(a.serial, b.serial))
	})
	free := t.free(c)
	for _, x := range due {
		if left, limited := free[x.step()]; limited && x.task != nil {
			if left <= 0 {
				continue
			}
			free[x.step()]--
		}
		if len(c.Tasks) >= c.Max {
			c.More = true
			break
		}
		c.Tasks = append(c.Tasks, t.take(x))
	}
}

func (c *claimable) step() string {
	if c.task != nil {
		return c.task.Step
	}
	return c.execution.Workflow
}

func (c *claimable) priority() int {
	if c.task != nil {
		return c.task.Priority
	}
	return c.execution.Priority
}

// mayTake tells whether the queue is one of the claim's and not paused, and the worker has the handler and one of the
// tags.
func (t *tx) mayTake(c *backend.Claim, x *claimable) bool {
	queue, tags := x.execution.Queue, x.execution.Tags
	if x.task != nil {
		queue, tags = x.task.Queue, x.task.Tags
	}
	return slices.Contains(c.Queues, queue) && !t.pausedNow(queue) && slices.Contains(c.Steps, x.step()) &&
		(len(tags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(c.Tags, tag) }))
}

// free is how many more may run of each activity that has a limit.
func (t *tx) free(c *backend.Claim) map[string]int {
	free := maps.Clone(c.Limits)
	for s := range t.claimed {
		if _, limited := free[s.Step]; limited {
			free[s.Step]--
		}
	}
	return free
}

// take leases a task to the worker.
func (t *tx) take(x *claimable) backend.Claimed {
	e, due := x.execution, x.at
	t.setDue(x, time.Time{})
	c := backend.Claimed{Metadata: maps.Clone(e.Metadata), Carrier: maps.Clone(e.Carrier)}
	if s := x.task; s != nil {
		s.State, s.Worker, s.Started = backend.Running, t.worker, t.now
		s.Token++
		t.claim(s, t.worker)
		c.Task = s.record()
	} else {
		if e.State == backend.Pending {
			e.State = backend.Running
		}
		e.TaskState, e.Worker = backend.Running, t.worker
		e.Token++
		if e.Started.IsZero() {
			e.Started, e.startedToken = t.now, e.Token
		}
		c.Task, c.Parent, c.Run, c.Base = e.root(), copied(e.Parent), e.Run, e.Base
		if !e.Deadline.IsZero() {
			c.Expiry = max(e.Deadline.Sub(t.now), time.Microsecond)
		}
		c.Fresh = e.CancelRequested.IsZero() && len(e.signals) == 0 && !slices.ContainsFunc(e.tasks, func(s *task) bool { return s != nil && s.ID.Seq > e.Base })
	}
	c.Due = due
	return c
}
