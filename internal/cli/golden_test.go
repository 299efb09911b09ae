package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds what each command prints. What it prints is a contract: scripts read it.
func TestGolden(t *testing.T) {
	cases := []struct {
		name string
		args []string
	}{
		{"list", []string{"list"}},
		{"list_json", []string{"list", "--limit", "3", "--json"}},
		{"list_state", []string{"list", "--state", "completed,failed"}},
		{"list_page", []string{"list", "--limit", "2", "--after", waitingID}},
		{"list_since_future", []string{"list", "--since", "2999-01-01"}},
		{"list_none", []string{"list", "--workflow", "nothing"}},
		{"list_none_json", []string{"list", "--queue", "nothing", "--json"}},
		{"list_tag", []string{"list", "--tag", "eu", "--workflow", "order_workflow", "--queue", "default", "--limit", "1"}},
		{"show_completed", []string{"show", completedID}},
		{"show_completed_json", []string{"show", completedID, "--json"}},
		{"show_running", []string{"show", runningID}},
		{"show_failed", []string{"show", failedID}},
		{"show_failed_json", []string{"show", failedID, "--json"}},
		{"show_panicked", []string{"show", panickedID}},
		{"show_retrying", []string{"show", retryingID}},
		{"show_retrying_json", []string{"show", retryingID, "--json"}},
		{"show_waiting", []string{"show", waitingID}},
		{"show_sleeping", []string{"show", sleepingID}},
		{"show_pending", []string{"show", pendingID}},
		{"show_delayed", []string{"show", delayedID}},
		{"show_prefix", []string{"show", "order-p"}},
		{"dlq_list", []string{"dlq", "list"}},
		{"dlq_list_json", []string{"dlq", "list", "--json"}},
		{"dlq_list_step", []string{"dlq", "list", "--step", "charge_payment", "--queue", "default", "--limit", "1"}},
		{"dlq_list_none", []string{"dlq", "list", "--step", "nothing"}},
		{"dlq_groups", []string{"dlq", "groups"}},
		{"dlq_groups_json", []string{"dlq", "groups", "--step", "charge_payment", "--json"}},
		{"dlq_replay_all_dry_run", []string{"dlq", "replay-all", "--queue", "default", "--dry-run"}},
		{"help_cleanup", []string{"cleanup", "--help"}},
		{"help_dlq_replay_all", []string{"dlq", "replay-all", "--help"}},
		{"dlq_show", []string{"dlq", "show", failedID + ".2"}},
		{"dlq_show_execution", []string{"dlq", "show", "order-f"}},
		{"dlq_show_panic", []string{"dlq", "show", panickedID + ".0"}},
		{"dlq_show_json", []string{"dlq", "show", failedID + ".2", "--json"}},
		{"tasks", []string{"tasks"}},
		{"tasks_state", []string{"tasks", "--state", "running"}},
		{"tasks_execution_json", []string{"tasks", "--execution", "order-w", "--state", "completed,waiting", "--json"}},
		{"tasks_none", []string{"tasks", "--state", "cancelled"}},
		{"stats", []string{"stats"}},
		{"stats_json", []string{"stats", "--json"}},
		{"why_completed", []string{"why", completedID}},
		{"why_failed", []string{"why", failedID}},
		{"why_panicked", []string{"why", panickedID}},
		{"why_retrying", []string{"why", retryingID}},
		{"why_waiting", []string{"why", waitingID}},
		{"why_waiting_json", []string{"why", waitingID, "--json"}},
		{"why_sleeping", []string{"why", sleepingID}},
		{"why_pending", []string{"why", pendingID}},
		{"why_delayed", []string{"why", delayedID}},
		{"trace_completed", []string{"trace", completedID}},
		{"trace_failed", []string{"trace", failedID}},
		{"trace_retrying", []string{"trace", retryingID}},
		{"trace_retrying_json", []string{"trace", retryingID, "--json"}},
		{"trace_running", []string{"trace", runningID}},
		{"trace_pending", []string{"trace", pendingID}},
		{"show_history", []string{"show", waitingID, "--history"}},
		{"queue_list", []string{"queue", "list"}},
		{"queue_list_json", []string{"queue", "list", "--json"}},
		{"migrate_status_json", []string{"migrate", "status", "--json"}},
		{"help", nil},
		{"help_show", []string{"show", "--help"}},
		{"help_demo", []string{"demo", "--help"}},
		{"help_dashboards", []string{"dashboards", "--help"}},
		{"help_alerts", []string{"alerts", "--help"}},
		{"help_alerts_watch", []string{"alerts", "watch", "--help"}},
	}
	used := map[string]bool{ // those of other tests
		filepath.Join("testdata", "queue_paused.golden"):       true,
		filepath.Join("testdata", "schedule_list_none.golden"): true,
		filepath.Join("testdata", "dlq_show_audit.golden"):     true,
	}
	for _, c := range scheduleCases {
		used[filepath.Join("testdata", c.name+".golden")] = true
	}
	for _, c := range cancelCases {
		used[filepath.Join("testdata", c.name+".golden")] = true
	}
	for _, c := range cases {
		used[filepath.Join("testdata", c.name+".golden")] = true
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !used[file] {
			t.Errorf("%s belongs to no case: remove it", file)
		}
	}
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellAll()
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				h.t = t
				b.golden(t, c.name, c.args, h.run(c.args...))
			})
		}
	})
}

