package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

var _ backend.TxStarter = (*DB)(nil)

// StartTx begins an execution in a transaction of the caller's own, a [*sql.Tx] on the same file, by any SQLite driver:
// it begins when the transaction commits, and never was if the transaction is rolled back. Workers find it when they
// next look whether another connection has written, which is soon.
//
// From then on the transaction holds the file's only write lock, so it should be short. One that has only read before
// may find the file changed meanwhile and say that it is busy; BEGIN IMMEDIATE (_txlock=immediate in modernc's DSN)
// avoids that.
func (db *DB) StartTx(ctx context.Context, tx any, s *backend.Start) error {
	own, ok := tx.(*sql.Tx)
	if !ok {
		return fmt.Errorf("sqlite: start execution %s: a transaction of type %T; want a *sql.Tx", s.ID, tx)
	}
	s.Existed, s.Err = false, nil
	return db.wrap(db.startTx(ctx, callersTx{own}, s), "start execution %s", s.ID)
}

func (db *DB) startTx(ctx context.Context, tx callersTx, s *backend.Start) error {
	now := db.now().UnixMicro()
	n, begun, err := tx.insert(ctx, db.q.start, startArgs(nil, s, now)...)
	if err != nil {
		return err
	}
	if begun == 0 {
		var (
			workflow string
			hash     int64
		)
		if err := tx.one(ctx, db.q.startExisting, []any{s.ID}, &workflow, &hash); err != nil {
			return err
		}
		if s.Existed = workflow == s.Workflow && hash == s.InputHash; !s.Existed {
			s.Err = backend.ErrAlreadyExists
		}
		return nil
	}
	if _, err := tx.exec(ctx, db.q.startInput, inputArgs(nil, n, s)...); err != nil {
		return err
	}
	_, err = tx.exec(ctx, db.q.tally, backend.Pending, 1)
	return err
}

// callersTx runs our queries in a transaction that is not ours.
type callersTx struct{ *sql.Tx }

// insert tells the number of the last row that was inserted, if any was, and how many were.
func (tx callersTx) insert(ctx context.Context, q *query, args ...any) (last, inserted int64, err error) {
	res, err := tx.exec(ctx, q, args...)
	if err != nil {
		return 0, 0, err
	}
	last, err = res.LastInsertId()
	if err != nil {
		return 0, 0, err
	}
	inserted, err = res.RowsAffected()
	return last, inserted, err
}

func (tx callersTx) exec(ctx context.Context, q *query, args ...any) (sql.Result, error) {
	values, err := q.values(args)
	if err != nil {
		return nil, err
	}
	res, err := tx.ExecContext(ctx, q.text, values...)
	if err != nil {
		return nil, fmt.Errorf("sql/%s.sql: %w", q.name, err)
	}
	return res, nil
}

func (tx callersTx) one(ctx context.Context, q *query, args []any, into ...any) error {
	values, err := q.values(args)
	if err != nil {
		return err
	}
	if err := tx.QueryRowContext(ctx, q.text, values...).Scan(into...); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("sql/%s.sql: %w", q.name, err)
	}
	return nil
}

// values puts the arguments in the order of the question marks.
func (q *query) values(args []any) ([]any, error) {
	list := make([]any, 0, len(q.order))
	for _, at := range q.order {
		v, err := value(args[at])
		if err != nil {
			return nil, fmt.Errorf("sql/%s.sql: %w", q.name, err)
		}
		list = append(list, v)
	}
	return list, nil
}
