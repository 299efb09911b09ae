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
	p.add("settings", prepared(&now))
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
	p.readSignals(keys, signals)
	p.batch.Queue("COMMIT")
	if err := p.run(ctx, db); err != nil {
		return nil, err
	}
	for i := range all {
		id := all[i].Execution.ID
		all[i].Tasks, all[i].Signals = tasks[id], signals[id]
	}
	return all, nil
}

// readSignals appends the reading of what executions have not consumed.
func (p *pipeline) readSignals(keys []key, signals map[string][]backend.Signal) {
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
}

// News reads what others may have written of executions, in their order.
func (db *DB) News(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	all, err := db.news(ctx, of)
	if err != nil {
		return nil, db.wrap(ended(ctx, err), "read news of %d executions", len(of))
	}
	return all, nil
}

func (db *DB) news(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	var (
		keys    = column(of, func(k backend.Known) key { return keyOf(k.Execution) })
		all     = make([]backend.History, 0, len(of))
		signals = map[string][]backend.Signal{}
	)
	p := &pipeline{q: db.q}
	p.add("settings", nil)
	p.add("news", func(rows pgx.Rows) error {
		for last := int64(0); rows.Next(); {
			n, e, t, err := scanNews(rows)
			if err != nil {
				return err
			}
			if n != last {
				e.ID, last = of[n-1].Execution, n
				all = append(all, backend.History{Execution: e})
			}
			if h := &all[len(all)-1]; t.ID.Seq > 0 {
				t.ID.Execution = h.Execution.ID
				h.Tasks = append(h.Tasks, t)
			}
		}
		return nil
	}, keys, column(of, func(k backend.Known) int32 { return number(k.Seq) }))
	p.readSignals(keys, signals)
	if err := p.run(ctx, db); err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Signals = signals[all[i].Execution.ID]
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
