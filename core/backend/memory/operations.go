package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/stentgo/stent/core/backend"
)

// PauseQueue lets nothing be claimed from a queue.
func (db *DB) PauseQueue(ctx context.Context, queue, actor string) error {
	return db.do(ctx, func(t *tx) error {
		if !t.pausedNow(queue) {
			t.paused[queue] = backend.PausedQueue{Name: queue, At: t.now, Actor: actor}
			t.note(backend.AuditEntry{Actor: actor, Action: backend.ActionPauseQueue, Subject: queue})
			t.wrote("")
		}
		return nil
	}, "pause queue %q", queue)
}

// ResumeQueue lets tasks be claimed from a queue again.
func (db *DB) ResumeQueue(ctx context.Context, queue, actor string) error {
	return db.do(ctx, func(t *tx) error {
		if t.pausedNow(queue) {
			delete(t.paused, queue)
			t.note(backend.AuditEntry{Actor: actor, Action: backend.ActionResumeQueue, Subject: queue})
			t.wrote("")
		}
		return nil
	}, "resume queue %q", queue)
}

func (s *store) pausedNow(queue string) bool {
	_, ok := s.paused[queue]
	return ok
}

// PausedQueues lists the queues that are paused.
func (db *DB) PausedQueues(ctx context.Context) (all []backend.PausedQueue, err error) {
	err = db.do(ctx, func(t *tx) error {
		all = slices.SortedFunc(maps.Values(t.paused), func(a, b backend.PausedQueue) int { return cmp.Compare(a.Name, b.Name) })
		return nil
	}, "list paused queues")
	return all, err
}

// note adds to the audit.
func (t *tx) note(e backend.AuditEntry) {
	e.N, e.At = int64(len(t.audit))+1, t.now
	t.audit = append(t.audit, e)
}

// Note adds an entry to the audit.
func (db *DB) Note(ctx context.Context, e backend.AuditEntry) error {
	return db.do(ctx, func(t *tx) error {
		t.note(e)
		return nil
	}, "note %s in the audit", e.Action)
}

// Audit lists what people did.
func (db *DB) Audit(ctx context.Context, f backend.AuditFilter) (all []backend.AuditEntry, err error) {
	chosen := func(e backend.AuditEntry) bool {
		return (f.Before == 0 || e.N < f.Before) && (f.Actor == "" || f.Actor == e.Actor) && (f.Action == "" || f.Action == e.Action) &&
			(f.Execution == "" || f.Execution == e.Task.Execution) && (f.Task == backend.TaskID{} || f.Task == e.Task) &&
			(f.Subject == "" || f.Subject == e.Subject) && !e.At.Before(f.Since)
	}
	err = db.do(ctx, func(t *tx) error {
		for _, e := range slices.Backward(t.audit) {
			if chosen(e) && len(all) < limit(f.Limit, 100) {
				all = append(all, e)
			}
		}
		return nil
	}, "list the audit")
	return all, err
}
