package sqlite_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// What the console asks is answered from indexes, beside 100,000 tasks that have ended.
func TestTheConsoleReadsIndexes(t *testing.T) {
	path := newPath(t)
	history(t, path, 100_000, 1000)
	db := open(t, path) // which knows what ANALYZE said
	for name, want := range map[string]string{
		"list_executions":              "SEARCH executions USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
		"list_executions_live":         "USING INDEX executions_live (n>? AND n<?)",
		"list_executions_unsuccessful": "USING INDEX executions_unsuccessful (state=? AND n>? AND n<?)",
		"list_executions_prefix":       "(id>? AND id<?)",
		"created":                      "SEARCH executions USING INTEGER PRIMARY KEY (rowid<?)",
		"list_tasks_running":           "executions_held",
		"dead_letters":                 "USING INTEGER PRIMARY KEY (rowid<?)",
		"stats_executions":             "SCAN tallies",
		"read_executions":              "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
	} {
		steps, err := db.Plan(name)
		if err != nil {
			t.Fatal(err)
		}
		whole := func(step string) bool {
			for _, table := range []string{"executions", "e", "dead_letters"} {
				if step == "SCAN "+table {
					return true
				}
			}
			return strings.HasPrefix(step, "SCAN t") && !strings.Contains(step, "tasks_claimed") && step != "SCAN tallies"
		}
		if all := strings.Join(steps, "\n"); slices.ContainsFunc(steps, whole) || !strings.Contains(all, want) {
			t.Errorf("%s is not found by %q:\n%s", name, want, all)
		}
	}
}

// A list of what was created since a time begins its search near that time, and misses nothing: also not what was created
// after the machine's clock was set back.
func TestListSinceFindsAllOfThem(t *testing.T) {
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	now := begin
	db := open(t, newPath(t), sqlite.Clock(func() time.Time { return now }), sqlite.Synchronous(sqlite.Normal))
	const hours = 240
	var created []time.Time
	for i := range hours {
		now = begin.Add(time.Duration(i) * time.Hour)
		if i+1 == hours/2 { // where the search looks first
			now = now.Add(-23 * time.Hour)
		}
		created = append(created, now)
		if err := db.Commit(t.Context(), &backend.Batch{Commands: []backend.Command{start(strconv.Itoa(i))}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, since := range created {
		all, err := db.Executions(t.Context(), backend.ExecutionFilter{Since: since, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, at := range created {
			if !at.Before(since) {
				want++
			}
		}
		if len(all) != want {
			t.Errorf("since %s: %d executions, want %d", since, len(all), want)
		}
		if first := db.FirstSince(since); first > int64(i) || first < int64(i-50) {
			t.Errorf("since number %d the search goes back to number %d", i+1, first)
		}
	}
}

// BenchmarkConsole asks what the console asks, beside tasks that have ended and a hundredth of them that wait.
func BenchmarkConsole(b *testing.B) {
	n := backendtest.BenchTasks(b)
	backendtest.BenchmarkConsole(b, history(b, b.TempDir()+"/stent.db", n, n/100), "ended-4242")
}
