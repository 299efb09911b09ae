package memory

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// result is what is kept under a key; worker is set while the task runs.
type result struct {
	worker  string
	task    backend.TaskID
	token   int64
	data    []byte
	expires time.Time
}

func (r *result) is(x *backend.Reservation) bool {
	return r != nil && r.worker == x.Worker && r.task == x.Task && r.token == x.Token
}

// ReserveResult finds out what is to be done with a key.
func (db *DB) ReserveResult(ctx context.Context, r backend.Reservation) (res backend.Reserved, err error) {
	err = db.do(ctx, func(t *tx) error {
		k := t.results[r.Key]
		switch {
		case k != nil && k.worker == "" && (k.expires.IsZero() || k.expires.After(t.now)):
			res = backend.Reserved{Kept: true, Result: bytes.Clone(k.data), Of: k.task}
			if k.task != r.Task {
				t.used[r.Task] = k.task
			}
		case k != nil && k.worker != "" && k.worker != r.Worker && t.registered(k.worker):
			res = backend.Reserved{Busy: true, Of: k.task}
		default:
			t.results[r.Key] = &result{worker: r.Worker, task: r.Task, token: r.Token}
			delete(t.used, r.Task)
		}
		return nil
	}, "reserve the result of %v", r.Task)
	return res, err
}

func (s *store) registered(id string) bool {
	return slices.ContainsFunc(s.workers, func(w *worker) bool { return w.ID == id && w.ended.IsZero() })
}

// KeepResult ends a reservation with a result.
func (db *DB) KeepResult(ctx context.Context, r backend.Reservation, data []byte, ttl time.Duration) (kept bool, err error) {
	err = db.do(ctx, func(t *tx) error {
		k := t.results[r.Key]
		if kept = k.is(&r); kept {
			k.worker, k.data = "", bytes.Clone(data)
			if ttl > 0 {
				k.expires = t.in(ttl)
			}
		}
		return nil
	}, "keep the result of %v", r.Task)
	return kept, err
}

// FreeResult ends a reservation without a result.
func (db *DB) FreeResult(ctx context.Context, r backend.Reservation) error {
	return db.do(ctx, func(t *tx) error {
		if t.results[r.Key].is(&r) {
			delete(t.results, r.Key)
		}
		return nil
	}, "free the result of %v", r.Task)
}

// ForgetResults deletes results that have expired.
func (db *DB) ForgetResults(ctx context.Context, most int) (n int, err error) {
	err = db.do(ctx, func(t *tx) error {
		for key, k := range t.results {
			if n < most && k.worker == "" && !k.expires.IsZero() && !k.expires.After(t.now) {
				delete(t.results, key)
				n++
			}
		}
		return nil
	}, "forget expired results")
	return n, err
}

// ResultsOf tells which activities of an execution got another task's result.
func (db *DB) ResultsOf(ctx context.Context, execution string) (of map[int]backend.TaskID, err error) {
	of = map[int]backend.TaskID{}
	err = db.do(ctx, func(t *tx) error {
		for task, other := range t.used {
			if task.Execution == execution {
				of[task.Seq] = other
			}
		}
		return nil
	}, "read whose results %s got", execution)
	return of, err
}
