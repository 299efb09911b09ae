package stent_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
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
	n := new(atomic.Int64)
	if w.backend == "sqlite" {
		w.dial = func(ctx context.Context, path string) (backend.Backend, error) {
			db, err := sqlite.Open(ctx, path)
			return &countedCalls{db, n}, err
		}
		return n
	}
	address, err := url.Parse(w.address)
	if err != nil {
		w.Fatal(err)
	}
	query := address.Query()
	query.Set("sslmode", "disable")
	address.Host, address.RawQuery = w.counter(address.Host, n), query.Encode()
	w.address = address.String()
	return n
}

// counter is where a server can be reached through one that counts how often it is asked for an answer.
func (w *world) counter(server string, n *atomic.Int64) string {
	l, err := (&net.ListenConfig{}).Listen(w.ctx(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	var open sync.WaitGroup
	w.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer client.Close()
				conn, err := (&net.Dialer{}).DialContext(w.ctx(), "tcp", server)
				if err != nil {
					w.Error(err)
					return
				}
				open.Go(func() { _, _ = io.Copy(client, conn) })
				defer conn.Close()
				countAsked(io.TeeReader(client, conn), n)
			})
		}
	})
	return l.Addr().String()
}

// countAsked reads what a client of PostgreSQL sends, and counts simple queries and the ends of others:
// https://www.postgresql.org/docs/current/protocol-message-formats.html.
func countAsked(r io.Reader, n *atomic.Int64) {
	for kind := make([]byte, 0, 1); ; kind = kind[:1] { // a message has a kind, but for the first
		var length uint32
		if _, err := io.ReadFull(r, kind); err != nil || binary.Read(r, binary.BigEndian, &length) != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, r, int64(length)-4); err != nil {
			return
		}
		if k := string(kind); k == "Q" || k == "S" {
			n.Add(1)
		}
	}
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
