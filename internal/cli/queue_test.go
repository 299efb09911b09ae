package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestQueue pauses a queue, sees that it is, and resumes it.
func TestQueue(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellAll()
		h.clock.at(t, "11:00:05")
		got := h.run("queue", "pause", "billing")
		if want := "Paused billing: nothing begins from it until `stent queue resume billing`.\n"; got.code != exitOK || got.stdout != want {
			t.Fatalf("exit code %d, %q %q, want %q", got.code, got.stdout, got.stderr, want)
		}
		b.golden(t, "queue_paused", []string{"queue", "list"}, byMe(h.run("queue", "list")))
		if got := h.run("stats"); !strings.Contains(got.stdout, "billing (paused) |") {
			t.Errorf("stats:\n%s", got.stdout)
		}
		var shape queueDetailShape
		if err := json.Unmarshal([]byte(h.run("queue", "pause", "billing", "--json").stdout), &shape); err != nil {
			t.Fatal(err)
		}
		if shape.Queue != "billing" || !shape.Paused || shape.PausedAt == nil || *shape.PausedBy != actor() {
			t.Errorf("%+v", shape)
		}
		if got := h.run("queue", "resume", "billing"); got.code != exitOK || got.stdout != "Resumed billing.\n" {
			t.Errorf("exit code %d, %q %q", got.code, got.stdout, got.stderr)
		}
		if paused, err := h.db.PausedQueues(t.Context()); err != nil || len(paused) != 0 {
			t.Errorf("paused: %v, %v", paused, err)
		}
	})
}

// TestQueueMistyped: a name that nothing has used is pointed out.
func TestQueueMistyped(t *testing.T) {
	h := newHistory(t, testBackends[0])
	for _, verb := range []string{"pause", "resume"} {
		if got := h.run("queue", verb, "biling"); got.code != exitOK || !strings.Contains(got.stdout, "Nothing has used a queue of that name yet.") {
			t.Errorf("%s: exit code %d, %q %q", verb, got.code, got.stdout, got.stderr)
		}
	}
}

// byMe makes an output the same whoever runs the tests.
func byMe(r result) result {
	r.stdout = strings.ReplaceAll(r.stdout, actor(), "anna@shop")
	return r
}
