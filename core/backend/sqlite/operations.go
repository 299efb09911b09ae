package sqlite

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// PauseQueue lets nothing be claimed from a queue.
func (db *DB) PauseQueue(ctx context.Context, queue, actor string) error {
	return db.switchQueue(ctx, queue, actor, backend.ActionPauseQueue, func(t *tx) (int64, error) {
		return t.exec(t.q.pauseQueue, queue, t.now, actor)
	})
}

// ResumeQueue lets tasks be claimed from a queue again.
func (db *DB) ResumeQueue(ctx context.Context, queue, actor string) error {
	return db.switchQueue(ctx, queue, actor, backend.ActionResumeQueue, func(t *tx) (int64, error) {
		return t.exec(t.q.resumeQueue, queue)
	})
}

func (db *DB) switchQueue(ctx context.Context, queue, actor, action string, change func(t *tx) (int64, error)) error {
	err := db.write(ctx, func(t *tx) error {
		rows, err := change(t)
		if err != nil || rows == 0 {
			return err
		}
		return t.noteSubject(actor, action, queue, "")
	})
	if err == nil {
		db.wrote("")
	}
	return db.wrap(err, "%s %q", action, queue)
}

// noteSubject notes what somebody did to something that is no task.
func (t *tx) noteSubject(actor, action, subject, detail string) error {
	_, err := t.exec(t.q.audit, t.now, actor, action, "", 0, subject, detail, 0)
	return err
}

// Note adds an entry to the audit.
func (db *DB) Note(ctx context.Context, e backend.AuditEntry) error {
	err := db.write(ctx, func(t *tx) error {
		_, err := t.exec(t.q.audit, t.now, e.Actor, e.Action, e.Task.Execution, e.Task.Seq, e.Subject, e.Detail, 0)
		return err
	})
	return db.wrap(err, "note %s in the audit", e.Action)
}

// PausedQueues lists the queues that are paused.
func (db *DB) PausedQueues(ctx context.Context) (all []backend.PausedQueue, err error) {
	err = db.read(ctx, func(c *conn) error {
		return c.each(ctx, db.q.pausedQueues, func(r *row) error {
			all = append(all, backend.PausedQueue{Name: r.text(), At: r.time(), Actor: r.text()})
			return nil
		})
	})
	return all, db.wrap(err, "list paused queues")
}

// Audit lists what people did.
func (db *DB) Audit(ctx context.Context, f backend.AuditFilter) (all []backend.AuditEntry, err error) {
	execution, seq := f.Execution, -1
	if f.Task != (backend.TaskID{}) {
		execution, seq = f.Task.Execution, f.Task.Seq
	}
	err = db.read(ctx, func(c *conn) error {
		return c.each(ctx, db.q.listAudit, func(r *row) error {
			e := backend.AuditEntry{N: r.int(), At: r.time(), Actor: r.text(), Action: r.text()}
			e.Task = backend.TaskID{Execution: r.text(), Seq: int(r.int())}
			e.Subject, e.Detail = r.text(), r.text()
			all = append(all, e)
			return nil
		}, f.Before, f.Actor, f.Action, execution, seq, f.Subject, since(f.Since), limit(f.Limit, 100))
	})
	return all, db.wrap(err, "list the audit")
}

// since is the beginning of a span of time; the zero time is before everything.
func since(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
