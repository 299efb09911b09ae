package sqlite_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend/sqlite"
)

func TestEverySQLFileIsOneStatementThatSaysWhatItDoes(t *testing.T) {
	all, used, err := sqlite.Files()
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, newPath(t))
	for _, file := range all {
		text := sqlite.Text(file)
		if !used[file] {
			t.Errorf("%s is not used", file)
		}
		if !strings.HasPrefix(text, "-- ") {
			t.Errorf("%s does not begin with a comment", file)
		}
		if statements := regexp.MustCompile(`(?m);\s*$`).FindAllString(text, -1); len(statements) != 1 {
			t.Errorf("%s has %d statements", file, len(statements))
		}
		if _, err := db.Plan(strings.TrimSuffix(file, ".sql")); err != nil {
			t.Errorf("%s does not run as it is: %v", file, err)
		}
	}
}

func TestHotStatementsReadNoTableFromEndToEnd(t *testing.T) {
	db := open(t, newPath(t))
	for _, name := range []string{
		"claim_lane_executions", "claim_due_executions", "claim_later_executions", "claim_lane_tasks", "claim_due_tasks", "claim_later_tasks",
		"claim_executions", "claim_tasks", "claim_running", "claim_woken", "read_executions", "read_tasks", "history_tasks", "history_signals", "news",
		"turn", "complete", "retry", "bury", "settle", "close", "yield", "wake", "find_execution", "held_executions", "list_tasks_of",
		"add_child", "settle_parent", "replay_child", "continue", "trim", "trim_failures", "trim_signals", "stand_alone", "reopen", "replay_restore", "forget_all",
	} {
		steps, err := db.Plan(name)
		if err != nil {
			t.Fatal(err)
		}
		scans := func(step string) bool {
			return strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "VIRTUAL TABLE") && !strings.Contains(step, "(subquery")
		}
		if slices.ContainsFunc(steps, scans) {
			t.Errorf("%s: %s", name, strings.Join(steps, "; "))
		}
	}
	for name, index := range map[string]string{
		"claim_due_executions": "COVERING INDEX executions_claimable", "claim_due_tasks": "COVERING INDEX tasks_claimable",
		"claim_queues": "tasks_claimable (queue>?)", "claim_running": "COVERING INDEX tasks_claimed", "claim_woken": "executions_woken", "history_signals": "signals_unconsumed",
	} {
		steps, err := db.Plan(name)
		if err != nil || !strings.Contains(strings.Join(steps, "; "), index) {
			t.Errorf("%s does not use %s: %v, %v", name, index, steps, err)
		}
	}
}
