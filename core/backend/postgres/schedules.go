package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// Schedules lists schedules.
func (db *DB) Schedules(ctx context.Context, f backend.ScheduleFilter) (backend.ScheduleList, error) {
	list, err := db.listSchedules(ctx, f)
	if err != nil {
		return backend.ScheduleList{}, db.wrap(ended(ctx, err), "list schedules")
	}
	return list, nil
}

func (db *DB) listSchedules(ctx context.Context, f backend.ScheduleFilter) (list backend.ScheduleList, err error) {
	var (
		next pgtype.Timestamptz
		due  bool
	)
	if err := db.pool.QueryRow(ctx, db.q.get("next_tick")).Scan(&list.Now, &next, &due); err != nil {
		return list, err
	}
	now := list.Now
	list.Now = now.UTC()
	if list.Next = -1; next.Valid {
		list.Next = next.Time.Sub(now)
	}
	if f.Due && !due { // which is nearly always so when a worker looks
		return list, nil
	}
	rows, err := db.pool.Query(ctx, db.q.get("schedules"), text(f.Name), f.Due, now)
	if err != nil {
		return list, err
	}
	list.Schedules, err = collect(rows, scanSchedule)
	return list, err
}

func scanSchedule(rows pgx.Rows) (s backend.Schedule, err error) {
	var (
		next, paused, last, created, changed pgtype.Timestamptz
		metadata                             pgtype.Text
		lasts                                int64
	)
	b := &s.Start
	err = rows.Scan(&s.Name, &s.Rule, &next, &paused, &s.PausedBy, &last, &s.LastExecution, &s.Skipped, &s.Revision, &created, &changed,
		&b.Workflow, &b.Queue, &b.Priority, &b.Tags, &b.Policy, &b.Input, &b.InputHash, &lasts, &metadata, &s.Running)
	if err != nil {
		return s, err
	}
	s.Next, s.PausedAt, s.LastTick, s.Created, s.Changed = at(next), at(paused), at(last), at(created), at(changed)
	b.MaxDuration = time.Duration(lasts) * time.Microsecond
	if len(b.Tags) == 0 {
		b.Tags = nil
	}
	return s, decodeDict(metadata, &b.Metadata)
}

// PutSchedule writes a schedule, if nobody else did.
func (db *DB) PutSchedule(ctx context.Context, s backend.Schedule, e backend.AuditEntry) (bool, error) {
	b := &s.Start
	tag, err := db.pool.Exec(ctx, db.q.get("put_schedule"), s.Name, string(s.Rule), moment(s.Next), moment(s.PausedAt), clean(s.PausedBy),
		moment(s.LastTick), s.LastExecution, lastKey(s.LastExecution), s.Skipped, s.Revision,
		b.Workflow, b.Queue, b.Priority, orEmpty(b.Tags), b.Policy, b.Input, b.InputHash, delay(b.MaxDuration), dict(b.Metadata),
		clean(e.Actor), e.Action, clean(e.Subject), clean(e.Detail))
	if err != nil {
		return false, db.wrap(ended(ctx, err), "put schedule %q", s.Name)
	}
	db.notes.add(news{free: true}) // any worker may be the one that makes it tick
	return tag.RowsAffected() > 0, nil
}

// lastKey is the key of an execution; NULL where there is none.
func lastKey(id string) key {
	if id == "" {
		return key{}
	}
	return keyOf(id)
}

// DeleteSchedule deletes a schedule.
func (db *DB) DeleteSchedule(ctx context.Context, name string, e backend.AuditEntry) error {
	tag, err := db.pool.Exec(ctx, db.q.get("delete_schedule"), name, clean(e.Actor), e.Action, clean(e.Subject), clean(e.Detail))
	if err == nil && tag.RowsAffected() == 0 {
		err = backend.ErrNotFound
	}
	return db.wrap(ended(ctx, err), "delete schedule %q", name)
}

// Tick begins what a schedule's ticks begin, if nobody else did. The row of the schedule is locked first, so that of all
// workers one goes on.
func (db *DB) Tick(ctx context.Context, k *backend.Tick) (bool, error) {
	ticked := false
	err := db.transact(ctx, func(tx pgx.Tx) error {
		ticked = false
		err := tx.QueryRow(ctx, db.q.get("tick"), k.Schedule, k.Revision, moment(k.Next), moment(k.LastTick), k.LastExecution,
			lastKey(k.LastExecution), k.Skipped).Scan(&k.Now)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ticked = true
		for _, s := range k.Starts {
			s.Existed, s.Err = false, nil
			if _, err := db.insert(ctx, tx, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, db.wrap(err, "tick of schedule %q", k.Schedule)
	}
	if k.Now = k.Now.UTC(); ticked {
		var told news
		for _, s := range k.Starts {
			told.due(s.Queue)
		}
		db.notes.add(told)
	}
	return ticked, nil
}
