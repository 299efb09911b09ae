package stent_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestIdleWorkersHardlyAsk gates on what workers ask of a database while nothing happens: each looks for work every two
// seconds, and says every ten seconds that it lives. What one writes must not have all others look, again and again. A
// rate takes its time; a slow machine makes it lower.
func TestIdleWorkersHardlyAsk(t *testing.T) {
	for _, gate := range []struct {
		workers int
		most    map[string]float64 // queries of each in a second
	}{
		{1, map[string]float64{"postgres": 1, "sqlite": 1}},
		{12, map[string]float64{"postgres": 1, "sqlite": 2}}, // who watches a file cannot tell what was written to it
	} {
		t.Run(fmt.Sprintf("workers=%d", gate.workers), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				asked := w.counted()
				for range gate.workers {
					p := w.program(chained.Handle(func(*core.Flow, int) (int, error) { return 0, nil }))
					p.serve(core.WorkerConfig{PollInterval: time.Second})
					w.eventually("it is ready", func() bool { return p.WorkerStatus().Ready })
				}
				<-time.After(8 * time.Second) // until it looks less often
				const window = 20 * time.Second
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

// counted has the world count what is asked of its databases from now on: round trips to PostgreSQL, calls of SQLite.
func (w *world) counted() *atomic.Int64 {
	if w.backend == "sqlite" {
		n := new(atomic.Int64)
		w.dial = func(ctx context.Context, path string) (backend.Backend, error) {
			db, err := sqlite.Open(ctx, path)
			return &countedCalls{db, n}, err
		}
		return n
	}
	way, err := pgtest.Count(w.ctx(), w.address)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = way.Close() })
	w.address = way.DSN
	return &way.Asked
}

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
