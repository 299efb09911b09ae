package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// bury adds dead letters of an execution's own: n activities that failed with the same words and other numbers.
func (h *history) bury(id string, n int) {
	h.t.Helper()
	h.start(id)
	h.claim()
	for seq := 1; seq <= n; seq++ {
		key := "ship#" + count(int64(seq))
		h.commit(&backend.Turn{Execution: id, Token: 1, Added: []backend.Add{{
			Seq: seq, Key: key, Kind: backend.Activity, Step: "ship", Queue: "billing", InputHash: 1, State: backend.Running,
		}}})
		failure := backend.Failure{Message: "no carrier for parcel " + count(int64(100+seq))}
		h.commit(&backend.Bury{Task: task(id, seq), Token: 1, State: backend.Failed, Failure: failure, Reason: failure.Message})
	}
	h.commit(&backend.Turn{Execution: id, Token: 1, Close: &backend.Close{State: backend.Failed, Failure: &backend.Failure{Message: "no"}}})
}

func TestReplayAll(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		h.bury("parcels", 3)
		fingerprint := core.Fingerprint(backend.Failure{Message: "no carrier for parcel 1"})

		for _, c := range []struct {
			args []string
			want []string
			code int
		}{
			{[]string{"dlq", "groups"}, []string{"3     | " + fingerprint + " | ship", "1     | "}, exitOK},
			{[]string{"dlq", "list", "--fingerprint", fingerprint}, []string{"parcels.1", "parcels.3"}, exitOK},
			{[]string{"dlq", "replay-all", "--fingerprint", fingerprint, "--dry-run"}, []string{"3 dead letters would be replayed.\n", "ship"}, exitOK},
			{[]string{"dlq", "replay-all", "--step", "ship"}, []string{"Replay 3 dead letters? [y/N]", "--yes"}, exitUsage}, // nobody answers
			{[]string{"dlq", "replay-all", "--step", "nothing"}, []string{"No dead letters fit.\n"}, exitOK},
			{[]string{"dlq", "replay-all", "--step", "ship", "--limit", "2", "--rate", "1000/s", "--to-queue", "retry", "--yes"}, []string{"Replayed 2 dead letters.\n"}, exitOK},
			{[]string{"dlq", "replay-all", "--yes"}, []string{"Replayed 2 dead letters.\n"}, exitOK},
			{[]string{"dlq", "replay-all", "--yes"}, []string{"Replayed 0 dead letters.\n"}, exitOK},
		} {
			got := h.run(c.args...)
			if got.code != c.code {
				t.Errorf("%q: exit code %d", c.args, got.code)
			}
			for _, want := range c.want {
				if !strings.Contains(got.stdout+got.stderr, want) {
					t.Errorf("%q: %q is not in\n%s%s", c.args, want, got.stdout, got.stderr)
				}
			}
		}
		entries, err := h.db.Audit(t.Context(), backend.AuditFilter{Action: backend.ActionReplay, Actor: actor()})
		if err != nil || len(entries) != 4 || entries[3].Detail != "queue billing -> retry" {
			t.Errorf("%+v, %v", entries, err)
		}
	})
}

// TestReplayAllAsks: only a clear yes is one.
func TestReplayAllAsks(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.bury("parcels", 2)
	t.Setenv("STENT_DB", h.dsn)
	for _, c := range []struct {
		answer, want string
		left         int
	}{{"\n", "nothing was changed", 2}, {"maybe\n", "nothing was changed", 2}, {"Yes\n", "Discarded 2 dead letters.", 0}} {
		var out, errs strings.Builder
		a := &app{stdin: strings.NewReader(c.answer), stdout: &out, stderr: &errs, now: h.clock.Now, program: "stent"}
		a.run(t.Context(), []string{"dlq", "discard-all", "--step", "ship"})
		if got := out.String() + errs.String(); !strings.Contains(got, c.want) {
			t.Errorf("answered %q: %q", c.answer, got)
		}
		if letters, err := h.db.DeadLetters(t.Context(), backend.DeadLetterFilter{}); err != nil || len(letters) != c.left {
			t.Errorf("answered %q: %d dead letters, %v", c.answer, len(letters), err)
		}
	}
}

// TestReplayAllCanary: nobody works here, so that the canary does not end, and the others stay where they are.
func TestReplayAllCanary(t *testing.T) {
	h := newHistory(t, testBackends[0])
	h.bury("parcels", 3)
	got := h.run("dlq", "replay-all", "--canary", "1", "--canary-within", "0.01s", "--yes")
	if got.code != exitError || !strings.Contains(got.stdout, "~ canary parcels.3 ship: pending\n") ||
		!strings.Contains(got.stderr, "1 of 1 canaries did not end well within 10ms, the others were left") {
		t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	var shape bulkShape
	if err := json.Unmarshal([]byte(h.run("dlq", "discard-all", "--yes", "--json").stdout), &shape); err != nil || shape.Done != 2 {
		t.Errorf("%+v, %v", shape, err)
	}
}

// TestDiscard removes one, and the audit keeps who did it.
func TestDiscard(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		if got := h.run("dlq", "discard", failedID); got.code != exitOK || got.stdout != "Discarded order-failed.2: charge_payment.\n" {
			t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
		}
		if got := h.run("show", failedID); !strings.Contains(got.stdout, "State: failed\n") {
			t.Errorf("after it:\n%s", got.stdout)
		}
	})
}

// TestShowAudit: a task that was replayed and failed again shows both.
func TestShowAudit(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		h.clock.at(t, "11:00:05")
		h.run("dlq", "replay", failedID, "--queue", "retry")
		h.claim()
		task := task(failedID, 2)
		found, err := h.db.Tasks(t.Context(), backend.TaskFilter{Execution: failedID, States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}})
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		h.clock.at(t, "11:00:10")
		failure := backend.Failure{Type: "ConnectionError", Message: "Connection refused"}
		h.commit(&backend.Bury{Task: task, Token: found[0].Token, State: backend.Failed, Failure: failure, Reason: "ConnectionError: Connection refused"})
		b.golden(t, "dlq_show_audit", []string{"dlq", "show", failedID}, byMe(h.run("dlq", "show", failedID)))
		var shape deadLetterDetailShape
		if err := json.Unmarshal([]byte(h.run("dlq", "show", failedID, "--json").stdout), &shape); err != nil {
			t.Fatal(err)
		}
		if len(shape.Audit) != 1 || shape.Audit[0].Actor != actor() || *shape.Audit[0].Detail != "queue default -> retry" || shape.Fingerprint == "" {
			t.Errorf("%+v", shape)
		}
	})
}
