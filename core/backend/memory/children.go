package memory

import (
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// call begins the execution of an entry that calls a workflow.
func (t *tx) call(e *execution, s *task, c *backend.Start) {
	s.Child = c.ID
	if t.find(c.ID) == nil {
		parent := s.ID
		t.begin(c, &parent)
		return
	}
	s.State, s.Finished = backend.Failed, t.now
	s.Failure = &backend.Failure{Code: backend.CodeChildExists, Message: fmt.Sprintf("an execution with the id %s exists", c.ID)}
	t.wake(e)
}

// settleParent tells the caller of an execution that has ended, if it has one.
func (t *tx) settleParent(e *execution, end *backend.Close) {
	if e.Parent == nil {
		return
	}
	p := t.find(e.Parent.Execution)
	s := p.task(e.Parent.Seq)
	if s == nil || s.State != backend.Waiting || s.Child != e.ID {
		return
	}
	s.State, s.Result, s.Finished, s.place = e.State, e.Result, t.now, len(p.tasks)
	if e.State == backend.Failed || e.State == backend.TimedOut {
		s.Failure = backend.ChildFailure(e.ID, end)
	}
	t.wake(p)
}

// healParents has the callers of an execution that was reopened wait for it again, as far as its failure is why they
// have ended.
func (t *tx) healParents(e *execution) {
	for e.Parent != nil {
		p := t.find(e.Parent.Execution)
		if p == nil || !p.heals() {
			return
		}
		s := p.task(e.Parent.Seq)
		if s == nil || s.Child != e.ID || s.State != backend.Failed && s.State != backend.TimedOut {
			return
		}
		s.State, s.Result, s.Failure, s.Finished = backend.Waiting, nil, nil, time.Time{}
		t.reopen(p, s.place)
		e = p
	}
}

// anew begins another run of an execution.
func (t *tx) anew(e *execution, c *backend.Continue) {
	e.Run, e.Base, e.Input = c.Run, c.Base, payload(c.Input)
	e.Attempt, e.Crashes, e.Effects, e.HealedFrom, e.HealedTo = 1, 0, 0, 0, 0
	if c.Left = false; c.Base == 0 {
		e.tasks = nil
		return
	}
	for len(e.tasks) < c.Base {
		e.tasks = append(e.tasks, nil)
	}
	c.Left = t.trim(e)
}

// trim deletes some of what former runs have left, and tells whether there is more.
func (t *tx) trim(e *execution) (left bool) {
	if e == nil {
		return false
	}
	gone := 0
	for i, s := range e.tasks[:e.Base] {
		switch {
		case s == nil:
		case gone == backend.TrimMost:
			return true
		default:
			gone++
			e.tasks[i] = nil
			if !slices.ContainsFunc(t.letters, func(l *letter) bool { return l.Task == s.ID }) {
				delete(t.attempts, s.ID)
			}
		}
	}
	return false
}

// forgetAll cancels what is unfinished of an execution that ends, and asks its children to stop.
func (t *tx) forgetAll(e *execution) {
	for _, s := range e.tasks {
		if s == nil || s.Detached {
			continue
		}
		child := s.State == backend.Waiting && s.Kind == backend.Child
		if t.forget(s, ""); child {
			_, _ = t.cancel(backend.Desertion(e.ID, s.Child)) // one that has ended is no error
		}
	}
}

// desertedBefore tells of a call of a workflow that was put back whether its execution was asked to stop.
func (t *tx) desertedBefore(s *task) bool {
	c := t.find(s.Child)
	return s.Kind == backend.Child && s.State == backend.Waiting && !s.Detached &&
		(c == nil || c.State.Final() || !c.CancelRequested.IsZero())
}
