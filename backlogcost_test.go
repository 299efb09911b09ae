//go:build !race

package stent_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestAllocationsAndCommitsOfABacklog gates on what a worker with 100 slots allocates and writes while it works off executions
// without activities. The server is the test's own, so that nobody else writes. Notes, of which there are so many a second however much is done, are off.
func TestAllocationsAndCommitsOfABacklog(t *testing.T) {
	const (
		tasks       = 10_000
		mostCommits = 0.03
		mostLog     = 0.8 * 1024 // bytes
		mostAllocs  = 15.0
	)
	ctx := t.Context()
	dsn := pgtest.NewQuietServer(t).Database(t)
	db, err := postgres.Open(ctx, dsn, postgres.Notify(false))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	e, err := core.New(db)
	if err != nil {
		t.Fatal(err)
	}
	all := backlog(t, e, tasks)
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	written := func() (log, transactions float64) {
		err := conn.QueryRow(ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8, pg_snapshot_xmax(pg_current_snapshot())::text::float8").
			Scan(&log, &transactions)
		if err != nil {
			t.Fatal(err)
		}
		return log, transactions
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}

	var before, after runtime.MemStats
	log, transactions := written()
	runtime.ReadMemStats(&before)
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- e.Serve(serving, core.WorkerConfig{Slots: 100}) }()
	<-all
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	log2, transactions2 := written()

	commits, bytes, allocs := (transactions2-transactions)/tasks, (log2-log)/tasks, float64(after.Mallocs-before.Mallocs)/tasks
	t.Logf("%.4f commits, %.0f bytes of log and %.1f allocations a task", commits, bytes, allocs)
	if commits > mostCommits {
		t.Errorf("%.4f commits a task, want at most %.2f", commits, mostCommits)
	}
	if bytes > mostLog {
		t.Errorf("%.0f bytes of log a task, want at most %.0f", bytes, mostLog)
	}
	if allocs > mostAllocs {
		t.Errorf("%.1f allocations a task, want at most %.1f", allocs, mostAllocs)
	}
}
