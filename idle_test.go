package stent_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// TestIdleWorkersHardlyAsk gates on what workers ask of a database while nothing happens: each looks for work once a second,
// and says every ten seconds that it lives. What one writes must not have all others look, again and again. A rate takes
// its time; a slow machine makes it lower.
func TestIdleWorkersHardlyAsk(t *testing.T) {
	for _, gate := range []struct {
		workers int
		most    map[string]float64 // queries of each in a second
	}{
		{1, map[string]float64{"postgres": 1.4, "sqlite": 1.4}},
		{12, map[string]float64{"postgres": 1.5, "sqlite": 2.5}}, // who watches a file cannot tell what was written to it
	} {
		t.Run(fmt.Sprintf("workers=%d", gate.workers), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				asked := w.counted()
				for range gate.workers {
					p := w.program(chained.Handle(func(*core.Flow, int) (int, error) { return 0, nil }))
					p.serve(core.WorkerConfig{PollInterval: time.Second})
					w.eventually("it is ready", func() bool { return p.WorkerStatus().Ready })
				}
				<-time.After(2 * time.Second) // what happens at a start
				const window = 11 * time.Second
				before, begun := asked.Load(), time.Now()
				<-time.After(window)
				each := float64(asked.Load()-before) / time.Since(begun).Seconds() / float64(gate.workers)
				t.Logf("%.2f queries of an idle worker in a second", each)
				if most := gate.most[w.backend]; each > most {
					t.Errorf("%.2f queries of an idle worker in a second, want at most %.2f", each, most)
				}
			})
		})
	}
}

// counted has the world count what is asked of its databases from now on: queries and batches of PostgreSQL, calls of SQLite.
func (w *world) counted() *atomic.Int64 {
	n := new(atomic.Int64)
	if w.backend == "sqlite" {
		w.dial = func(ctx context.Context, path string) (backend.Backend, error) {
			db, err := sqlite.Open(ctx, path)
			return &countedCalls{db, n}, err
		}
		return n
	}
	w.dial = func(ctx context.Context, dsn string) (backend.Backend, error) {
		config, err := pgxpool.ParseConfig(dsn)
		if err != nil {
			return nil, err
		}
		config.ConnConfig.Tracer = countedQueries{n}
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			return nil, err
		}
		w.Cleanup(pool.Close)
		return postgres.New(ctx, pool)
	}
	return n
}

// countedQueries is a tracer of pgx.
type countedQueries struct{ n *atomic.Int64 }

func (c countedQueries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (countedQueries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c countedQueries) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (countedQueries) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (countedQueries) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// countedCalls counts what a worker calls.
type countedCalls struct {
	*sqlite.DB
	n *atomic.Int64
}

func (c *countedCalls) Commit(ctx context.Context, b *backend.Batch) error {
	c.n.Add(1)
	return c.DB.Commit(ctx, b)
}

func (c *countedCalls) Renew(ctx context.Context, worker string, state backend.WorkerState, used int, lease time.Duration) (backend.Renewal, error) {
	c.n.Add(1)
	return c.DB.Renew(ctx, worker, state, used, lease)
}

func (c *countedCalls) Reap(ctx context.Context, most int) (backend.Reaped, error) {
	c.n.Add(1)
	return c.DB.Reap(ctx, most)
}

func (c *countedCalls) Expire(ctx context.Context) (backend.Expired, error) {
	c.n.Add(1)
	return c.DB.Expire(ctx)
}

func (c *countedCalls) Schedules(ctx context.Context, f backend.ScheduleFilter) (backend.ScheduleList, error) {
	c.n.Add(1)
	return c.DB.Schedules(ctx, f)
}
