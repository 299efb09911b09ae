package postgres_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// readSQL gives the files of the folder sql by their names.
func readSQL(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("sql/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no SQL", err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := postgres.ReadQuery(os.DirFS("."), filepath.ToSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".sql")] = text
	}
	return all
}

// strings of the package's own files.
func literals(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil {
					found[s] = true
				}
			}
			return true
		})
	}
	return found
}

func TestEverySQLFileIsOneStatementThatSaysWhatItDoes(t *testing.T) {
	dsn := pgtest.DSN(t)
	open(t, dsn)
	conn := connect(t, dsn)
	used := literals(t)
	for name, text := range readSQL(t) {
		if !used[name] {
			t.Errorf("%s.sql is not used", name)
		}
		if !strings.HasPrefix(text, "-- ") {
			t.Errorf("%s.sql does not begin with a comment", name)
		}
		if n := len(regexp.MustCompile(`(?m);\s*$`).FindAllString(text, -1)); n != 1 {
			t.Errorf("%s.sql has %d statements", name, n)
		}
		if _, err := conn.Prepare(t.Context(), name, text); err != nil {
			t.Errorf("%s.sql does not run as it is: %v", name, err)
		}
	}
}

// TestHotStatementsReadNoTableFromEndToEnd looks at the plans that the engine's statements get in a transaction of its
// own, with tables of some size.
func TestHotStatementsReadNoTableFromEndToEnd(t *testing.T) {
	dsn := pgtest.DSN(t)
	m := newMill(t, dsn)
	m.workflows(500, 2)
	m.fill(2000, func(s *backend.Start) { s.Queue = "other" })
	conn := m.history(20_000, 200)
	all := readSQL(t)
	if _, err := conn.Exec(t.Context(), "ANALYZE stent.executions; ANALYZE stent.tasks; "+strings.ReplaceAll(all["settings"], "true)", "false)")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"start", "lock", "turn", "complete", "bury", "retry", "release", "release_execution", "settle", "add", "consume", "forget", "forget_all", "set_aside",
		"signal", "wake", "count", "set_custom", "turned", "close", "dead_letter_execution", "yield", "again", "stand_alone", "claim_woken", "claim", "claim_known", "claim_lane_executions", "claim_lane_tasks",
		"add_child", "settle_parent", "continue", "trim", "held_executions", "held_tasks", "history_tasks", "history_signals", "news", "read_executions", "read_tasks", "known_tasks", "known_executions",
		"list_executions_unsuccessful", "list_executions_pending", "list_executions_cancelling",
	} {
		steps := plan(t, conn, name, all[name])
		for i, step := range steps {
			whole := regexp.MustCompile(`Index Scan using \w+_pkey`).MatchString(step) && (i+1 == len(steps) || !strings.Contains(steps[i+1], "Index Cond"))
			if whole || regexp.MustCompile(`Seq Scan on|Index Scan using executions_created`).MatchString(step) {
				t.Errorf("%s: %s", name, strings.Join(steps, "\n"))
			}
		}
		if strings.HasPrefix(name, "claim") && slices.ContainsFunc(steps, func(s string) bool {
			return strings.Contains(s, "Join") && !strings.Contains(s, "Nested Loop") && !strings.Contains(s, "Filter")
		}) {
			t.Errorf("%s is not planned as nested loops: %s", name, strings.Join(steps, "\n"))
		}
	}
}

// plan is how PostgreSQL carries out a statement with parameters that it does not know.
func plan(t *testing.T, conn *pgx.Conn, name, text string) (steps []string) {
	t.Helper()
	sd, err := conn.Prepare(context.Background(), name, text)
	if err != nil {
		t.Fatalf("%s.sql: %v", name, err)
	}
	nulls := strings.TrimSuffix(strings.Repeat("NULL,", len(sd.ParamOIDs)), ",")
	if nulls != "" {
		nulls = "(" + nulls + ")"
	}
	rows, err := conn.Query(context.Background(), "EXPLAIN (COSTS OFF) EXECUTE "+name+nulls, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if steps, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		t.Fatalf("%s.sql: %v", name, err)
	}
	return steps
}
