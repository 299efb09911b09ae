package sqlite

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// expireAtOnce is how many executions, and how many tasks, one transaction expires.
const expireAtOnce = 500

// Expire ends what has used up its time.
func (db *DB) Expire(ctx context.Context) (backend.Expired, error) {
	var all backend.Expired
	// Looking first holds up no writer; mostly there is nothing.
	err := db.read(ctx, func(c *conn) (err error) {
		all.Next, err = c.nextExpiry(ctx, db.q, db.now().UnixMicro())
		return err
	})
	if err != nil || all.Next != 0 {
		return all, db.wrap(err, "look for what has used up its time")
	}
	err = db.write(ctx, func(t *tx) (err error) {
		all = backend.Expired{}
		if err := t.expireExecutions(&all); err != nil {
			return err
		}
		if err := t.expireTasks(&all); err != nil {
			return err
		}
		all.Next, err = t.nextExpiry(t.ctx, t.q, t.now)
		return err
	})
	if err != nil {
		return backend.Expired{}, db.wrap(err, "end what has used up its time")
	}
	if len(all.Executions)+len(all.Tasks) > 0 {
		db.wrote("")
	}
	return all, nil
}

// nextExpiry is how long it is until there is something to expire; negative if nothing is limited.
func (c *conn) nextExpiry(ctx context.Context, q *queries, now int64) (next time.Duration, err error) {
	next = -1
	_, err = c.one(ctx, q.expireLook, func(r *row) {
		if at, ok := r.next().(int64); ok {
			next = max(micros(at-now), 0)
		}
	})
	return next, err
}

func (t *tx) expireExecutions(all *backend.Expired) error {
	type overdue struct {
		n      int64
		state  backend.State
		end    backend.ExpiredExecution
		parent *backend.TaskID
	}
	var late []overdue
	err := t.each(t.ctx, t.q.expireExecutions, func(r *row) error {
		o := overdue{n: r.int(), end: backend.ExpiredExecution{ID: r.text(), Workflow: r.text(), Queue: r.text(), State: backend.TimedOut}}
		o.state = backend.State(r.text())
		fail := backend.Overdue(micros(r.int()))
		o.end.Failure, o.parent = &fail, r.task()
		late = append(late, o)
		return nil
	}, t.now, expireAtOnce)
	if err != nil {
		return err
	}
	for _, o := range late {
		text, reason := failure(o.end.Failure), o.end.Failure.Message
		if o.state == backend.Cancelling {
			o.end.State, o.end.Failure = backend.Cancelled, nil
		}
		if _, err := t.exec(t.q.recallRoot, o.n, t.now); err != nil {
			return err
		}
		if _, err := t.exec(t.q.expire, o.n, text, t.now); err != nil {
			return err
		}
		t.tally(o.state, o.end.State)
		if err := t.settleParent(o.parent, o.end.ID, o.end.State, &backend.Close{Failure: o.end.Failure, Reason: reason}); err != nil {
			return err
		}
		if err := t.forgetAll(o.n, o.end.ID); err != nil {
			return err
		}
		if o.end.State == backend.TimedOut {
			if err := t.buryRoot(o.n, text, reason); err != nil {
				return err
			}
		}
		all.Executions = append(all.Executions, o.end)
	}
	return nil
}

func (t *tx) expireTasks(all *backend.Expired) error {
	type unstarted struct {
		n     int64
		token int64
		task  backend.ExpiredTask
	}
	var late []unstarted
	err := t.each(t.ctx, t.q.expireTasks, func(r *row) error {
		u := unstarted{n: r.int()}
		u.task.Task = backend.TaskID{Execution: r.text(), Seq: int(r.int())}
		u.task.Step, u.task.Queue, u.token = r.text(), r.text(), r.int()
		u.task.Failure = backend.Unstarted(u.task.Queue, micros(r.int()))
		late = append(late, u)
		return nil
	}, t.now, expireAtOnce)
	if err != nil {
		return err
	}
	for _, u := range late {
		_, err := t.buryFrom(backend.Pending, u.n, &backend.Bury{
			Task: u.task.Task, Token: u.token, State: backend.TimedOut, Failure: u.task.Failure, Reason: u.task.Failure.Message,
		})
		if err != nil {
			return err
		}
		if err := t.wake(u.n); err != nil {
			return err
		}
		all.Tasks = append(all.Tasks, u.task)
	}
	return nil
}
