package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestAWorkerBeginsWithConnectionsThatKnowTheHotStatements registers one beside work that is due and under way, which
// that must leave as it is.
func TestAWorkerBeginsWithConnectionsThatKnowTheHotStatements(t *testing.T) {
	dsn := pgtest.DSN(t)
	m := newMill(t, dsn)
	m.commit(newStart(newID()), newStart(newID()))
	if got := len(m.claim(1)); got != 1 {
		t.Fatalf("%d executions are claimed, want 1", got)
	}
	before := contents(t, dsn)

	conns, err := pgxpool.New(t.Context(), dsn+"&pool_max_conns=10")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conns.Close)
	db, err := postgres.New(t.Context(), conns, postgres.Committers(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Register(t.Context(), backend.Worker{ID: "another", State: backend.WorkerReady}, time.Hour); err != nil {
		t.Fatal(err)
	}
	if after := contents(t, dsn); after != before {
		t.Errorf("there is\n%s\nafter a worker's registration, and before it\n%s", after, before)
	}

	idle := conns.AcquireAllIdle(t.Context())
	if len(idle) != 4 {
		t.Errorf("there are %d connections, want one more than transactions at once", len(idle))
	}
	for _, c := range idle {
		known := preparedOn(t, c.Conn())
		for _, part := range []string{"SELECT id, cancelling", "refuse('completes')", "INSERT INTO stent.executions", "INSERT INTO stent.tasks", "due_at <= statement_timestamp()"} {
			if !slices.ContainsFunc(known, func(text string) bool { return strings.Contains(text, part) }) {
				t.Errorf("a connection has not planned the statement with %s", part)
			}
		}
		c.Release()
	}
}

// TestWorkersThatBeginAtOnceDoNotWaitForEachOther has pairs of them share a pool that has room for one and a half.
func TestWorkersThatBeginAtOnceDoNotWaitForEachOther(t *testing.T) {
	conns, err := pgxpool.New(t.Context(), pgtest.DSN(t)+"&pool_max_conns=4")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conns.Close)
	db, err := postgres.New(t.Context(), conns)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range 5 {
		conns.Reset() // all connections are new ones
		var both sync.WaitGroup
		for i := range 2 {
			both.Go(func() {
				w := backend.Worker{ID: fmt.Sprint("w", pair, i), State: backend.WorkerReady}
				if _, err := db.Register(t.Context(), w, time.Hour); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	if n := conns.Stat().CanceledAcquireCount(); n > 0 {
		t.Errorf("%d times a connection was waited for in vain", n)
	}
}

// contents are the rows of all tables but that of the workers, with who last wrote or locked them.
func contents(t *testing.T, dsn string) string {
	t.Helper()
	var all strings.Builder
	for _, table := range []string{"executions", "tasks", "signals", "held", "tallies", "counters", "queues"} {
		var rows string
		query(t, dsn, &rows, "SELECT coalesce(string_agg(concat_ws(' ', t.xmin, t.xmax, t.*), E'\\n' ORDER BY t.ctid), 'nothing') FROM stent."+table+" AS t")
		fmt.Fprintf(&all, "%s: %s\n", table, rows)
	}
	return all.String()
}

func preparedOn(t *testing.T, conn *pgx.Conn) (texts []string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT statement FROM pg_prepared_statements")
	if err != nil {
		t.Fatal(err)
	}
	if texts, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatal(err)
	}
	return texts
}
