package sqlite

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Schedules lists schedules.
func (db *DB) Schedules(ctx context.Context, f backend.ScheduleFilter) (backend.ScheduleList, error) {
	list := backend.ScheduleList{Now: db.now(), Next: -1}
	now := list.Now.UnixMicro()
	err := db.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, db.q.nextTick, func(r *row) {
			if at, ok := r.next().(int64); ok {
				list.Next = micros(at - now)
			}
		}, now)
		if err != nil {
			return err
		}
		return c.each(ctx, db.q.schedules, func(r *row) error {
			list.Schedules = append(list.Schedules, r.schedule())
			return nil
		}, f.Name, f.Due, now)
	})
	if err != nil {
		return backend.ScheduleList{}, db.wrap(err, "list schedules")
	}
	return list, nil
}

// schedule reads a row of schedules.sql.
func (r *row) schedule() backend.Schedule {
	s := backend.Schedule{
		Name: r.text(), Rule: r.bytes(), Next: r.time(), PausedAt: r.time(), PausedBy: r.text(), LastTick: r.time(), LastExecution: r.text(),
		Skipped: r.int(), Revision: r.int(), Created: r.time(), Changed: r.time(),
	}
	s.Start = backend.Start{
		Workflow: r.text(), Queue: r.text(), Priority: int(r.int()), Tags: r.list(), Policy: r.bytes(), Input: r.bytes(), InputHash: r.int(),
		MaxDuration: micros(r.int()), Metadata: r.dict(),
	}
	s.Running = r.bool()
	return s
}

// PutSchedule writes a schedule, if nobody else did.
func (db *DB) PutSchedule(ctx context.Context, s backend.Schedule, e backend.AuditEntry) (written bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		b := &s.Start
		rows, err := t.exec(t.q.putSchedule, s.Name, string(s.Rule), instant(s.Next), instant(s.PausedAt), s.PausedBy, instant(s.LastTick),
			s.LastExecution, s.Skipped, s.Revision, t.now, b.Workflow, b.Queue, b.Priority, list(b.Tags), b.Policy, b.Input, b.InputHash,
			b.MaxDuration.Microseconds(), dict(b.Metadata))
		if written = rows > 0; err != nil || !written {
			return err
		}
		return t.noteSubject(e.Actor, e.Action, e.Subject, e.Detail)
	})
	if err != nil {
		return false, db.wrap(err, "put schedule %q", s.Name)
	}
	db.wrote("")
	return written, nil
}

// instant is a time as it is stored; the zero time is NULL.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// DeleteSchedule deletes a schedule.
func (db *DB) DeleteSchedule(ctx context.Context, name string, e backend.AuditEntry) error {
	err := db.write(ctx, func(t *tx) error {
		rows, err := t.exec(t.q.deleteSchedule, name)
		if err != nil {
			return err
		}
		if rows == 0 {
			return backend.ErrNotFound
		}
		return t.noteSubject(e.Actor, e.Action, e.Subject, e.Detail)
	})
	return db.wrap(err, "delete schedule %q", name)
}

// Tick begins what a schedule's ticks begin, if nobody else did.
func (db *DB) Tick(ctx context.Context, k *backend.Tick) (ticked bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		k.Now = t.time
		rows, err := t.exec(t.q.tick, k.Schedule, k.Revision, instant(k.Next), instant(k.LastTick), k.LastExecution, k.Skipped)
		if ticked = rows > 0; err != nil || !ticked {
			return err
		}
		for _, s := range k.Starts {
			if err := t.start(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, db.wrap(err, "tick of schedule %q", k.Schedule)
	}
	if ticked {
		db.wrote("")
	}
	return ticked, nil
}
