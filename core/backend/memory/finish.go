package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Each of the following commands tells whether it was applied, now or by an earlier commit.

// leasedTask is an activity that runs with a token; nil if it does not.
func (t *tx) leasedTask(id backend.TaskID, token int64) *task {
	s := t.find(id.Execution).task(id.Seq)
	if s == nil || s.State != backend.Running || s.Token != token {
		return nil
	}
	return s
}

func (t *tx) appliedBefore(id backend.TaskID, token int64, state backend.State) bool {
	e := t.find(id.Execution)
	return e != nil && e.isAt(id.Seq, token, state)
}

func (t *tx) completeAndWake(c *backend.Complete) bool {
	s := t.leasedTask(c.Task, c.Token)
	if s == nil {
		return t.appliedBefore(c.Task, c.Token, backend.Completed)
	}
	t.complete(s, c)
	t.wake(s.execution)
	return true
}

func (t *tx) complete(s *task, c *backend.Complete) {
	s.State, s.Result, s.Failure, s.Finished = backend.Completed, payload(c.Result), nil, t.now
	t.claim(s, "")
}

func (t *tx) retry(c *backend.Retry) bool {
	s := t.leasedTask(c.Task, c.Token)
	if s == nil {
		return t.appliedBefore(c.Task, c.Token, backend.Pending)
	}
	t.keepAttempt(attemptAt(s), c.Failure, true)
	s.State, s.Failure = backend.Pending, copied(&c.Failure)
	s.Attempt++
	s.say(c.Detail)
	t.claim(s, "")
	t.setDue(&s.claimable, t.in(c.Delay))
	return true
}

func (t *tx) buryAndWake(c *backend.Bury) bool {
	s := t.leasedTask(c.Task, c.Token)
	if s == nil {
		return t.appliedBefore(c.Task, c.Token, c.State)
	}
	t.bury(s, c)
	t.wake(s.execution)
	return true
}

func (t *tx) bury(s *task, c *backend.Bury) {
	s.State, s.Failure, s.Finished = c.State, copied(&c.Failure), t.now
	t.claim(s, "")
	t.setDue(&s.claimable, time.Time{})
	t.keepAttempt(attemptAt(s), c.Failure, false)
	e := s.execution
	t.addLetter(&letter{DeadLetter: backend.DeadLetter{
		Task: s.ID, Workflow: e.Workflow, Step: s.Step, Kind: s.Kind, Queue: s.Queue, Tags: slices.Clone(s.Tags), Attempts: s.Attempt,
		Crashes: s.Crashes, Reason: c.Reason, Failure: c.Failure, TraceID: traceID(e.Carrier), Moved: t.now,
	}, place: len(e.tasks)})
}

// buryRoot moves an orchestrator to the dead letters; its execution has ended.
func (t *tx) buryRoot(e *execution, failure backend.Failure, reason string) {
	id := backend.TaskID{Execution: e.ID}
	t.keepAttempt(attemptAtRoot(e), failure, false)
	t.addLetter(&letter{DeadLetter: backend.DeadLetter{
		Task: id, Workflow: e.Workflow, Step: e.Workflow, Kind: backend.Orchestrator, Queue: e.Queue, Tags: slices.Clone(e.Tags),
		Attempts: e.Attempt, Crashes: e.Crashes, Reason: reason, Failure: failure, TraceID: traceID(e.Carrier), Moved: t.now,
	}, place: len(e.tasks)})
}

func attemptAt(s *task) backend.Attempt {
	return backend.Attempt{Task: s.ID, Attempt: s.Attempt, Worker: s.Worker, Token: s.Token, Started: s.Started}
}

func attemptAtRoot(e *execution) backend.Attempt {
	return backend.Attempt{Task: backend.TaskID{Execution: e.ID}, Attempt: e.Attempt, Worker: e.Worker, Token: e.Token, Started: e.Started}
}

func (t *tx) keepAttempt(a backend.Attempt, failure backend.Failure, retried bool) {
	a.Failure, a.At, a.Retried = failure, t.now, retried
	t.attempts[a.Task] = append(t.attempts[a.Task], a)
}

// Attempts lists the failed attempts at an execution's tasks.
func (db *DB) Attempts(ctx context.Context, execution string) (all []backend.Attempt, err error) {
	err = db.do(ctx, func(t *tx) error {
		for id, attempts := range t.attempts {
			if id.Execution == execution {
				all = append(all, attempts...)
			}
		}
		slices.SortStableFunc(all, func(a, b backend.Attempt) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Task.Seq, b.Task.Seq), cmp.Compare(a.Attempt, b.Attempt))
		})
		return nil
	}, "list the failed attempts of %s", execution)
	return all, err
}

func (t *tx) release(c *backend.Release) bool {
	if c.Task.IsRoot() {
		return t.releaseRoot(c)
	}
	s := t.leasedTask(c.Task, c.Token)
	if s == nil {
		return t.appliedBefore(c.Task, c.Token, backend.Pending)
	}
	s.State, s.Started = backend.Pending, time.Time{}
	s.say(c.Detail)
	t.claim(s, "")
	t.setDue(&s.claimable, t.now)
	return true
}

func (t *tx) releaseRoot(c *backend.Release) bool {
	e := t.find(c.Task.Execution)
	if !e.held(c.Token) {
		return e != nil && e.Token == c.Token && e.TaskState == backend.Pending
	}
	if e.startedToken == c.Token { // this claim was the one that started it
		if e.State == backend.Running {
			e.State = backend.Pending
		}
		e.Started, e.startedToken = time.Time{}, 0
	}
	e.TaskState, e.woken = backend.Pending, false
	t.setDue(&e.claimable, t.now)
	t.standAlone(e)
	return true
}
