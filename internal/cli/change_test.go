package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// TestReplay puts a dead letter back and sees its execution reopened.
func TestReplay(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		got := h.run("dlq", "replay", "order-f", "--queue", "retry")
		want := "Replayed order-failed.2: charge_payment is in queue retry again.\n"
		if got.code != exitOK || got.stdout != want {
			t.Fatalf("exit code %d, %q %q, want %q", got.code, got.stdout, got.stderr, want)
		}
		tasks, err := h.db.Tasks(t.Context(), backend.TaskFilter{Execution: failedID, States: []backend.State{backend.Pending}, Kinds: []backend.Kind{backend.Activity}})
		if err != nil || len(tasks) != 1 || tasks[0].Queue != "retry" || tasks[0].Attempt != 1 {
			t.Fatalf("after the replay these are pending: %+v, %v", tasks, err)
		}
		if got := h.run("show", failedID); !strings.Contains(got.stdout, "State: running\n") || strings.Contains(got.stdout, "Error:") {
			t.Errorf("after the replay:\n%s", got.stdout)
		}
		if got := h.run("dlq", "list"); got.stdout != "No dead letters.\n" {
			t.Errorf("after the replay:\n%s", got.stdout)
		}
		if got := h.run("dlq", "replay", failedID+".2"); got.code != exitError || !strings.Contains(got.stderr, "no dead letter") {
			t.Errorf("a second replay: exit code %d, %q", got.code, got.stderr)
		}
	})
}

// TestReplayNobodyServes says so at once, and not by letting the operator wait.
func TestReplayNobodyServes(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellFailed()
	got := h.run("dlq", "replay", failedID+".2", "--queue", "lonely")
	if got.code != exitOK || !strings.Contains(got.stdout, "No worker serves that queue now") {
		t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
	}
}

func TestReplayJSON(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellFailed()
	var shape replayShape
	if err := json.Unmarshal([]byte(h.run("dlq", "replay", failedID, "--json").stdout), &shape); err != nil {
		t.Fatal(err)
	}
	if want := (replayShape{TaskID: failedID + ".2", Queue: "default"}); shape != want {
		t.Errorf("got %+v, want %+v", shape, want)
	}
}

// TestSeveralDeadLetters: an execution's id is enough only where it has a single one.
func TestSeveralDeadLetters(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.start("twice")
	h.claim()
	h.begin("twice", 0, 1, "validate_order")
	h.begin("twice", 0, 2, "charge_payment")
	for seq := 1; seq <= 2; seq++ {
		h.commit(&backend.Bury{Task: task("twice", seq), Token: 1, State: backend.Failed, Failure: backend.Failure{Message: "no"}, Reason: "no"})
	}
	got := h.run("dlq", "show", "twice")
	if got.code != exitError || !strings.Contains(got.stderr, `"twice" fits more than one dead letter: `) || !strings.Contains(got.stderr, "twice.1") {
		t.Errorf("exit code %d, %q", got.code, got.stderr)
	}
	if got := h.run("dlq", "show", "tw.2"); got.code != exitOK || !strings.Contains(got.stdout, "Task ID: twice.2\n") {
		t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
	}
}

// TestSignal delivers a payload as it was typed.
func TestSignal(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellWaiting()
		got := h.run("signal", "order-w", "approval", `{"approved": true}`)
		if got.code != exitOK || got.stdout != "Sent approval to order-waiting.\n" {
			t.Fatalf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
		}
		histories, err := h.db.History(t.Context(), []string{waitingID})
		if err != nil || len(histories) != 1 || len(histories[0].Signals) != 1 {
			t.Fatalf("signals: %+v, %v", histories, err)
		}
		if s := histories[0].Signals[0]; s.Name != "approval" || string(s.Payload) != `{"approved": true}` {
			t.Errorf("signal %s with %s", s.Name, s.Payload)
		}
	})
}

// TestSignalFromStdin reads the payload that does not fit a command line.
func TestSignalFromStdin(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellWaiting()
	t.Setenv("STENT_DB", h.dsn)
	var out, errs strings.Builder
	a := &app{stdin: strings.NewReader(" [1, 2]\n"), stdout: &out, stderr: &errs, now: h.clock.Now, program: "stent"}
	if code := a.run(t.Context(), []string{"signal", waitingID, "note", "-", "--json"}); code != exitOK {
		t.Fatalf("exit code %d, %q", code, errs.String())
	}
	var shape signalShape
	if err := json.Unmarshal([]byte(out.String()), &shape); err != nil || shape.ExecutionID != waitingID || shape.Signal != "note" {
		t.Errorf("got %+v, %v", shape, err)
	}
}

// TestListSince looks back from now, and from a time.
func TestListSince(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.tellAll()
	for _, c := range []struct {
		since string
		want  []string
	}{
		{"10m", []string{delayedID, pendingID, sleepingID, waitingID}},
		{"2024-01-15T10:52:00", []string{delayedID, pendingID, sleepingID}},
		{"0s", nil},
	} {
		var listed []executionShape
		if err := json.Unmarshal([]byte(h.run("list", "--since", c.since, "--json").stdout), &listed); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, x := range listed {
			ids = append(ids, x.ID)
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("since %s: %q, want %q", c.since, ids, c.want)
		}
	}
}

// TestPages reads lists that are longer than what is read at once.
func TestPages(t *testing.T) {
	h := newHistory(t, testBackends[0])
	var starts []backend.Command
	for i := range 2*pageSize + 1 {
		starts = append(starts, &backend.Start{ID: "bulk-" + count(int64(i)), Workflow: "bulk", Queue: "default", Delay: time.Hour})
	}
	h.commit(starts...)
	var all []executionShape
	if err := json.Unmarshal([]byte(h.run("list", "--limit", "5000", "--json").stdout), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(starts) || all[0].ID != "bulk-1000" || all[len(all)-1].ID != "bulk-0" {
		t.Errorf("%d executions, from %s to %s", len(all), all[0].ID, all[len(all)-1].ID)
	}
	if err := json.Unmarshal([]byte(h.run("list", "--limit", "501", "--json").stdout), &all); err != nil || len(all) != 501 {
		t.Errorf("%d executions, want 501 (%v)", len(all), err)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if got := stent(t.Context(), newClock(), args...); got.code != exitOK || !strings.HasPrefix(got.stdout, "stent ") {
			t.Errorf("%q: exit code %d, %q", args, got.code, got.stdout)
		}
	}
}

// TestMigrate: what is up to date stays so, and is told so.
func TestMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		for _, args := range [][]string{{"migrate", "status"}, {"migrate", "up"}} {
			if got := h.run(args...); got.code != exitOK || !strings.Contains(got.stdout, "is up to date") {
				t.Errorf("%q: exit code %d, %q %q", args, got.code, got.stdout, got.stderr)
			}
		}
	})
}

// TestMigrateStatusNamesWhatIsPending makes a schema look older than it is.
func TestMigrateStatusNamesWhatIsPending(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		b.execute(t, h.dsn, "UPDATE migrations SET version = version - 1000")
		got := h.run("migrate", "status")
		if got.code != exitError || !strings.Contains(got.stdout, "Pending:\n  0001  initial\n") || !strings.Contains(got.stderr, "run `stent migrate up`") {
			t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
		}
		got = h.run("migrate", "status", "--json")
		if got.code != exitError || !strings.Contains(got.stdout, `"up_to_date": false`) || !strings.Contains(got.stdout, `"name": "initial"`) {
			t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
		}
	})
}
