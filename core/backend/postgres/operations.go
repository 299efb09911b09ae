package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// PauseQueue lets nothing be claimed from a queue.
func (db *DB) PauseQueue(ctx context.Context, queue, actor string) error {
	return db.switchQueue(ctx, "pause_queue", queue, actor)
}

// ResumeQueue lets tasks be claimed from a queue again.
func (db *DB) ResumeQueue(ctx context.Context, queue, actor string) error {
	return db.switchQueue(ctx, "resume_queue", queue, actor)
}

func (db *DB) switchQueue(ctx context.Context, action, queue, actor string) error {
	if _, err := db.pool.Exec(ctx, db.q.get(action), queue, clean(actor)); err != nil {
		return db.wrap(ended(ctx, err), "%s %q", action, queue)
	}
	db.notes.add(news{free: true}) // everybody who serves it has to know
	return nil
}

// Note adds an entry to the audit.
func (db *DB) Note(ctx context.Context, e backend.AuditEntry) error {
	_, err := db.pool.Exec(ctx, db.q.get("note"), clean(e.Actor), e.Action, e.Task.Execution, number(e.Task.Seq), clean(e.Subject), clean(e.Detail))
	return db.wrap(ended(ctx, err), "note %s in the audit", e.Action)
}

// PausedQueues lists the queues that are paused.
func (db *DB) PausedQueues(ctx context.Context) ([]backend.PausedQueue, error) {
	rows, err := db.pool.Query(ctx, db.q.get("paused_queues"))
	var all []backend.PausedQueue
	if err == nil {
		all, err = collect(rows, func(rows pgx.Rows) (q backend.PausedQueue, err error) {
			var when pgtype.Timestamptz
			err = rows.Scan(&q.Name, &when, &q.Actor)
			q.At = at(when)
			return q, err
		})
	}
	return all, db.wrap(ended(ctx, err), "list paused queues")
}

// Audit lists what people did.
func (db *DB) Audit(ctx context.Context, f backend.AuditFilter) ([]backend.AuditEntry, error) {
	execution, seq := f.Execution, pgtype.Int4{}
	if f.Task != (backend.TaskID{}) {
		execution, seq = f.Task.Execution, pgtype.Int4{Int32: number(f.Task.Seq), Valid: true}
	}
	rows, err := db.pool.Query(ctx, db.q.get("list_audit"), pgtype.Int8{Int64: f.Before, Valid: f.Before != 0}, text(f.Actor), text(f.Action),
		text(execution), seq, text(f.Subject), moment(f.Since), limit(f.Limit, 100))
	var all []backend.AuditEntry
	if err == nil {
		all, err = collect(rows, func(rows pgx.Rows) (e backend.AuditEntry, err error) {
			err = rows.Scan(&e.N, &e.At, &e.Actor, &e.Action, &e.Task.Execution, &e.Task.Seq, &e.Subject, &e.Detail)
			e.At = e.At.UTC()
			return e, err
		})
	}
	return all, db.wrap(ended(ctx, err), "list the audit")
}
