package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pool is a pool that is closed for this handle, while it may stay open for the program whose own it is.
type pool struct {
	*pgxpool.Pool
	owned  bool
	closed atomic.Bool
}

func (p *pool) close() {
	p.closed.Store(true)
	if p.owned {
		p.Close()
	}
}

func (p *pool) Acquire(ctx context.Context) (*pgxpool.Conn, error) {
	if p.closed.Load() {
		return nil, errClosed
	}
	return p.Pool.Acquire(ctx)
}

func (p *pool) Begin(ctx context.Context) (pgx.Tx, error) { return p.BeginTx(ctx, pgx.TxOptions{}) }

func (p *pool) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	if p.closed.Load() {
		return nil, errClosed
	}
	return p.Pool.BeginTx(ctx, o)
}

func (p *pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if p.closed.Load() {
		return pgconn.CommandTag{}, errClosed
	}
	return p.Pool.Exec(ctx, sql, args...)
}

func (p *pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if p.closed.Load() {
		return nil, errClosed
	}
	return p.Pool.Query(ctx, sql, args...)
}

func (p *pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if p.closed.Load() {
		return closedRow{}
	}
	return p.Pool.QueryRow(ctx, sql, args...)
}

type closedRow struct{}

func (closedRow) Scan(...any) error { return errClosed }
