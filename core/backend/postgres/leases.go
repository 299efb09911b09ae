package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// Register adds a worker, once connections are ready for what it will do.
func (db *DB) Register(ctx context.Context, w backend.Worker, lease time.Duration) (time.Time, error) {
	var (
		n   int32
		now time.Time
	)
	db.warm(ctx)
	err := db.pool.QueryRow(ctx, db.q.get("register"), w.ID, clean(w.Host), w.PID, orEmpty(w.Queues), orEmpty(w.Tags), orEmpty(w.Steps),
		w.Slots, w.Used, string(w.State), clean(w.Version), delay(lease), w.Limits).Scan(&n, &now)
	if sqlState(err) == stateUnique {
		err = errors.New("a worker with this id was registered before; an id is never used twice")
	}
	if err != nil {
		return time.Time{}, db.wrap(ended(ctx, err), "register worker %s", w.ID)
	}
	db.workers.Store(w.ID, n)
	return now.UTC(), nil
}

// Renew extends a worker's lease.
func (db *DB) Renew(ctx context.Context, worker string, state backend.WorkerState, used int, lease time.Duration) (backend.Renewal, error) {
	var (
		next, expiry, tick pgtype.Timestamptz
		n                  int32
		recalls            bool
	)
	r := backend.Renewal{Next: -1, Expiry: -1, Tick: -1}
	err := db.pool.QueryRow(ctx, db.q.get("renew"), worker, string(state), used, delay(lease)).Scan(&r.Now, &r.Until, &next,
		&n, &recalls, &expiry, &tick)
	if errors.Is(err, pgx.ErrNoRows) {
		db.forget(worker)
		err = backend.ErrLeaseLost
	}
	if err == nil && recalls {
		r.Recalled, err = db.recalled(ctx, n)
	}
	if err != nil {
		return backend.Renewal{}, db.wrap(ended(ctx, err), "renew the lease of worker %s", worker)
	}
	_, _ = db.pool.Exec(ctx, db.q.get("fold"), db.class) // who renews keeps house; another time will do
	r.Now, r.Until = r.Now.UTC(), r.Until.UTC()
	if next.Valid {
		r.Next = max(next.Time.Sub(r.Now), 0)
	}
	if expiry.Valid {
		r.Expiry = max(expiry.Time.Sub(r.Now), 0)
	}
	if tick.Valid {
		r.Tick = max(tick.Time.Sub(r.Now), 0)
	}
	return r, nil
}

// Retire ends a worker by its own wish. It is no error if the worker has ended before.
func (db *DB) Retire(ctx context.Context, worker string) error {
	var told news
	err := db.transact(ctx, func(tx pgx.Tx) error {
		told = news{}
		var (
			n     int32
			alive bool
		)
		err := tx.QueryRow(ctx, db.q.get("find_worker"), worker).Scan(&n, &alive)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !alive {
			return nil
		}
		if err != nil {
			return err
		}
		t := taker{db: db, tx: tx, news: &told}
		return t.end(ctx, []int32{n}, backend.WorkerStopped)
	})
	if err != nil {
		return db.wrap(err, "retire worker %s", worker)
	}
	db.forget(worker)
	db.notes.add(told)
	return nil
}

// forget is for a worker that has ended.
func (db *DB) forget(worker string) {
	if n, ok := db.workers.LoadAndDelete(worker); ok {
		db.holdings.forget(n.(int32))
	}
}
