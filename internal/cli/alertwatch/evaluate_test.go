package alertwatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// watched is an evaluator that looks once a minute.
type watched struct {
	*Evaluator
	now time.Time
}

func watch(o alerts.Options) *watched {
	return &watched{New(o, "here"), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
}

// look is a minute later; it returns the names of what fires.
func (w *watched) look(s backend.Stats, err error) []string {
	return w.read(Reading{Stats: s}, err)
}

func (w *watched) read(r Reading, err error) (firing []string) {
	w.now = w.now.Add(time.Minute)
	s := &r.Stats
	s.Now = w.now
	for i := range s.Queues {
		if age := s.Queues[i].OldestDue; !age.IsZero() {
			s.Queues[i].OldestDue = w.now.Add(-age.Sub(time.Unix(0, 0)))
		}
	}
	for _, a := range w.Look(w.now, r, err) {
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
		{"nothing moves", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 1, OldestDue: old(time.Duration(i) * time.Minute), Workers: 1})
		}, "StentQueueStalled"},
		{"nothing moves, nor is it served", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 1, OldestDue: old(time.Duration(i) * time.Minute), Paused: true})
		}, ""},
		{"others pass the one in front", func(i int64) backend.Stats {
			return queue(backend.QueueStats{Depth: 5 + i%2, OldestDue: old(time.Duration(i) * time.Minute), Workers: 1})
		}, ""},
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

// What is told by more than counts. Each reading is a function of the minute, by the clock of the watch.
func TestConditionsOfRecords(t *testing.T) {
	letter := func(step, code string) backend.DeadLetter {
		return backend.DeadLetter{Queue: "billing", Step: step, Failure: backend.Failure{Code: code}}
	}
	worker := func(now time.Time, used int) backend.Worker {
		return backend.Worker{ID: "w1", Queues: []string{"billing"}, Slots: 4, Used: used, State: backend.WorkerReady, LeaseEnd: now.Add(time.Minute)}
	}
	dead := backend.Worker{ID: "w1", Queues: []string{"billing"}, Slots: 4, State: backend.WorkerDead}
	start := watch(alerts.Options{}).now
	for _, c := range []struct {
		name string
		at   func(minute int, now time.Time) Reading
		want string
	}{
		{"a dead letter", func(int, time.Time) Reading {
			return Reading{Letters: []backend.DeadLetter{letter("charge", "")}}
		}, "StentDeadLettersGrowing{queue=billing step=charge} 1"},
		{"dead letters of two steps, one of which kills workers", func(int, time.Time) Reading {
			return Reading{Letters: []backend.DeadLetter{letter("charge", core.CodePoison), letter("pack", ""), letter("pack", "")}}
		}, "StentDeadLettersGrowing{queue=billing step=charge} 1, StentDeadLettersGrowing{queue=billing step=pack} 2, " +
			"StentTaskPoisoned{queue=billing step=charge} 1"},
		{"a full worker whose activities began long ago", func(_ int, now time.Time) Reading {
			return Reading{Workers: []backend.Worker{worker(now, 4)}, Began: map[string]time.Time{"w1": start}}
		}, "StentWorkerWedged{instance=w1} 1800"},
		{"a full worker that begins activities", func(_ int, now time.Time) Reading {
			return Reading{Workers: []backend.Worker{worker(now, 4)}, Began: map[string]time.Time{"w1": now.Add(-time.Minute)}}
		}, ""},
		{"a worker dies with three tasks", func(i int, now time.Time) Reading {
			if i < 20 {
				return Reading{Workers: []backend.Worker{worker(now, 3)}}
			}
			return Reading{Workers: []backend.Worker{dead}}
		}, "StentTasksTakenOver{queue=billing} 3"},
		{"a worker died long ago", func(i int, now time.Time) Reading {
			if i < 5 {
				return Reading{Workers: []backend.Worker{worker(now, 3)}}
			}
			return Reading{Workers: []backend.Worker{dead}}
		}, ""},
		{"a worker dies with nothing to do", func(i int, now time.Time) Reading {
			if i < 20 {
				return Reading{Workers: []backend.Worker{worker(now, 0)}}
			}
			return Reading{Workers: []backend.Worker{dead}}
		}, ""},
		{"a clock that is slow", func(int, time.Time) Reading { return Reading{Skew: -6 * time.Second} }, "StentClockSkewed{instance=here} 6"},
		{"clocks that nearly agree", func(int, time.Time) Reading { return Reading{Skew: 5 * time.Second} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := watch(alerts.Options{})
			var active []Active
			for i := range 30 {
				w.now = w.now.Add(time.Minute)
				r := c.at(i, w.now)
				r.Stats.Now = w.now
				active = w.Look(w.now, r, nil)
			}
			var fires []string
			for _, a := range active {
				if !a.Firing {
					continue
				}
				var labels []string
				for _, name := range []string{"queue", "step", "instance"} {
					if v, ok := a.Labels[name]; ok {
						labels = append(labels, name+"="+v)
					}
				}
				fires = append(fires, fmt.Sprintf("%s{%s} %v", a.Name, strings.Join(labels, " "), a.Value))
				if strings.Contains(a.Description, "{{") || strings.Contains(a.Description, "<no value>") {
					t.Errorf("it says %q", a.Description)
				}
			}
			slices.Sort(fires)
			if got := strings.Join(fires, ", "); got != c.want {
				t.Errorf("at last fires %s\nwant %s", got, c.want)
			}
		})
	}
}

// A worker is looked at closely only when it has been full for as long as it may be.
func TestSuspects(t *testing.T) {
	w := watch(alerts.Options{})
	for i := range 30 {
		w.now = w.now.Add(time.Minute)
		r := Reading{Stats: backend.Stats{Now: w.now}, Workers: []backend.Worker{
			{ID: "full", Slots: 1, Used: 1, State: backend.WorkerReady, LeaseEnd: w.now.Add(time.Second)},
			{ID: "busy", Slots: 2, Used: 1 + i%2, State: backend.WorkerReady, LeaseEnd: w.now.Add(time.Second)},
			{ID: "gone", Slots: 1, Used: 1, State: backend.WorkerReady, LeaseEnd: w.now.Add(-time.Second)},
		}}
		got := w.suspects(r)
		if want := i > 15; got["full"] != want || got["busy"] || got["gone"] {
			t.Errorf("minute %d: %v", i, got)
		}
		w.Look(w.now, r, nil)
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
	active := w.Look(w.now, Reading{Stats: queue(backend.QueueStats{Dead: 12, Workers: 1})}, nil)
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
	if got := w.Look(w.now, Reading{Stats: queue(backend.QueueStats{Dead: 12, Workers: 1})}, nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
