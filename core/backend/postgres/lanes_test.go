package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

// TestAClaimThatGoesOnReadsNothingOfWhatIsTaken: what was claimed stays in the index until the table is vacuumed, which this
// one never is. A claim that goes on from where the last one left reads as few pages after thousands as after the first.
func TestAClaimThatGoesOnReadsNothingOfWhatIsTaken(t *testing.T) {
	for _, lanes := range []int{1, 3} {
		t.Run(fmt.Sprint("lanes=", lanes), func(t *testing.T) {
			m := newMill(t, pgtest.DSN(t), postgres.Notify(false))
			conn := connect(t, m.dsn)
			exec := func(sql string, args ...any) {
				t.Helper()
				if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
					t.Fatal(err)
				}
			}
			exec("ALTER TABLE stent.executions SET (autovacuum_enabled = off)")
			const tasks, each, few = 10_000, 100, 5
			i := 0
			m.fill(tasks, func(s *backend.Start) { s.Priority, i = i%lanes, i+1 })
			files := readSQL(t)
			exec(strings.ReplaceAll(files["settings"], "true)", "false)"))

			var from backend.Left
			claim := func() {
				t.Helper()
				c := &backend.Claim{Queues: []string{"default"}, Steps: []string{"order_workflow"}, Max: each, From: from}
				if m.commit(c); len(c.Tasks) != each || c.Left == nil {
					t.Fatalf("claimed %d of %d, and it left %v", len(c.Tasks), each, c.Left)
				}
				from = c.Left
			}
			pages := func(name string, args []any) int {
				t.Helper()
				exec("BEGIN")
				defer exec("ROLLBACK")
				return pagesOf(t, conn, files[name], args...)
			}
			claim()
			claim()
			first := pages(postgres.ClaimFrom(from, 1, few))
			for range tasks/each - 4 {
				claim()
			}
			last := pages(postgres.ClaimFrom(from, 1, few))
			anew := pages("claim", []any{int32(1), []string{"default"}, []string{"order_workflow"}, []string{}, int32(few), []string{}, []int32{}})
			t.Logf("%d pages after %d claims, %d after %d; one that looks anew reads %d", first, 2*each, last, tasks-2*each, anew)
			if last > first+20 {
				t.Errorf("a claim of %d reads %d pages after %d were claimed, and %d after %d", few, last, tasks-2*each, first, 2*each)
			}
			if anew < last+50 {
				t.Errorf("a claim that looks anew reads %d pages: what is taken costs nothing, so this test shows nothing", anew)
			}
		})
	}
}

// pagesOf is how many pages a statement reads.
func pagesOf(t *testing.T, conn *pgx.Conn, sql string, args ...any) int {
	t.Helper()
	var (
		text  []byte
		plans []struct {
			Plan struct {
				Hit  int `json:"Shared Hit Blocks"`
				Read int `json:"Shared Read Blocks"`
			}
		}
	)
	if err := conn.QueryRow(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+sql, args...).Scan(&text); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan.Hit + plans[0].Plan.Read
}
