package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// History reads executions with all that is needed to go on with them, in the order of the ids.
func (db *DB) History(ctx context.Context, ids []string) ([]backend.History, error) {
	all, err := db.history(ctx, ids)
	if err != nil {
		return nil, db.wrap(ended(ctx, err), "read %d histories", len(ids))
	}
	return all, nil
}

// history reads everything in one round trip, as it is at one moment.
func (db *DB) history(ctx context.Context, ids []string) ([]backend.History, error) {
	var (
		keys    = column(ids, keyOf)
		all     = make([]backend.History, 0, len(ids))
		tasks   = map[string][]backend.Task{}
		signals = map[string][]backend.Signal{}
		now     time.Time
	)
	p := &pipeline{q: db.q}
	p.batch.Queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	p.batch.Queue("SELECT now()").QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	p.add("read_executions", func(rows pgx.Rows) error {
		for rows.Next() {
			e, _, err := scanExecution(rows)
			if err != nil {
				return err
			}
			all = append(all, backend.History{Execution: e, Now: now.UTC()})
		}
		return nil
	}, keys)
	p.add("history_tasks", func(rows pgx.Rows) error {
		for rows.Next() {
			t, err := scanTask(rows)
			if err != nil {
				return err
			}
			tasks[t.ID.Execution] = append(tasks[t.ID.Execution], t)
		}
		return nil
	}, keys)
	p.add("history_signals", func(rows pgx.Rows) error {
		for rows.Next() {
			var execution string
			var s backend.Signal
			if err := rows.Scan(&execution, &s.Seq, &s.ID, &s.Name, &s.Payload, &s.Sent); err != nil {
				return err
			}
			s.Sent = s.Sent.UTC()
			signals[execution] = append(signals[execution], s)
		}
		return nil
	}, keys)
	if err := p.run(ctx, db); err != nil {
		return nil, err
	}
	for i := range all {
		id := all[i].Execution.ID
		all[i].Tasks, all[i].Signals = tasks[id], signals[id]
	}
	return all, nil
}

// Held lists the tasks that a worker holds according to the database.
func (db *DB) Held(ctx context.Context, worker string) ([]backend.Task, error) {
	var tasks []backend.Task
	err := db.snapshot(ctx, func(tx pgx.Tx) error {
		var (
			n     int32
			alive bool
		)
		err := tx.QueryRow(ctx, db.q.get("find_worker"), worker).Scan(&n, &alive)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		held, err := db.held(ctx, tx, []int32{n})
		for _, h := range held {
			tasks = append(tasks, backend.Task{ID: h.id, Kind: h.kind(), Step: h.step, Queue: h.queue, Token: h.token})
		}
		return err
	})
	if err != nil {
		return nil, db.wrap(err, "list what worker %s holds", worker)
	}
	return tasks, nil
}

// held is a task that a worker holds.
type held struct {
	key        key
	id         backend.TaskID
	step       string
	queue      string
	token      int64
	crashes    int
	cancelling bool // of an orchestrator
	worker     int32
	parent     *backend.TaskID
}

func (h *held) kind() backend.Kind {
	if h.id.IsRoot() {
		return backend.Orchestrator
	}
	return backend.Activity
}

// held lists what workers hold: orchestrators, then activities.
func (db *DB) held(ctx context.Context, tx pgx.Tx, workers []int32) ([]held, error) {
	rows, err := tx.Query(ctx, db.q.get("held_executions"), workers)
	if err != nil {
		return nil, err
	}
	roots, err := collect(rows, func(rows pgx.Rows) (h held, err error) {
		var parent pgtype.Text
		if err := rows.Scan(&h.key, &h.id.Execution, &h.step, &h.queue, &h.token, &h.crashes, &h.cancelling, &h.worker, &parent); err != nil {
			return h, err
		}
		h.parent, err = taskID(parent)
		return h, err
	})
	if err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, db.q.get("held_tasks"), workers)
	if err != nil {
		return nil, err
	}
	activities, err := collect(rows, func(rows pgx.Rows) (h held, err error) {
		err = rows.Scan(&h.key, &h.id.Execution, &h.id.Seq, &h.step, &h.queue, &h.token, &h.crashes, &h.worker)
		return h, err
	})
	return append(roots, activities...), err
}
