package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/stentgo/stent/core/backend"
)

// Expire ends what has used up its time.
func (db *DB) Expire(ctx context.Context) (all backend.Expired, err error) {
	err = db.do(ctx, func(t *tx) error {
		t.expireExecutions(&all)
		t.expireTasks(&all)
		if len(all.Executions)+len(all.Tasks) > 0 {
			t.wrote("")
		}
		all.Next = t.nextExpiry()
		return nil
	}, "end what has used up its time")
	return all, err
}

func (t *tx) expireExecutions(all *backend.Expired) {
	var late []*execution
	for e := range t.live {
		if !e.Deadline.IsZero() && !e.Deadline.After(t.now) {
			late = append(late, e)
		}
	}
	slices.SortFunc(late, func(a, b *execution) int { return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.ID, b.ID)) })
	for _, e := range late {
		if e.TaskState == backend.Running {
			t.recall(e.Worker, backend.TaskID{Execution: e.ID})
		}
		t.forgetAll(e)
		fail := backend.Overdue(e.lasts)
		t.close(e, &backend.Close{State: backend.TimedOut, Failure: &fail, Reason: fail.Message})
		all.Executions = append(all.Executions, backend.ExpiredExecution{ID: e.ID, Workflow: e.Workflow, Queue: e.Queue, State: e.State, Failure: copied(e.Failure)})
	}
}

func (t *tx) expireTasks(all *backend.Expired) {
	var late []*task
	for x := range t.due {
		if s := x.task; s != nil && !s.startBy.IsZero() && !s.startBy.After(t.now) {
			late = append(late, s)
		}
	}
	slices.SortFunc(late, func(a, b *task) int { return cmp.Or(a.startBy.Compare(b.startBy), compareTasks(a.ID, b.ID)) })
	for _, s := range late {
		fail := backend.Unstarted(s.Queue, s.startWithin)
		t.bury(s, &backend.Bury{State: backend.TimedOut, Failure: fail, Reason: fail.Message})
		t.wake(s.execution)
		all.Tasks = append(all.Tasks, backend.ExpiredTask{Task: s.ID, Step: s.Step, Queue: s.Queue, Failure: fail})
	}
}
