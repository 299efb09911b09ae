package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// dueAtOnce is how many schedules are listed that are due.
const dueAtOnce = 100

// Schedules lists schedules.
func (db *DB) Schedules(ctx context.Context, f backend.ScheduleFilter) (list backend.ScheduleList, err error) {
	err = db.do(ctx, func(t *tx) error {
		list = backend.ScheduleList{Now: t.now, Next: -1}
		for _, s := range t.schedules {
			if !s.Next.IsZero() && s.Next.After(t.now) && (list.Next < 0 || s.Next.Sub(t.now) < list.Next) {
				list.Next = s.Next.Sub(t.now)
			}
			if due := !s.Next.IsZero() && !s.Next.After(t.now); (f.Name == "" || f.Name == s.Name) && (due || !f.Due) {
				e := t.find(s.LastExecution)
				s.Running = e != nil && !e.State.Final()
				list.Schedules = append(list.Schedules, detached(s))
			}
		}
		slices.SortFunc(list.Schedules, func(a, b backend.Schedule) int {
			if c := a.Next.Compare(b.Next); f.Due && c != 0 {
				return c
			}
			return cmp.Compare(a.Name, b.Name)
		})
		if f.Due && len(list.Schedules) > dueAtOnce {
			list.Schedules = list.Schedules[:dueAtOnce]
		}
		return nil
	}, "list schedules")
	return list, err
}

// detached is a copy that shares nothing with what is kept.
func detached(s backend.Schedule) backend.Schedule {
	s.Rule = bytes.Clone(s.Rule)
	s.Start.Tags, s.Start.Metadata = slices.Clone(s.Start.Tags), maps.Clone(s.Start.Metadata)
	s.Start.Policy, s.Start.Input = payload(s.Start.Policy), payload(s.Start.Input)
	return s
}

// PutSchedule writes a schedule, if nobody else did.
func (db *DB) PutSchedule(ctx context.Context, s backend.Schedule, e backend.AuditEntry) (written bool, err error) {
	err = db.do(ctx, func(t *tx) error {
		before := t.schedules[s.Name]
		if written = before.Revision == s.Revision; !written {
			return nil
		}
		s.Revision, s.Running, s.Created, s.Changed = s.Revision+1, false, before.Created, t.now
		if s.Created.IsZero() {
			s.Created = t.now
		}
		s.Start = backend.Start{
			Workflow: s.Start.Workflow, Queue: s.Start.Queue, Priority: s.Start.Priority, Tags: s.Start.Tags, Policy: s.Start.Policy,
			Input: s.Start.Input, InputHash: s.Start.InputHash, MaxDuration: s.Start.MaxDuration, Metadata: s.Start.Metadata,
		}
		t.schedules[s.Name] = detached(s)
		t.note(e)
		t.wrote("")
		return nil
	}, "put schedule %q", s.Name)
	return written, err
}

// DeleteSchedule deletes a schedule.
func (db *DB) DeleteSchedule(ctx context.Context, name string, e backend.AuditEntry) error {
	return db.do(ctx, func(t *tx) error {
		if _, ok := t.schedules[name]; !ok {
			return backend.ErrNotFound
		}
		delete(t.schedules, name)
		t.note(e)
		return nil
	}, "delete schedule %q", name)
}

// Tick begins what a schedule's ticks begin, if nobody else did.
func (db *DB) Tick(ctx context.Context, k *backend.Tick) (ticked bool, err error) {
	err = db.do(ctx, func(t *tx) error {
		k.Now = t.now
		s, ok := t.schedules[k.Schedule]
		if ticked = ok && s.Revision == k.Revision; !ticked {
			return nil
		}
		s.Revision, s.Next, s.Skipped = s.Revision+1, k.Next, s.Skipped+k.Skipped
		if !k.LastTick.IsZero() {
			s.LastTick, s.LastExecution = k.LastTick, k.LastExecution
		}
		t.schedules[k.Schedule] = s
		for _, c := range k.Starts {
			t.start(c)
		}
		t.wrote("")
		return nil
	}, "tick of schedule %q", k.Schedule)
	return ticked, err
}

// nextTick is how long it is until a schedule ticks; negative if none does.
func (t *tx) nextTick() time.Duration {
	next := time.Duration(-1)
	for _, s := range t.schedules {
		if d := max(s.Next.Sub(t.now), 0); !s.Next.IsZero() && (next < 0 || d < next) {
			next = d
		}
	}
	return next
}
