package cli

import (
	"context"
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

// A process that goes on after its worker was declared dead is what fencing is for; one that was killed is not.
func TestDoctorFindsWhatFencingRefused(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.register(backend.Worker{ID: "killed", Host: "pier", PID: 1}, time.Second)
		h.register(backend.Worker{ID: "paused", Host: "pier", PID: 2}, time.Second)
		declared := 0
		h.until("both are declared dead", func() bool {
			reaped, err := h.db.Reap(t.Context(), 3)
			if err != nil {
				t.Fatal(err)
			}
			declared += len(reaped.Workers)
			return declared == 2
		})
		if text := h.run("doctor").stdout; !strings.Contains(text, "ok       fencing") {
			t.Errorf("before the process has come back:\n%s", text)
		}
		h.clock.advance(time.Second)
		h.register(backend.Worker{ID: "paused-again", Host: "pier", PID: 2}, time.Hour)
		r := h.run("doctor")
		if r.code != exitOK || !strings.Contains(r.stdout, "warning  fencing       1 workers") || !strings.Contains(r.stdout, "paused on pier") ||
			!strings.Contains(r.stdout, "which became paused-again") || !strings.Contains(r.stdout, "WorkerConfig.Lease") {
			t.Errorf("exit code %d\n%s", r.code, r.stdout)
		}
	})
}

// What is wrong with the database itself, each with what helps.
func TestDoctorFindsWhatAilsTheDatabase(t *testing.T) {
	well := backend.DatabaseStats{DeadTuples: deadTupleLimit, OldestTransaction: transactionLimit, WAL: walLimit, Size: 5 << 20}
	for _, c := range []struct {
		spoil        func(s *backend.DatabaseStats)
		text, remedy string
	}{
		{func(*backend.DatabaseStats) {}, "5 MiB", ""},
		{func(s *backend.DatabaseStats) { s.DeadTuples++ }, "1000001 dead rows wait for vacuum", "autovacuum"},
		{func(s *backend.DatabaseStats) { s.OldestTransaction += time.Minute }, "has been open for 16m", "pg_stat_activity"},
		{func(s *backend.DatabaseStats) { s.WAL += 1 << 20 }, "write-ahead log has 257 MiB", "a reader that stays open"},
	} {
		stats := well
		c.spoil(&stats)
		found, err := examineDatabase(t.Context(), diagnosed{stats: stats})
		if err != nil || len(found) != 1 || !strings.Contains(found[0].Text, c.text) || !strings.Contains(found[0].Remedy, c.remedy) ||
			(found[0].Level == warning) != (c.remedy != "") {
			t.Errorf("%+v: %+v, %v", stats, found, err)
		}
	}
}

type diagnosed struct {
	backend.Backend
	stats backend.DatabaseStats
}

func (d diagnosed) Diagnose(context.Context) (backend.DatabaseStats, error) { return d.stats, nil }

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
