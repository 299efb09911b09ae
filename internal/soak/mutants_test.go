//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutant is Stent without one of its protections.
type mutant struct {
	name  string
	edits []edit
	soak  []string // the flags of a soak that shows it
	shows string   // a part of the violation
	story string   // a test at the root of the repository that fails
}

// edit replaces a text that is there once in a file of the checkout.
type edit struct{ file, old, new string }

const (
	inSQLite   = "core/backend/sqlite/"
	inPostgres = "core/backend/postgres/"
)

var mutants = []mutant{
	{
		name: "SQLite: a worker that was declared dead may write, and tokens are not compared",
		edits: append(withoutTokens(inSQLite, "token = :token", ":token > 0", "complete", "bury", "turned", "close"),
			edit{inSQLite + "commit.go", "t.alive = state != backend.WorkerDead && state != backend.WorkerStopped", "t.alive = state != \"\""},
			edit{inSQLite + "sql/turn.sql", "e.token = t.value ->> 1", "t.value ->> 1 > 0"}),
		soak:  []string{"-only", "overtake", "-for", "60s"},
		story: "TestAWriteThatIsUnderWayUntilItsLeaseIsOverChangesNothing//sqlite",
	},
	{
		name: "PostgreSQL: tokens are not compared",
		edits: slices.Concat(
			withoutTokens(inPostgres, "t.token = u.token", "u.token > 0", "complete", "bury"),
			withoutTokens(inPostgres, "e.token = u.token", "u.token > 0", "turned", "close"),
			withoutTokens(inPostgres, "e.token = u.token AND e.state = 'running' AND e.worker = $4", "u.token > 0 AND e.state = 'running' AND $4 > 0", "turn")),
		soak:  []string{"-backend", "postgres", "-only", "overtake", "-for", "60s"},
		story: "TestAWriteThatIsUnderWayUntilItsLeaseIsOverChangesNothing//postgres",
	},
	{
		name: "the end of an activity and the wake of its workflow are two transactions",
		edits: []edit{{
			inSQLite + "finish.go",
			"		return t.isAt(n, c.Task.Seq, c.Token, backend.Completed)\n	}\n	return true, t.wake(n)",
			"		return t.isAt(n, c.Task.Seq, c.Token, backend.Completed)\n	}\n" +
				"	_ = t.script(t.ctx, \"COMMIT\")\n	<-time.After(20 * time.Millisecond)\n	_ = t.script(t.ctx, \"BEGIN IMMEDIATE\")\n	return true, t.wake(n)",
		}, {inSQLite + "finish.go", `import "github.com/stentgo/stent/core/backend"`, "import (\n\t\"time\"\n\n\t\"github.com/stentgo/stent/core/backend\"\n)"}},
		soak:  []string{"-only", "kill"},
		shows: "want completed",
	},
	{
		name:  "leases are taken over before they are over",
		edits: []edit{{inSQLite + "sql/reap_workers.sql", "lease_until <= :now", "lease_until <= :now + 1900000"}, {inSQLite + "sql/reap_look.sql", "lease_until <= :now", "lease_until <= :now + 1900000"}},
		soak:  []string{"-only", "kill"},
	},
	{
		name:  "signals are read in any order",
		edits: []edit{{inSQLite + "sql/history_signals.sql", "ORDER BY seq", "ORDER BY seq DESC"}},
		soak:  []string{"-only", "kill"},
		shows: "mailbox",
	},
	{
		name:  "MaxConcurrent is not counted",
		edits: []edit{{inSQLite + "claim.go", "cl.free[step] = max(limit-running, 0)", "cl.free[step] = limit - 0*running"}},
		soak:  []string{"-only", "deploy"},
		shows: "went on at once, with MaxConcurrent",
	},
	{
		name:  "a workflow that leaves memory is not due when its timer ends",
		edits: []edit{{inSQLite + "sql/yield.sql", "THEN :now ELSE :due_at END", "THEN :now WHEN :due_at IS NULL THEN NULL END"}},
		soak:  []string{"-only", "deploy"},
		shows: "want completed",
	},
	{
		name:  "the last change of a counter is made again when a workflow runs again",
		edits: []edit{{"core/flow.go", "if f.effects > f.run.effects {", "if f.effects >= f.run.effects {"}},
		soak:  []string{"-only", "kill"},
		shows: "has counted",
	},
	{
		name:  "a start is accepted whatever became of its transaction",
		edits: []edit{{"core/committer.go", "			if p.asked() {\n				p.then.done(err)", "			if p.asked() {\n				p.then.done(nil)"}},
		soak:  []string{"-only", "disk full"},
		shows: "not found", // by who signals or cancels it
	},
	{
		name:  "a child's end does not reach its parent",
		edits: []edit{{inSQLite + "sql/settle_parent.sql", "AND state = 'waiting'", "AND state = 'waiting' AND (:now / 1000) % 10 > 0"}},
		soak:  []string{"-only", "deploy"},
		shows: "want completed",
	},
}

// withoutTokens takes the comparison of fencing tokens out of statements.
func withoutTokens(in, compared, instead string, statements ...string) []edit {
	edits := make([]edit, len(statements))
	for i, name := range statements {
		edits[i] = edit{in + "sql/" + name + ".sql", compared, instead}
	}
	return edits
}

// overlay writes a mutant's files and the description of them that `go build -overlay` takes.
func (m *mutant) overlay(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	texts := map[string]string{}
	for _, e := range m.edits {
		if _, ok := texts[e.file]; !ok {
			data, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			texts[e.file] = string(data)
		}
		if n := strings.Count(texts[e.file], e.old); n != 1 {
			t.Fatalf("%s has %d times, want once: %s", e.file, n, e.old)
		}
		texts[e.file] = strings.Replace(texts[e.file], e.old, e.new, 1)
	}
	for file, text := range texts {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = copied
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What the mutants take away is still there under that name, so that `make soak-mutants` does not find it out at night.
func TestMutantsApply(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.overlay(t) })
	}
}
