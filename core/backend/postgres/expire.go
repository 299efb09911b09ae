package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// expireAtOnce is how many executions, and how many tasks, one transaction expires.
const expireAtOnce = 500

// Expire ends what has used up its time.
func (db *DB) Expire(ctx context.Context) (backend.Expired, error) {
	next, err := db.nextExpiry(ctx)
	if err != nil {
		return backend.Expired{}, db.wrap(ended(ctx, err), "look for what has used up its time")
	}
	if next != 0 {
		return backend.Expired{Next: next}, nil
	}
	var (
		told news
		all  backend.Expired
	)
	err = db.transact(ctx, func(tx pgx.Tx) error {
		told, all = news{}, backend.Expired{}
		x := expirer{taker{db: db, tx: tx, news: &told}}
		if err := x.executions(ctx, &all); err != nil {
			return err
		}
		return x.tasks(ctx, &all)
	})
	if err == nil {
		db.notes.add(told)
		all.Next, err = db.nextExpiry(ctx)
	}
	if err != nil {
		return backend.Expired{}, db.wrap(ended(ctx, err), "end what has used up its time")
	}
	return all, nil
}

// nextExpiry is how long it is until there is something to expire; negative if nothing is limited.
func (db *DB) nextExpiry(ctx context.Context) (time.Duration, error) {
	var next pgtype.Int8
	if err := db.pool.QueryRow(ctx, db.q.get("expire_look")).Scan(&next); err != nil {
		return 0, err
	}
	if !next.Valid {
		return -1, nil
	}
	return max(time.Duration(next.Int64)*time.Microsecond, 0), nil
}

// expirer is one transaction of Expire.
type expirer struct{ taker }

// overdue is a row of expire_executions.sql.
type overdue struct {
	key        key
	id         string
	workflow   string
	queue      string
	state      backend.State
	worker     int32
	token      int32
	cancelling bool
	limit      int64 // microseconds
}

func (o *overdue) lasts() time.Duration {
	return (time.Duration(o.limit) * time.Microsecond).Round(time.Millisecond)
}

func (x *expirer) executions(ctx context.Context, all *backend.Expired) error {
	rows, err := x.tx.Query(ctx, x.db.q.get("expire_executions"), expireAtOnce)
	if err != nil {
		return err
	}
	late, err := collect(rows, func(rows pgx.Rows) (o overdue, err error) {
		return o, rows.Scan(&o.key, &o.id, &o.workflow, &o.queue, &o.state, &o.worker, &o.token, &o.cancelling, &o.limit)
	})
	if err != nil || len(late) == 0 {
		return err
	}
	x.news.done = true
	var (
		keys     = column(late, func(o overdue) key { return o.key })
		failures = make([]pgtype.Text, len(late))
		reasons  = make([]string, len(late))
		held     []overdue
	)
	for i, o := range late {
		fail := backend.Overdue(o.lasts())
		failures[i], reasons[i] = failure(&fail), fail.Message
		end := backend.ExpiredExecution{ID: o.id, Workflow: o.workflow, Queue: o.queue, State: backend.TimedOut, Failure: &fail}
		if o.cancelling {
			end.State, end.Failure = backend.Cancelled, nil
		}
		all.Executions = append(all.Executions, end)
		if o.state == backend.Running {
			held = append(held, o)
		}
	}
	if err := x.exec(ctx, "expire", keys, failures); err != nil {
		return err
	}
	if err := x.exec(ctx, "recall_roots", column(held, func(o overdue) int32 { return o.worker }),
		column(held, func(o overdue) key { return o.key }), column(held, func(o overdue) int32 { return o.token })); err != nil {
		return err
	}
	if err := x.forgetAll(ctx, keys); err != nil {
		return err
	}
	if err := x.exec(ctx, "dead_letter_execution", keys, reasons, failures); err != nil {
		return err
	}
	return x.tellParents(ctx, keys, late, reasons)
}

// tellParents ends the calls of executions that have ended, and wakes the callers.
func (x *expirer) tellParents(ctx context.Context, keys []key, late []overdue, reasons []string) error {
	failures := make([]pgtype.Text, len(late))
	for i, o := range late {
		fail := backend.Overdue(o.lasts())
		failures[i] = failure(backend.ChildFailure(o.id, &backend.Close{Failure: &fail, Reason: reasons[i]}))
	}
	if err := x.exec(ctx, "settle_parent", keys, failures); err != nil {
		return err
	}
	rows, err := x.tx.Query(ctx, x.db.q.get("wake_parents"), keys)
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = x.news.woke(rows)
	return err
}

// unstarted is a row of expire_tasks.sql.
type unstarted struct {
	key   key
	task  backend.TaskID
	step  string
	queue string
	token int64
	limit int64 // microseconds
}

func (x *expirer) tasks(ctx context.Context, all *backend.Expired) error {
	rows, err := x.tx.Query(ctx, x.db.q.get("expire_tasks"), expireAtOnce)
	if err != nil {
		return err
	}
	late, err := collect(rows, func(rows pgx.Rows) (u unstarted, err error) {
		return u, rows.Scan(&u.key, &u.task.Execution, &u.task.Seq, &u.step, &u.queue, &u.token, &u.limit)
	})
	if err != nil || len(late) == 0 {
		return err
	}
	buries := column(late, func(u unstarted) keyed[*backend.Bury] {
		fail := backend.Unstarted(u.queue, time.Duration(u.limit)*time.Microsecond)
		all.Tasks = append(all.Tasks, backend.ExpiredTask{Task: u.task, Step: u.step, Queue: u.queue, Failure: fail})
		return keyed[*backend.Bury]{u.key, &backend.Bury{
			Task: u.task, Token: u.token, State: backend.TimedOut, Failure: fail, Reason: fail.Message,
		}}
	})
	if err := x.exec(ctx, "bury", buryArgs(buries, backend.Pending)...); err != nil {
		return err
	}
	return x.wake(ctx, column(late, func(u unstarted) key { return u.key }))
}

// recalled reads what was taken from a worker while it ran it.
func (db *DB) recalled(ctx context.Context, worker int32) ([]backend.Recall, error) {
	rows, err := db.pool.Query(ctx, db.q.get("recalled"), worker)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows pgx.Rows) (r backend.Recall, err error) {
		var limit int64
		err = rows.Scan(&r.Task.Execution, &r.Task.Seq, &r.Token, &r.State, &limit)
		r.Limit = (time.Duration(limit) * time.Microsecond).Round(time.Millisecond)
		return r, err
	})
}
