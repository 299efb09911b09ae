package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const limitPostgresSchema = `
CREATE TABLE IF NOT EXISTS exec (
	id uuid PRIMARY KEY, workflow text NOT NULL, queue text NOT NULL, due timestamptz, state smallint NOT NULL, input bytea, result bytea
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS exec_due ON exec (queue, due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS task (
	exec uuid, seq int, step text NOT NULL, state smallint NOT NULL, input bytea, result bytea, due timestamptz, PRIMARY KEY (exec, seq)
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS task_due ON task (due) WHERE due IS NOT NULL;`

// The steps of a group, one statement for each kind.
const (
	limitStart = `INSERT INTO exec SELECT unnest($1::uuid[]), 'sequence', 'default', now(), 0, '\x32'`
	limitClaim = `UPDATE exec SET state = 1, due = NULL WHERE id = ANY ($1::uuid[]) AND state = 0`
	limitEnd   = `UPDATE task AS t SET state = 2, result = '\x32' FROM unnest($1::uuid[], $2::bigint[]) AS u (exec, seq)
		WHERE t.exec = u.exec AND t.seq = u.seq AND t.state = 1`
	limitBegin = `INSERT INTO task SELECT exec, seq, 'noop', 1, '\x32' FROM unnest($1::uuid[], $2::bigint[]) AS u (exec, seq)`
	limitClose = `UPDATE exec SET state = 2, result = '\x32' WHERE id = ANY ($1::uuid[]) AND state = 1`
	limitNext  = `UPDATE exec SET state = 1, due = NULL WHERE ctid = ANY (ARRAY(
		SELECT ctid FROM exec WHERE queue = 'default' AND due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING id`
)

type limitPostgres struct{ pool *pgxpool.Pool }

func openLimitPostgres(ctx context.Context, dsn string) (*limitPostgres, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan", "jit"} {
		config.ConnConfig.RuntimeParams[name] = "off" // the tables have no statistics yet, and everything is found by a key
	}
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, limitPostgresSchema)
	return &limitPostgres{pool}, err
}

func (*limitPostgres) committers() int { return 2 }

func (p *limitPostgres) close() error { p.pool.Close(); return nil }

func (p *limitPostgres) write(ctx context.Context, _ int, ops []*limitOp) error {
	c := columnsOf(ops)
	b := &pgx.Batch{}
	if len(c.starts) > 0 {
		b.Queue(limitStart, c.starts)
	}
	if len(c.sent) > 0 {
		b.Queue(limitSend, c.sent, c.inputs)
	}
	if len(c.claims) > 0 {
		b.Queue(limitClaim, c.claims)
	}
	if len(c.ended) > 0 {
		b.Queue(limitEnd, c.ended, c.endedSeq)
	}
	if len(c.begun) > 0 {
		b.Queue(limitBegin, c.begun, c.begunSeq)
	}
	if len(c.offered) > 0 {
		b.Queue(limitOffer, c.offered, c.offeredSeq)
	}
	if len(c.closed) > 0 {
		b.Queue(limitClose, c.closed)
	}
	return p.pool.SendBatch(ctx, b).Close() // a batch is a transaction
}

func (p *limitPostgres) insert(ctx context.Context, ids []limitID) error {
	_, err := p.pool.Exec(ctx, limitStart, ids)
	return err
}

func (p *limitPostgres) next(ctx context.Context, _ int, ended []limitID, n int) (claimed []limitID, err error) {
	b := &pgx.Batch{}
	if len(ended) > 0 {
		b.Queue(limitClose, ended)
	}
	b.Queue(limitNext, n)
	results := p.pool.SendBatch(ctx, b)
	if len(ended) > 0 {
		if _, err := results.Exec(); err != nil {
			return nil, err
		}
	}
	rows, err := results.Query()
	if err == nil {
		claimed, err = pgx.CollectRows(rows, pgx.RowTo[limitID])
	}
	if closing := results.Close(); err == nil {
		err = closing
	}
	return claimed, err
}
