package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Where nothing is wrong, doctor says so and ends with 0.
func TestDoctorFindsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		r := h.run("doctor")
		if r.code != exitOK || strings.Contains(r.stdout, "problem") || !strings.Contains(r.stdout, "ok       schema") || !strings.Contains(r.stdout, "none of them stuck") {
			t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
	})
}

// A queue that nobody serves is a problem, a dead letter a warning; scripts see the first by the exit code.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellFailed()
		h.commit(&backend.Start{ID: "lost", Workflow: "order_workflow", Queue: "nobody"})
		r := h.run("doctor")
		if r.code != exitError || r.stderr != "" {
			t.Errorf("exit code %d, %q", r.code, r.stderr)
		}
		for _, text := range []string{
			"problem  queues        1 tasks are due in nobody, and no live worker serves it",
			"warning  dead letters  1 tasks will not be tried again by themselves",
			"stent dlq list",
		} {
			if !strings.Contains(r.stdout, text) {
				t.Errorf("does not say %q:\n%s", text, r.stdout)
			}
		}
		var shape doctorShape
		if err := json.Unmarshal([]byte(h.run("doctor", "--json").stdout), &shape); err != nil || shape.Healthy || len(shape.Findings) == 0 {
			t.Errorf("%+v, %v", shape, err)
		}
	})
}

// A worker that stopped renewing is told with what it holds; without another one alive it is a problem.
func TestDoctorFindsASilentWorker(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		if _, err := h.db.Register(t.Context(), backend.Worker{ID: "gone", Queues: []string{"x"}, State: backend.WorkerReady}, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if b.exact {
			h.clock.at(t, "12:00:00")
		}
		deadline := time.Now().Add(30 * time.Second)
		for !strings.Contains(h.run("doctor").stdout, "gone stopped renewing") {
			if time.Now().After(deadline) {
				t.Fatalf("says\n%s", h.run("doctor").stdout)
			}
			<-time.After(10 * time.Millisecond)
		}
	})
}

func TestDoctorKnowsTheClock(t *testing.T) {
	for skew, want := range map[time.Duration]string{
		0: "0s ahead of", -time.Hour: "1h0m0s behind", 1500 * time.Millisecond: "1.5s ahead of",
	} {
		f := examineClock(skew)
		if !strings.Contains(f.Text, want) || (f.Level == warning) != (skew.Abs() > clockSkewLimit) {
			t.Errorf("%v: %+v", skew, f)
		}
	}
}
