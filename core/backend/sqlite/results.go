package sqlite

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// ReserveResult finds out what is to be done with a key.
func (db *DB) ReserveResult(ctx context.Context, r backend.Reservation) (res backend.Reserved, err error) {
	err = db.write(ctx, func(t *tx) error {
		res = backend.Reserved{}
		rows, err := t.exec(t.q.reserveResult, r.Key, r.Worker, r.Task.String(), r.Token, t.now)
		if err != nil {
			return err
		}
		if rows > 0 {
			_, err = t.exec(t.q.unuseResult, r.Task.Execution, r.Task.Seq)
			return err
		}
		var of string
		if _, err := t.one(t.ctx, t.q.findResult, func(row *row) { res.Busy, of, res.Result = row.bool(), row.text(), row.bytes() }, r.Key); err != nil {
			return err
		}
		if res.Of, err = backend.ParseTaskID(of); err != nil || res.Busy {
			return err
		}
		res.Kept = true
		if res.Of == r.Task {
			return nil // its own, whose completion was lost
		}
		_, err = t.exec(t.q.useResult, r.Task.Execution, r.Task.Seq, of)
		return err
	})
	return res, db.wrap(err, "reserve the result of %v", r.Task)
}

// KeepResult ends a reservation with a result.
func (db *DB) KeepResult(ctx context.Context, r backend.Reservation, result []byte, ttl time.Duration) (kept bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		var expires any
		if ttl > 0 {
			expires = t.in(ttl)
		}
		rows, err := t.exec(t.q.keepResult, r.Key, r.Worker, r.Task.String(), r.Token, result, expires)
		kept = rows > 0
		return err
	})
	return kept && err == nil, db.wrap(err, "keep the result of %v", r.Task)
}

// FreeResult ends a reservation without a result.
func (db *DB) FreeResult(ctx context.Context, r backend.Reservation) error {
	err := db.write(ctx, func(t *tx) error {
		_, err := t.exec(t.q.freeResult, r.Key, r.Worker, r.Task.String(), r.Token)
		return err
	})
	return db.wrap(err, "free the result of %v", r.Task)
}

// ForgetResults deletes results that have expired.
func (db *DB) ForgetResults(ctx context.Context, most int) (n int, err error) {
	err = db.write(ctx, func(t *tx) error {
		rows, err := t.exec(t.q.forgetResults, t.now, most)
		n = int(rows)
		return err
	})
	return n, db.wrap(err, "forget expired results")
}

// ResultsOf tells which activities of an execution got another task's result.
func (db *DB) ResultsOf(ctx context.Context, execution string) (map[int]backend.TaskID, error) {
	of := map[int]backend.TaskID{}
	err := db.read(ctx, func(c *conn) error {
		return c.each(ctx, db.q.resultsOf, func(r *row) (err error) {
			seq := int(r.int())
			of[seq], err = backend.ParseTaskID(r.text())
			return err
		}, execution)
	})
	return of, db.wrap(err, "read whose results %s got", execution)
}
