package postgres_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestCost gates on what hardly differs from machine to machine: the write-ahead log and the transactions of a task. The
// server is the test's own, so that nobody else writes.
func TestCost(t *testing.T) {
	server := pgtest.NewQuietServer(t)
	for _, work := range []struct {
		name       string
		activities int
		wal        float64 // most bytes for an execution
		allocs     float64 // most allocations for an execution, those of the test included
	}{
		{"root only", 0, 0.8 * 1024, 28},
		{"five activities", 5, 2.5 * 1024, 95},
	} {
		t.Run(work.name, func(t *testing.T) {
			m := newMill(t, server.Database(t), postgres.Notify(false))
			m.workflows(50, 0) // first pages, catalogues, statistics
			const rounds, each = 40, 50
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			wal, commits := m.cost(func() {
				for range rounds {
					m.workflows(each, work.activities)
				}
			})
			runtime.ReadMemStats(&after)
			n := float64(rounds * each)
			allocs := float64(after.Mallocs-before.Mallocs) / n
			t.Logf("%.0f bytes of log, %.3f commits and %.1f allocations for an execution", wal/n, commits/n, allocs)
			if allocs > work.allocs {
				t.Errorf("%.1f allocations for an execution, want at most %.0f", allocs, work.allocs)
			}
			if wal/n > work.wal {
				t.Errorf("%.0f bytes of log for an execution, want at most %.0f", wal/n, work.wal)
			}
			if want := float64(work.activities+3) / each; commits/n > want*1.1 {
				t.Errorf("%.3f commits for an execution, want %.3f", commits/n, want)
			}
		})
	}
	t.Run("one at a time, one activity", func(t *testing.T) {
		m := newMill(t, server.Database(t), postgres.Notify(false))
		m.oneAtATime(50)
		const n, most = 500, 510
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		wal, commits := m.cost(func() { m.oneAtATime(n) })
		runtime.ReadMemStats(&after)
		allocs := float64(after.Mallocs-before.Mallocs) / n
		t.Logf("%.0f bytes of log, %.3f commits and %.1f allocations for an execution", wal/n, commits/n, allocs)
		if allocs > most {
			t.Errorf("%.1f allocations for an execution, want at most %d", allocs, most)
		}
		if wal/n > 1400 {
			t.Errorf("%.0f bytes of log for an execution, want at most 1400", wal/n)
		}
		if commits/n > 3.02 {
			t.Errorf("%.3f commits for an execution, want 3", commits/n)
		}
	})
	t.Run("an idle worker's claims", func(t *testing.T) {
		m := newMill(t, server.Database(t), postgres.Notify(false))
		m.workflows(50, 1)
		wal, commits := m.cost(func() {
			for range 100 {
				m.claim(10)
			}
		})
		t.Logf("%.0f bytes of log and %.0f commits for 100 claims", wal, commits)
		if commits > 1 {
			t.Errorf("100 claims that find nothing made %.0f writing transactions", commits)
		}
	})
}

// mill is a database with one worker that does what an engine would.
type mill struct {
	testing.TB
	dsn string
	db  *postgres.DB
}

func newMill(t testing.TB, dsn string, opts ...postgres.Option) *mill {
	m := &mill{TB: t, dsn: dsn, db: open(t, dsn, opts...)}
	if _, err := m.db.Register(context.Background(), backend.Worker{ID: "w", State: backend.WorkerReady}, time.Hour); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *mill) commit(commands ...backend.Command) {
	m.Helper()
	if err := m.db.Commit(context.Background(), &backend.Batch{Worker: "w", Commands: commands}); err != nil {
		m.Fatal(err)
	}
	for _, c := range commands {
		if t, ok := c.(*backend.Turn); ok && t.Err != nil {
			m.Fatal(t.Err)
		}
	}
}

func (m *mill) claim(most int) []backend.Claimed {
	m.Helper()
	c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow", "charge_payment"}, Max: most}
	m.commit(c)
	return c.Tasks
}

// cost is what fn writes to the log, and how many transactions wrote.
func (m *mill) cost(fn func()) (wal, commits float64) {
	m.Helper()
	conn := connect(m, m.dsn)
	read := func() (lsn, xid float64) {
		err := conn.QueryRow(context.Background(),
			"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8, pg_snapshot_xmax(pg_current_snapshot())::text::float8").Scan(&lsn, &xid)
		if err != nil {
			m.Fatal(err)
		}
		return lsn, xid
	}
	if _, err := conn.Exec(context.Background(), "CHECKPOINT"); err != nil {
		m.Fatal(err)
	}
	lsn, xid := read()
	fn()
	lsn2, xid2 := read()
	return lsn2 - lsn, xid2 - xid
}

// newID is a UUID of version 7, as the engine makes them.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	ms := time.Now().UnixMilli()
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newStart(id string) *backend.Start {
	return &backend.Start{ID: id, Workflow: "order_workflow", Queue: "default", Input: []byte(`{"n":42}`), InputHash: 1 << 60}
}

// workflows runs workflows of some activities, n at once: a commit for each step of all.
func (m *mill) workflows(n, activities int) {
	m.Helper()
	commands := make([]backend.Command, n)
	for i := range commands {
		commands[i] = newStart(newID())
	}
	m.commit(commands...)
	m.finish(n, activities)
}

// finish claims orchestrators and runs them to their ends.
func (m *mill) finish(n, activities int) {
	m.Helper()
	tasks := m.claim(n)
	if len(tasks) != n {
		m.Fatalf("claimed %d of %d", len(tasks), n)
	}
	m.run(tasks, activities)
}

// oneAtATime runs workflows of one activity, each claimed with its start.
func (m *mill) oneAtATime(n int) {
	m.Helper()
	for range n {
		s := newStart(newID())
		s.Claim = true
		if m.commit(s); s.Claimed.IsZero() {
			m.Fatal("it was not claimed")
		}
		m.run([]backend.Claimed{{Task: backend.Task{ID: backend.TaskID{Execution: s.ID}, Token: 1}}}, 1)
	}
}

// run runs orchestrators that the worker holds to their ends.
func (m *mill) run(tasks []backend.Claimed, activities int) {
	m.Helper()
	commands := make([]backend.Command, len(tasks))
	for seq := 1; seq <= activities+1; seq++ {
		for i, t := range tasks {
			turn := &backend.Turn{Execution: t.ID.Execution, Token: t.Token}
			if seq > 1 {
				done := backend.TaskID{Execution: t.ID.Execution, Seq: seq - 1}
				turn.Completed = []*backend.Complete{{Task: done, Token: 1, Result: []byte(`42`)}}
			}
			if seq <= activities {
				turn.Added = []backend.Add{{
					Seq: seq, Key: fmt.Sprint("charge_payment#", seq), Kind: backend.Activity, Step: "charge_payment", Queue: "default",
					State: backend.Running, Input: []byte(`{"n":42}`), InputHash: 1 << 60,
				}}
			} else {
				turn.Close = &backend.Close{State: backend.Completed, Result: []byte(`42`)}
			}
			commands[i] = turn
		}
		m.commit(commands...)
	}
}
