package postgres_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/internal/pgtest"
)

// What the console asks is answered from indexes, beside 100,000 tasks that have ended. The parameters are those of a list
// of the newest; a plan that did not know them would fit all spans alike.
func TestTheConsoleReadsIndexes(t *testing.T) {
	conn := newMill(t, pgtest.DSN(t)).history(100_000, 1000)
	all := readSQL(t)
	const hour, filters = "now() - interval '1 hour', 'infinity', NULL, NULL", "NULL, NULL, NULL, 20"
	for _, c := range []struct{ name, args, index string }{
		{"list_executions", hour + ", NULL, " + filters, "executions_created"},
		{"list_executions", hour + ", '{running}', " + filters, "executions_created"},
		{"list_executions", hour + ", '{completed}', " + filters, "executions_created"},
		{"list_executions", hour + ", NULL, 'nothing', NULL, NULL, 20", "executions_created"},
		{"list_executions", hour + ", NULL, NULL, 'nothing', NULL, 20", "executions_created"},
		{"list_executions", hour + ", NULL, NULL, NULL, 'nothing', 20", "executions_created"},
		{"list_executions", "'-infinity', now() - interval '1 hour', now() - interval '1 hour', '00000000-0000-0000-0000-000000000001', NULL, " + filters, ""},
		{"list_executions_pending", "'-infinity', 'infinity', NULL, NULL, '{pending}', " + filters, "executions_claimable"},
		{"list_executions_cancelling", "'-infinity', 'infinity', NULL, NULL, '{cancelling}', " + filters, "executions_cancelled|executions_unsuccessful"},
		{"list_executions_running", "'-infinity', 'infinity', NULL, NULL, '{running}', " + filters, "executions_claimable"},
		{"list_executions_unsuccessful", "'-infinity', 'infinity', NULL, NULL, '{failed}', " + filters, "executions_unsuccessful"},
		{"list_executions_prefix", "'-infinity', 'infinity', NULL, NULL, NULL, " + filters +
			", '00000000-0000-0000-0000-00000000aa00', '00000000-0000-0000-0000-00000000aaff', 'aa', 'ab'", "executions_pkey"},
		{"list_tasks_running", "'', -1, '{activity}', 200", "tasks_claimed"},
		{"dead_letters", "NULL, NULL, NULL, NULL, NULL, NULL, 200, NULL, NULL, NULL, NULL", "dead_letters"},
		{"read_executions", "'{00000000-0000-0000-0000-000000000001}'", "executions_pkey"},
	} {
		steps := explain(t, conn, all[c.name], c.args)
		if c.index == "" {
			continue // the last resort
		}
		if !regexp.MustCompile(c.index).MatchString(steps) || regexp.MustCompile(`Seq Scan on (executions|tasks)`).MatchString(steps) {
			t.Errorf("%s(%s) does not use %s:\n%s", c.name, c.args, c.index, steps)
		}
	}
}

// Running executions are listed wherever they stand: held by a worker, due later, or waiting for what nobody can foresee.
func TestRunningExecutionsAreListedWhereverTheyStand(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	list := func(f backend.ExecutionFilter, want ...string) {
		t.Helper()
		f.States = []backend.State{backend.Running}
		all, err := m.db.Executions(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range all {
			got = append(got, x.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	begin := func(add ...backend.Add) string {
		id := newID()
		m.commit(newStart(id))
		task := m.claim(1)[0]
		if len(add) > 0 {
			m.commit(&backend.Turn{Execution: id, Token: task.Token, Added: add, Yield: &backend.Yield{WakeIn: add[0].Delay}})
		}
		return id
	}
	m.workflows(2, 1)
	list(backend.ExecutionFilter{})
	held := begin()
	sleeps := begin(backend.Add{Seq: 1, Key: "sleep#1", Kind: backend.Timer, Step: "sleep", State: backend.Waiting, Delay: time.Hour})
	list(backend.ExecutionFilter{}, sleeps, held)
	list(backend.ExecutionFilter{Limit: 1}, sleeps)
	list(backend.ExecutionFilter{After: sleeps}, held)
	list(backend.ExecutionFilter{Workflow: "nothing"})
	list(backend.ExecutionFilter{Since: time.Now().Add(time.Hour)})
	waits := begin(backend.Add{Seq: 1, Key: "approval#1", Kind: backend.SignalWait, Step: "approval", State: backend.Waiting, Delay: -1})
	m.commit(newStart(newID()))
	list(backend.ExecutionFilter{}, waits, sleeps, held)
	list(backend.ExecutionFilter{After: waits, Limit: 1}, sleeps)
	list(backend.ExecutionFilter{Queue: "nothing"})
}

// explain is how PostgreSQL carries out a statement with parameters that it knows.
func explain(t *testing.T, conn *pgx.Conn, text, args string) string {
	t.Helper()
	ctx := context.Background()
	for _, statement := range []string{"DEALLOCATE ALL", "SET plan_cache_mode = force_custom_plan", "PREPARE asked AS " + text} {
		if _, err := conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	rows, err := conn.Query(ctx, "EXPLAIN (COSTS OFF) EXECUTE asked("+args+")", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return strings.Join(steps, "\n")
}

// BenchmarkConsole asks what the console asks, beside tasks that have ended and a hundredth of them that wait.
func BenchmarkConsole(b *testing.B) {
	n := backendtest.BenchTasks(b)
	m := newMill(b, pgtest.DSN(b))
	m.commit(newStart(newID()), newStart(newID()), newStart(newID()))
	running := m.claim(3)[0].ID.Execution
	conn := m.history(n, n/100)
	backendtest.BenchmarkConsole(b, m.db, running[:12])
	old := fmt.Sprintf("UPDATE stent.executions SET created_at = now() - interval '40 days' WHERE id = '%s'", running)
	if _, err := conn.Exec(context.Background(), old); err != nil {
		b.Fatal(err)
	}
	backendtest.BenchmarkList(b, m.db, "list --state running, one of them old", backend.ExecutionFilter{States: []backend.State{backend.Running}})
}
