package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/cli/alertwatch"
)

// What the watch evaluates is what the database tells of queues, dead letters and workers.
func TestAlertsOfWhatTheDatabaseTells(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		h := newHistory(t, b)
		h.tellAll() // two dead letters; validate_order runs
		e := alertwatch.New(alerts.Options{Thresholds: alerts.Thresholds{Wedged: time.Nanosecond}, Windows: alerts.Windows{Events: 24 * time.Hour}}, "here")
		look := func(at string) map[string]float64 {
			t.Helper()
			h.clock.at(t, at)
			r, err := e.Read(t.Context(), h.db)
			if err != nil {
				t.Fatal(err)
			}
			r.Skew = 0 // the test's clock is not this machine's
			found := map[string]float64{}
			for _, a := range e.Look(h.clock.Now(), r, nil) {
				found[strings.Join([]string{a.Name, a.Labels["queue"], a.Labels["step"], a.Labels["instance"]}, " ")] = a.Value
			}
			return found
		}
		renew := func(used int) {
			t.Helper()
			if _, err := h.db.Renew(t.Context(), testWorker, backend.WorkerReady, used, 24*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		wants := func(found map[string]float64, names ...string) {
			t.Helper()
			for _, name := range names {
				if _, ok := found[name]; !ok {
					t.Errorf("no %q in %v", name, found)
				}
			}
		}

		renew(10) // all slots
		found := look("11:00:10")
		wants(found, "StentDeadLettersGrowing default charge_payment ", "StentDeadLettersGrowing default order_workflow ")
		if n := found["StentDeadLettersGrowing default charge_payment "]; n != 1 {
			t.Errorf("%v dead letters of a step, want 1", n)
		}
		wants(look("11:00:20"), "StentWorkerWedged   worker-1")
		renew(9)
		if found = look("11:00:30"); found["StentWorkerWedged   worker-1"] != 0 {
			t.Errorf("a worker with a free slot is wedged: %v", found)
		}

		b.execute(t, h.dsn, "UPDATE workers SET lease_until = started_at")
		if _, err := h.db.Reap(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		found = look("11:00:40")
		wants(found, "StentTasksTakenOver default  ", "StentTasksTakenOver billing  ", "StentQueueWithoutWorkers default  ")
		if n := found["StentTasksTakenOver default  "]; n != 9 {
			t.Errorf("%v tasks were taken over, want the 9 that the worker said it was running", n)
		}
	})
}
