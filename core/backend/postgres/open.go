package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stentgo/stent/core/backend"
)

var (
	_ backend.Backend   = (*DB)(nil)
	_ backend.Watcher   = (*DB)(nil)
	_ backend.TxStarter = (*DB)(nil)
)

// DB is a schema of a database. It is safe for concurrent use.
type DB struct {
	pool  *pool
	opts  options
	q     queries
	class int32 // of the schema's advisory locks

	workers sync.Map    // the numbers of workers, by their ids
	limits  atomic.Bool // claims with limits have been seen

	holdings holdings
	notes    *notifier
	listener *listener

	once sync.Once
}

// Open connects to a database and makes the schema if it is not there, or migrates it if an older program made it. The
// DSN is a URL or keywords and values, as for psql; what it leaves out is taken from the environment (PGHOST, PGUSER,
// PGPASSWORD, ~/.pgpass ...). It may set the pool's size: pool_max_conns, by default one for each processor and at least 5
// more than [Committers]. A watch takes one connection besides.
//
// It says backend.ErrSchemaMissing for a schema that holds something else, backend.ErrSchemaNew for one that a newer
// program has migrated, and backend.ErrSchemaOld for an older one with [NoMigrate].
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", plain(err))
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = max(config.MaxConns, int32(o.committers)+5)
	}
	if o.bouncer {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "stent"
	}
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool { return p.IdleDuration > pingAfter }
	conns, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", plain(err))
	}
	return open(ctx, &pool{Pool: conns, owned: true}, o)
}

// pingAfter is how long a connection may have been idle before it is asked whether it lives when it is used again. It is
// longer than an idle worker's look for work takes to come, which would double what such a worker asks; pgxpool's own
// default, a second, is not.
const pingAfter = 3 * time.Second

// New is [Open] for a pool of the program's own, which Close leaves open. The pool should have at least 4 connections
// more than [Committers], since what looks at the database and what keeps leases must not wait for what writes.
func New(ctx context.Context, conns *pgxpool.Pool, opts ...Option) (*DB, error) {
	if conns == nil {
		return nil, errors.New("postgres: New without a pool")
	}
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	return open(ctx, &pool{Pool: conns}, o)
}

func open(ctx context.Context, conns *pool, o options) (*DB, error) {
	if err := checkSchema(o.schema); err != nil {
		conns.close()
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	q, err := loadQueries(o.schema)
	if err != nil {
		conns.close()
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	class := fnv.New32a()
	_, _ = class.Write([]byte("stent " + o.schema))
	db := &DB{pool: conns, opts: o, q: q, class: int32(class.Sum32())}
	db.notes, db.listener = newNotifier(db), newListener(db)
	if err := db.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("postgres: open schema %q: %w", o.schema, db.diagnose(plain(ended(ctx, err))))
	}
	return db, nil
}

// checkSchema refuses what PostgreSQL would cut off or keep for itself.
func checkSchema(name string) error {
	switch {
	case name == "":
		return errors.New("schema: an empty name")
	case len(name) > 63 || !utf8.ValidString(name):
		return fmt.Errorf("schema %q: want at most 63 bytes of UTF-8", name)
	case len(name) >= 3 && name[:3] == "pg_":
		return fmt.Errorf("schema %q: PostgreSQL keeps names that begin with pg_ for itself", name)
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f {
			return fmt.Errorf("schema %q: contains a control character", name)
		}
	}
	return nil
}

// Name is "postgres".
func (db *DB) Name() string { return "postgres" }

// Schema is where everything is kept.
func (db *DB) Schema() string { return db.opts.schema }

// Committers is how many transactions an engine should write at once.
func (db *DB) Committers() int { return db.opts.committers }

// Close waits for what is under way and closes the pool, unless it was given to [New]. What is called later says so.
func (db *DB) Close() error {
	db.once.Do(func() {
		db.notes.close()
		db.listener.close()
		db.pool.close()
	})
	return nil
}

func (db *DB) closed() bool { return db.pool.closed.Load() }

// transact runs fn in a transaction, and again if the transaction met another one in a way that passes.
func (db *DB) transact(ctx context.Context, fn func(tx pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := pgx.BeginFunc(ctx, db.pool, fn)
		if err == nil || !passing(err) || try == tries || ctx.Err() != nil {
			return ended(ctx, err)
		}
	}
}

// tries is how often a transaction is tried that deadlocks with others.
const tries = 10

// snapshot runs fn on one state of the database.
func (db *DB) snapshot(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return ended(ctx, pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn))
}

// delay is a duration as it is given to statements, in microseconds; a negative one is 0.
func delay(d time.Duration) int64 { return max(d.Microseconds(), 0) }
