package postgres_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/internal/pgtest"
)

// history fills the tables with n tasks that have ended, half of them orchestrators and half activities, and waiting ones
// that are due, likewise; what has ended was created a tenth of a second apart. Rows are copies of what the engine writes,
// made by the server.
func (m *mill) history(n, waiting int) *pgx.Conn {
	m.Helper()
	m.workflows(1, 1)
	m.commit(newStart(newID()))
	conn := connect(m, m.dsn)
	run := func(format string, args ...any) {
		m.Helper()
		if _, err := conn.Exec(context.Background(), fmt.Sprintf(format, args...)); err != nil {
			m.Fatal(err)
		}
	}
	columns := func(table, without string) string {
		m.Helper()
		rows, _ := conn.Query(context.Background(), `SELECT quote_ident(column_name) FROM information_schema.columns
			WHERE table_schema = 'stent' AND table_name = $1 ORDER BY ordinal_position`, table)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			m.Fatal(err)
		}
		return strings.Join(slices.DeleteFunc(names, func(name string) bool { return strings.Contains(" "+without+" ", " "+name+" ") }), ", ")
	}
	const id = "lpad(to_hex(%[3]s), 32, '0')::uuid" // ascending, as the engine's
	ended := fmt.Sprintf(id, 0, 0, "i")
	waits := fmt.Sprintf(id, 0, 0, "i + (1 << 30)")
	run("INSERT INTO stent.executions (id, created_at, %[1]s) SELECT %[2]s, now() - (%[3]d - i) * interval '0.1 s', %[1]s FROM generate_series(1, %[3]d) AS i, (SELECT * FROM stent.executions WHERE finished_at IS NOT NULL LIMIT 1) AS e",
		columns("executions", "id created_at"), ended, n/2)
	run("INSERT INTO stent.tasks (execution_id, %[1]s) SELECT %[2]s, %[1]s FROM generate_series(1, %[3]d) AS i, (SELECT * FROM stent.tasks LIMIT 1) AS t",
		columns("tasks", "execution_id"), ended, n/2)
	run("INSERT INTO stent.executions (id, %[1]s) SELECT %[2]s, %[1]s FROM generate_series(1, %[3]d) AS i, (SELECT * FROM stent.executions WHERE due_at IS NOT NULL LIMIT 1) AS e",
		columns("executions", "id"), waits, waiting/2)
	run("INSERT INTO stent.tasks (execution_id, due_at, state, %[1]s) SELECT %[2]s, now(), 'pending', %[1]s FROM generate_series(1, %[3]d) AS i, (SELECT * FROM stent.tasks LIMIT 1) AS t",
		columns("tasks", "execution_id due_at state started_at finished_at result worker"), waits, waiting/2)
	run("INSERT INTO stent.tallies (state, n) VALUES ('created', %d), ('completed', %d)", n/2+waiting/2, n/2)
	run("VACUUM ANALYZE stent.executions")
	run("VACUUM ANALYZE stent.tasks")
	run("CHECKPOINT")
	return conn
}

// The sampler asks these every few seconds. How much history there is makes no difference: what waits is read from indexes
// alone, and of the tables only what runs. The settings are those that the engine makes for these statements too.
func TestSamplingReadsIndexesAlone(t *testing.T) {
	dsn := pgtest.DSN(t)
	conn := newMill(t, dsn).history(100_000, 1000)
	all := readSQL(t)
	if _, err := conn.Exec(t.Context(), strings.ReplaceAll(all["stats_settings"], "true)", "false)")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"stats_queues": {
			"Index Only Scan using executions_claimable", "Index Only Scan using tasks_claimable", "Index Only Scan using dead_letters_queue",
		},
		"stats_executions": {"Index Only Scan using executions_claimable"},
	} {
		steps := strings.Join(plan(t, conn, name, all[name]), "\n")
		for _, scan := range want {
			if !strings.Contains(steps, scan) {
				t.Errorf("%s has no %s:\n%s", name, scan, steps)
			}
		}
		if regexp.MustCompile(`Seq Scan on (executions|tasks|dead_letters)|Bitmap Heap Scan on executions|executions_created`).MatchString(steps) {
			t.Errorf("%s reads a table:\n%s", name, steps)
		}
	}

	// And that is what comes of it: no more pages are looked at than what waits is on.
	rows, err := conn.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) EXECUTE stats_queues(now())", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(steps, "\n")
	pages := regexp.MustCompile(`Buffers: shared hit=(\d+)`).FindStringSubmatch(text)
	if pages == nil {
		t.Fatalf("no pages:\n%s", text)
	}
	if n, _ := strconv.Atoi(pages[1]); n > 200 {
		t.Errorf("%d pages are looked at for 1,000 waiting tasks:\n%s", n, text)
	}
}
