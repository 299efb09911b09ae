package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

// ReserveResult finds out what is to be done with a key.
func (db *DB) ReserveResult(ctx context.Context, r backend.Reservation) (res backend.Reserved, err error) {
	err = db.transact(ctx, func(tx pgx.Tx) error {
		res = backend.Reserved{}
		tag, err := tx.Exec(ctx, db.q.get("reserve_result"), r.Key, r.Worker, r.Task.String(), r.Token)
		if err != nil {
			return err
		}
		if tag.RowsAffected() > 0 {
			_, err = tx.Exec(ctx, db.q.get("unuse_result"), r.Task.Execution, number(r.Task.Seq))
			return err
		}
		var of string
		if err := tx.QueryRow(ctx, db.q.get("find_result"), r.Key).Scan(&res.Busy, &of, &res.Result); err != nil {
			return err
		}
		if res.Of, err = backend.ParseTaskID(of); err != nil || res.Busy {
			return err
		}
		res.Kept = true
		if res.Of == r.Task {
			return nil // its own, whose completion was lost
		}
		_, err = tx.Exec(ctx, db.q.get("use_result"), r.Task.Execution, number(r.Task.Seq), of)
		return err
	})
	return res, db.wrap(err, "reserve the result of %v", r.Task)
}

// KeepResult ends a reservation with a result.
func (db *DB) KeepResult(ctx context.Context, r backend.Reservation, result []byte, ttl time.Duration) (bool, error) {
	tag, err := db.pool.Exec(ctx, db.q.get("keep_result"), r.Key, r.Worker, r.Task.String(), r.Token, result, delay(ttl))
	return err == nil && tag.RowsAffected() > 0, db.wrap(ended(ctx, err), "keep the result of %v", r.Task)
}

// FreeResult ends a reservation without a result.
func (db *DB) FreeResult(ctx context.Context, r backend.Reservation) error {
	_, err := db.pool.Exec(ctx, db.q.get("free_result"), r.Key, r.Worker, r.Task.String(), r.Token)
	return db.wrap(ended(ctx, err), "free the result of %v", r.Task)
}

// ForgetResults deletes results that have expired.
func (db *DB) ForgetResults(ctx context.Context, most int) (int, error) {
	tag, err := db.pool.Exec(ctx, db.q.get("forget_results"), most)
	return int(tag.RowsAffected()), db.wrap(ended(ctx, err), "forget expired results")
}

// ResultsOf tells which activities of an execution got another task's result.
func (db *DB) ResultsOf(ctx context.Context, execution string) (map[int]backend.TaskID, error) {
	of := map[int]backend.TaskID{}
	rows, err := db.pool.Query(ctx, db.q.get("results_of"), execution)
	if err == nil {
		var (
			seq  int
			task string
		)
		_, err = pgx.ForEachRow(rows, []any{&seq, &task}, func() (err error) {
			of[seq], err = backend.ParseTaskID(task)
			return err
		})
	}
	return of, db.wrap(ended(ctx, err), "read whose results %s got", execution)
}
