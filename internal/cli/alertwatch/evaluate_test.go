package alertwatch

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core/backend"
)

// watched is an evaluator that looks once a minute.
type watched struct {
	*Evaluator
	now time.Time
}

func watch(o alerts.Options) *watched {
	return &watched{New(o), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
}

// look is a minute later; it returns the names of what fires.
func (w *watched) look(s backend.Stats, err error) (firing []string) {
	w.now = w.now.Add(time.Minute)
	s.Now = w.now
	for i := range s.Queues {
		if age := s.Queues[i].OldestDue; !age.IsZero() {
			s.Queues[i].OldestDue = w.now.Add(-age.Sub(time.Unix(0, 0)))
		}
	}
	for _, a := range w.Look(w.now, s, err) {
		if a.Firing {
			firing = append(firing, a.Name)
		}
	}
	return firing
}

// old is how long the oldest of a queue has waited; look makes a time of it.
func old(d time.Duration) time.Time { return time.Unix(0, 0).Add(d) }

func queue(q backend.QueueStats) backend.Stats {
	q.Queue = "billing"
	return backend.Stats{Queues: []backend.QueueStats{q}}
}

// fired is what fires at some time within so many looks, in which the stats are a function of the minute.
func (w *watched) fired(minutes int, at func(minute int64) backend.Stats) (names []string) {
	for i := range minutes {
		names = append(names, w.look(at(int64(i)), nil)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		name string
		at   func(minute int64) backend.Stats
		want string
	}{
		{"quiet", func(int64) backend.Stats { return queue(backend.QueueStats{Workers: 1}) }, ""},
		{"rising and old", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 90 + 20*i, OldestDue: old(6 * time.Minute), Workers: 1})
		}, "StentQueueGrowing"},
		{"rising and young", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 90 + 20*i, OldestDue: old(5 * time.Minute), Workers: 1})
		}, ""},
		{"old and flat", func(int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 900, OldestDue: old(6 * time.Minute), Workers: 1})
		}, ""},
		{"rising, old and paused", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 90 + 20*i, OldestDue: old(time.Hour), Paused: true})
		}, ""},
		{"nobody serves", func(int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 1, OldestDue: old(time.Minute)})
		}, "StentQueueWithoutWorkers"},
		{"nobody serves for a moment", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 1, OldestDue: old(time.Minute), Workers: i % 2})
		}, ""},
		{"one is never taken", func(int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 1, OldestDue: old(31 * time.Minute), Workers: 1})
		}, "StentTasksWaitLong"},
		{"half an hour", func(int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 1, OldestDue: old(30 * time.Minute), Workers: 1})
		}, ""},
		{"eleven dead letters", func(int64) backend.Stats { return queue(backend.QueueStats{Dead: 11, Workers: 1}) }, "StentDeadLettersPending"},
		{"ten dead letters", func(int64) backend.Stats { return queue(backend.QueueStats{Dead: 10, Workers: 1}) }, ""},
		{"one more dead letter", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Dead: min(i/3, 1), Workers: 1})
		}, "StentDeadLettersGrowing"},
		{"one in five executions", func(i int64) backend.Stats {
			return backend.Stats{Executions: map[backend.State]int64{backend.Completed: 4 * i, backend.Failed: i}}
		}, "StentExecutionsFailing"},
		{"one in ten executions", func(i int64) backend.Stats {
			return backend.Stats{Executions: map[backend.State]int64{backend.Completed: 9 * i, backend.TimedOut: i}}
		}, ""},
		{"many failed long ago", func(i int64) backend.Stats {
			return backend.Stats{Executions: map[backend.State]int64{backend.Completed: 9 * i, backend.Failed: 5000}}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(watch(alerts.Options{}).fired(30, c.at), " "); got != c.want {
				t.Errorf("fires %q, want %q", got, c.want)
			}
		})
	}
}

// An alert holds for as long as it says before it fires, and the time begins anew when it stops.
func TestHold(t *testing.T) {
	w := watch(alerts.Options{})
	nobody := queue(backend.QueueStats{Depth: 1, OldestDue: old(time.Minute)})
	for i, want := range []int{0, 0, 1, 1} { // for: 2m, a look a minute
		if got := len(w.look(nobody, nil)); got != want {
			t.Errorf("look %d: %d fire, want %d", i, got, want)
		}
	}
	if got := w.look(queue(backend.QueueStats{Workers: 1}), nil); len(got) != 0 {
		t.Errorf("%v fires although a worker is there", got)
	}
	if got := w.look(nobody, nil); len(got) != 0 {
		t.Errorf("%v fires at once the second time", got)
	}
}

// A database that does not answer is told of, and what was known before is not taken back.
func TestDatabaseDoesNotAnswer(t *testing.T) {
	w := watch(alerts.Options{})
	for range 20 {
		w.look(queue(backend.QueueStats{Dead: 11, Workers: 1}), nil)
	}
	var got []string
	for range 7 {
		got = w.look(backend.Stats{}, errors.New("connection refused"))
	}
	if strings.Join(got, " ") != "StentBackendErrors StentDeadLettersPending" {
		t.Errorf("fires %v", got)
	}
	if got := w.look(queue(backend.QueueStats{Workers: 1}), nil); len(got) != 0 {
		t.Errorf("%v fires although all is well", got)
	}
}

func TestAlertsSayWhatTheySay(t *testing.T) {
	w := watch(alerts.Options{Labels: map[string]string{"team": "shop"}, Severities: map[string]string{"StentDeadLettersPending": "info"}})
	active := w.Look(w.now, queue(backend.QueueStats{Dead: 12, Workers: 1}), nil)
	if len(active) != 1 {
		t.Fatalf("%+v", active)
	}
	a := active[0]
	if a.Labels["team"] != "shop" || a.Labels["severity"] != "info" || a.Labels["queue"] != "billing" || a.Labels["alertname"] != a.Name {
		t.Errorf("labels %v", a.Labels)
	}
	if want := "12 dead letters are in queue billing. Each is an execution that failed or waits."; a.Description != want {
		t.Errorf("description %q, want %q", a.Description, want)
	}
}

func TestDisabledAlertsAreNotLookedAt(t *testing.T) {
	w := watch(alerts.Options{Disabled: []string{"StentDeadLettersPending"}})
	if got := w.Look(w.now, queue(backend.QueueStats{Dead: 12, Workers: 1}), nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