// golden compares a command's output with the file that holds it.
func (b testBackend) golden(t *testing.T, name string, args []string, r result) {
	t.Helper()
	got := fmt.Sprintf("$ stent %s\n%s%s", strings.Join(args, " "), r.stdout, r.stderr)
	if r.code != exitOK {
		got += fmt.Sprintf("(exit code %d)\n", r.code)
	}
	path := filepath.Join("testdata", name+".golden")
	if *update && b.exact {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./internal/cli -update writes it)", err)
	}
	if b.comparable(got) != b.comparable(string(want)) {
		t.Errorf("output differs from %s (go test ./internal/cli -update writes it anew)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// TestGuide holds the formats that came before this program, character for character.
func TestGuide(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellCompleted()
		h.prints([]string{"show", completedID}, b, `ID: 550e8400-e29b-41d4-a716-446655440000
State: completed
Started At: 2024-01-15T10:30:00
Completed At: 2024-01-15T10:31:30

Progress:
[10:30:00] > order_workflow (running)
[10:30:05] + validate_order (completed)
[10:30:10] + charge_payment (completed)
[10:30:15] + send_notification (completed)
[10:31:30] + order_workflow (completed)

Counters:
- progress: 42

Custom State:
- owner: billing-pipeline
- phase: completed

Result: {"order_id": "ORD-123", "status": "completed"}
`)
		h.tellRunning()
		h.prints([]string{"list"}, b, `ID                                   | State      | Started At
-----------------------------------------------------------------
550e8400-e29b-41d4-a716-446655440001 | running    | 2024-01-15T10:35:00
550e8400-e29b-41d4-a716-446655440000 | completed  | 2024-01-15T10:30:00
`)
	})
}

// TestGuideToDeadLetters: what the guide shows of a dead letter comes first, and in its order; a task's id is that of its
// execution and a number here.
func TestGuideToDeadLetters(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		h.prints([]string{"dlq", "list"}, b, `Task ID                              | Execution                            | Step            | Reason
-----------------------------------------------------------------------------------------------------------
order-failed.2                       | order-failed                         | charge_payment  | ConnectionError: Connection timed out
`)
		h.prints([]string{"dlq", "show", failedID + ".2"}, b, `Task ID: order-failed.2
Execution ID: order-failed
Step: charge_payment (activity)
Queue: default
Reason: ConnectionError: Connection timed out
Fingerprint: ec2bcee838ca
Moved At: 2024-01-15T10:40:08
Retries: 2
Tags: billing

Attempts:
[10:40:02] x attempt 1: timeout
[10:40:04] x attempt 2: timeout
[10:40:08] x attempt 3: Connection timed out
`)
		h.prints([]string{"dlq", "replay", failedID + ".2", "--queue", "retry"}, b, "Replayed order-failed.2: charge_payment is in queue retry again.\n")
	})
}

// prints compares what a command prints, in full.
func (h *history) prints(args []string, b testBackend, want string) {
	h.t.Helper()
	if got := h.run(args...); got.code != exitOK || b.comparable(got.stdout) != b.comparable(want) {
		h.t.Errorf("%q: exit code %d, prints\n%s%s\nwant, as in the guide to monitoring,\n%s", args, got.code, got.stdout, got.stderr, want)
	}
}

// A result of any kind of JSON is shown, and so is that there is none.
func TestShowResults(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		for id, result := range map[string]string{
			"object": `{"a": [1, {"b": null}]}`, "list": `[1, "two", 3.5]`, "empty-list": `[]`, "text": `"it's done: <b>"`, "number": `12345678901234567890.5`,
			"whole": `-3`, "yes": `true`, "no": `false`, "null": `null`, "none": ``,
		} {
			h.start(id)
			h.claim()
			h.commit(&backend.Turn{Execution: id, Token: 1, Close: &backend.Close{State: backend.Completed, Result: []byte(result)}})
			got := h.run("show", id).stdout
			if want := "\nResult: " + result + "\n"; strings.HasSuffix(got, want) == (result == "") {
				t.Errorf("%s: %s is shown as\n%s", id, result, got)
			}
			var shape struct{ Result json.RawMessage }
			if err := json.Unmarshal([]byte(h.run("show", id, "--json").stdout), &shape); err != nil {
				t.Fatal(err)
			}
			var as, is any
			if result == "" {
				result = "null"
			}
			if json.Unmarshal(shape.Result, &as) != nil || json.Unmarshal([]byte(result), &is) != nil || !reflect.DeepEqual(as, is) {
				t.Errorf("%s: %s is %s as JSON", id, result, shape.Result)
			}
		}
	})
}
