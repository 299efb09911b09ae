package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// pipeline is a transaction that is sent in one go: its statements do not wait for each other's results, so that it
// costs one round trip. A statement that does not find what it should raises an error, which ends the transaction. There is no
// BEGIN and no COMMIT: what is sent up to one Sync of the protocol is a transaction by itself, which saves two messages each way.
type pipeline struct {
	q      queries
	batch  pgx.Batch
	failed string // the statement that did
}

// add appends a statement. read, if not nil, is called when all is sent, and must not be relied upon before the
// transaction is known to have succeeded.
func (p *pipeline) add(name string, read func(rows pgx.Rows) error, args ...any) {
	p.batch.Queue(p.q.get(name), args...).Query(func(rows pgx.Rows) error {
		var err error
		if read != nil {
			err = read(rows)
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			p.failed = name
		}
		return err
	})
}

// run sends everything and commits.
func (p *pipeline) run(ctx context.Context, db *DB) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = conn.SendBatch(ctx, &p.batch).Close()
	if err == nil {
		return nil
	}
	if c := conn.Conn(); !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_, _ = conn.Exec(end, "ROLLBACK") // if it fails, the pool drops the connection, and the server rolls back
	}
	if p.failed != "" {
		err = fmt.Errorf("sql/%s.sql: %w", p.failed, err)
	}
	return err
}

// prepared reads settings.sql or fence.sql.
func prepared(now *time.Time) func(pgx.Rows) error {
	return one(nil, now, nil, nil, nil, nil, nil, nil)
}

const rollbackTimeout = 5 * time.Second

// one reads the only row.
func one(to ...any) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
