package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// history fills a file with n tasks that have ended, half of them orchestrators and half activities, and waiting ones that
// are due, likewise; what has ended was created a tenth of a second apart. Rows are copies of what the engine writes, made
// by the database; only the tallies are not kept.
func history(tb testing.TB, path string, n, waiting int) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(context.Background(), path, sqlite.Synchronous(sqlite.Normal))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	commit := func(commands ...backend.Command) {
		tb.Helper()
		if err := db.Commit(context.Background(), &backend.Batch{Worker: "w", Commands: commands}); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := db.Register(context.Background(), backend.Worker{ID: "w", State: backend.WorkerReady}, time.Hour); err != nil {
		tb.Fatal(err)
	}
	commit(start("ended"))
	claim := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow"}, Max: 1}
	commit(claim)
	task := claim.Tasks[0]
	commit(&backend.Turn{Execution: "ended", Token: task.Token, Added: []backend.Add{running(1)}})
	commit(&backend.Turn{
		Execution: "ended", Token: task.Token, Close: &backend.Close{State: backend.Completed, Result: []byte(`{"ok":true}`)},
		Completed: []*backend.Complete{{Task: backend.TaskID{Execution: "ended", Seq: 1}, Token: 1, Result: []byte(`{"ok":true}`)}},
	})
	commit(start("waits"))

	raw, err := sql.Open("sqlite", path)
	if err != nil {
		tb.Fatal(err)
	}
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	run := func(format string, args ...any) {
		tb.Helper()
		if _, err := raw.ExecContext(context.Background(), fmt.Sprintf(format, args...)); err != nil {
			tb.Fatal(err)
		}
	}
	columns := func(table string, without ...string) string {
		tb.Helper()
		rows, err := raw.QueryContext(context.Background(), "SELECT name FROM pragma_table_info(?)", table) // without virtual ones
		if err != nil {
			tb.Fatal(err)
		}
		defer rows.Close()
		var names []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				tb.Fatal(err)
			}
			if !slices.Contains(without, name) {
				names = append(names, name)
			}
		}
		if err := rows.Err(); err != nil {
			tb.Fatal(err)
		}
		return strings.Join(names, ", ")
	}
	const series = "WITH RECURSIVE series (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < %d) "
	copied := columns("executions", "n", "id", "created_at")
	for _, copies := range []struct {
		of    string
		count int
	}{{"ended", n / 2}, {"waits", waiting / 2}} {
		run("INSERT INTO executions (id, created_at, %[1]s) "+series+"SELECT '%[3]s-' || i, created_at - (%[2]d - i) * 100000, %[1]s FROM series, (SELECT * FROM executions WHERE id = '%[3]s')",
			copied, copies.count, copies.of)
	}
	inputs := columns("inputs", "n")
	run("INSERT INTO inputs (n, %[1]s) SELECT executions.n, %[1]s FROM executions, (SELECT %[1]s FROM inputs WHERE n = 1) WHERE executions.n > 2", inputs)
	run("INSERT INTO tasks (id, %[1]s) "+series+"SELECT i + 2 << 20 | 1, %[1]s FROM series, (SELECT * FROM tasks LIMIT 1) AS t", columns("tasks", "id"), n/2)
	run("INSERT INTO tasks (id, due_at, state, %[1]s) "+series+"SELECT i + 2 << 20 | 2, 1, 'pending', %[1]s FROM series, (SELECT * FROM tasks LIMIT 1) AS t",
		columns("tasks", "id", "due_at", "state", "started_at", "finished_at", "result", "worker_id"), waiting/2)
	run("ANALYZE")
	return db
}

// The sampler asks this every few seconds. How much history there is makes no difference: queues are read from indexes that
// cover them, and of the tasks themselves only those that run.
func TestSamplingReadsIndexesAlone(t *testing.T) {
	path := newPath(t)
	history(t, path, 100_000, 1000)
	db := open(t, path) // which knows what ANALYZE said
	steps, err := db.Plan("stats_queues")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(steps, "\n")
	for _, step := range steps {
		whole := strings.HasPrefix(step, "SCAN executions") || strings.HasPrefix(step, "SCAN tasks") || strings.HasPrefix(step, "SCAN dead_letters")
		if whole && !strings.Contains(step, "COVERING INDEX") && !strings.Contains(step, "tasks_claimed") {
			t.Errorf("%s, in:\n%s", step, all)
		}
	}
	for _, want := range []string{"COVERING INDEX executions_claimable", "COVERING INDEX tasks_claimable", "COVERING INDEX executions_held", "COVERING INDEX dead_letters_queue"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s:\n%s", want, all)
		}
	}
	stats, err := db.Stats(t.Context())
	if err != nil || len(stats.Queues) != 1 || stats.Queues[0].Depth != 1001 {
		t.Errorf("%+v, %v; want 1,001 waiting tasks", stats.Queues, err)
	}
}
