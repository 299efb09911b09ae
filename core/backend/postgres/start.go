package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// startArgs are the parameters of start.sql.
func startArgs(starts []*backend.Start, worker int32) []any {
	return []any{
		column(starts, func(s *backend.Start) key { return keyOf(s.ID) }),
		column(starts, func(s *backend.Start) pgtype.Text { return aliasOf(s.ID) }),
		column(starts, func(s *backend.Start) string { return s.Workflow }),
		column(starts, func(s *backend.Start) string { return s.Queue }),
		column(starts, func(s *backend.Start) int32 { return rankOf(s.Priority) }),
		column(starts, func(s *backend.Start) string { return array(s.Tags) }),
		column(starts, func(s *backend.Start) []byte { return s.Policy }),
		column(starts, func(s *backend.Start) []byte { return s.Input }),
		column(starts, func(s *backend.Start) int64 { return s.InputHash }),
		column(starts, func(s *backend.Start) int64 { return delay(s.Delay) }),
		column(starts, func(s *backend.Start) pgtype.Timestamptz { return moment(s.At) }),
		column(starts, func(s *backend.Start) int64 { return delay(s.MaxDuration) }),
		column(starts, func(s *backend.Start) pgtype.Text { return dict(s.Metadata) }),
		column(starts, func(s *backend.Start) pgtype.Text { return dict(s.Carrier) }),
		column(starts, func(s *backend.Start) bool { return s.Claim }),
		worker,
	}
}

func (w *work) start(p *pipeline) {
	if len(w.starts) == 0 {
		return
	}
	starts := make([]*backend.Start, 0, len(w.starts))
	seen := make(map[string]bool, len(w.starts))
	for _, s := range w.starts {
		if !seen[s.ID] {
			starts = append(starts, s)
			seen[s.ID] = true
		}
	}
	p.add("start", func(rows pgx.Rows) error { return w.readStarts(rows, starts) }, startArgs(starts, w.worker)...)
}

// readStarts reads which of some starts have begun an execution, and which of these were claimed with that.
func (w *work) readStarts(rows pgx.Rows, starts []*backend.Start) error {
	var (
		k       key
		started pgtype.Timestamptz
		journal pgtype.Int8
		held    []key
	)
	for rows.Next() {
		if err := rows.Scan(&k, &started, &journal); err != nil {
			return err
		}
		if w.begun[k] = started; started.Valid {
			held = append(held, k)
		}
	}
	if len(held) > 0 {
		w.claimed = append(w.claimed, claimed{journal.Int64, held})
	}
	if len(held) < len(w.begun) {
		for _, s := range starts {
			if started, ok := w.begun[keyOf(s.ID)]; ok && !started.Valid {
				w.news.started(s)
			}
		}
	}
	return rows.Err()
}

// settleStarts finds out what the executions are that were there already. It is done after the commit, since one that
// another transaction had just begun is not seen by the statement that ran into it.
func (db *DB) settleStarts(ctx context.Context, w *work) error {
	var met []*backend.Start
	for _, s := range w.starts {
		k := keyOf(s.ID)
		if started, ok := w.begun[k]; ok {
			s.Claimed = at(started)
			delete(w.begun, k) // a second start with the same id in this batch has met the first
		} else {
			met = append(met, s)
		}
	}
	return db.meet(ctx, db.pool, met)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// meet says of starts that ran into an execution with their id what became of them.
func (db *DB) meet(ctx context.Context, in querier, met []*backend.Start) error {
	if len(met) == 0 {
		return nil
	}
	rows, err := in.Query(ctx, db.q.get("start_existing"), column(met, func(s *backend.Start) key { return keyOf(s.ID) }))
	if err != nil {
		return err
	}
	type existing struct {
		workflow string
		hash     int64
	}
	there := map[key]existing{}
	var (
		k key
		x existing
	)
	_, err = pgx.ForEachRow(rows, []any{&k, &x.workflow, &x.hash}, func() error {
		there[k] = x
		return nil
	})
	for _, s := range met {
		s.Existed, s.Err = there[keyOf(s.ID)] == existing{s.Workflow, s.InputHash}, nil
		if !s.Existed {
			s.Err = backend.ErrAlreadyExists
		}
	}
	return err
}

// StartTx begins an execution in a transaction of the caller's own, a [pgx.Tx]: it begins when the transaction commits,
// and never was if the transaction is rolled back. The transaction must be one of the same database; it need not come
// from the same pool. An execution with the same id that differs in workflow or input is s.Err, as in a Commit, and
// harms the transaction not.
func (db *DB) StartTx(ctx context.Context, tx any, s *backend.Start) error {
	own, ok := tx.(pgx.Tx)
	if !ok {
		return fmt.Errorf("postgres: start execution %s: a transaction of type %T; want a pgx.Tx", s.ID, tx)
	}
	if db.closed() {
		return db.wrap(errClosed, "start execution %s", s.ID)
	}
	s.Existed, s.Err = false, nil
	// In a savepoint, so that the transaction is as usable after an error as before.
	err := pgx.BeginFunc(ctx, own, func(tx pgx.Tx) error { return db.startTx(ctx, tx, s) })
	if err != nil {
		return db.wrap(ended(ctx, err), "start execution %s", s.ID)
	}
	return nil
}

func (db *DB) startTx(ctx context.Context, tx pgx.Tx, s *backend.Start) error {
	begun, err := db.insert(ctx, tx, s)
	if err != nil || !begun || !db.opts.notify {
		return err
	}
	// It is not seen here when the transaction commits, so the notification goes with it.
	what := news{queues: map[string]bool{s.Queue: true}}
	_, err = tx.Exec(ctx, "SELECT pg_notify($1, $2)", db.channel(), what.encode(""))
	return err
}

// insert begins an execution in a transaction, or says what became of it where it was there, and tells whether it began.
func (db *DB) insert(ctx context.Context, tx pgx.Tx, s *backend.Start) (bool, error) {
	tag, err := tx.Exec(ctx, db.q.get("start_tx"), keyOf(s.ID), aliasOf(s.ID), s.Workflow, s.Queue, rankOf(s.Priority), array(s.Tags), s.Policy,
		s.Input, s.InputHash, delay(s.Delay), moment(s.At), delay(s.MaxDuration), dict(s.Metadata), dict(s.Carrier))
	if err != nil {
		return false, fmt.Errorf("sql/start_tx.sql: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, db.meet(ctx, tx, []*backend.Start{s})
	}
	return true, nil
}
