package gauges_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
	"github.com/stentgo/stent/recorder/gauges"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newBudget(t *testing.T, values int) *budget.Budget {
	t.Helper()
	b, err := budget.New(values)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// by are values under readable names. Each has as many labels as the catalogue says, and comes once.
func by(t *testing.T, values []gauges.Value) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, v := range values {
		name := fmt.Sprint(v.Metric.Name, v.Labels)
		if _, twice := all[name]; twice {
			t.Errorf("%s comes twice", name)
		}
		if len(v.Labels) != len(v.Metric.Labels) || v.Metric.Kind != metrics.Gauge {
			t.Errorf("%s is a %s with the labels %v", name, v.Metric.Kind, v.Metric.Labels)
		}
		all[name] = v.Value
	}
	return all
}

func wantValues(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[name]; !ok || v != want[name] {
			t.Errorf("%s is %v (%t), want %v", name, v, ok, want[name])
		}
	}
}

func sample() *core.Sample {
	return &core.Sample{
		At: noon.Add(2 * time.Second), Took: 40 * time.Millisecond, ClockSkew: -1500 * time.Millisecond,
		Database: &backend.DatabaseStats{Size: 1 << 20, WAL: -1, DeadTuples: 7, OldestTransaction: 3 * time.Second},
		Stats: backend.Stats{
			Now:        noon,
			Executions: map[backend.State]int64{backend.Running: 5, backend.Completed: 100},
			Workers:    map[backend.WorkerState]int64{backend.WorkerReady: 2, backend.WorkerDead: 1},
			Queues: []backend.QueueStats{
				{
					Queue: "mail", Depth: 4, Scheduled: 3, Running: 2, Dead: 1, Workers: 2,
					OldestDue: noon.Add(-time.Minute), OldestRunning: noon.Add(-time.Second), OldestDead: noon.Add(-time.Hour),
				},
				{Queue: "push", Paused: true, OldestDue: noon.Add(time.Second)}, // by a clock that was set back
			},
		},
	}
}

func TestSampled(t *testing.T) {
	got := by(t, gauges.Sampled(sample(), newBudget(t, 0)))
	wantValues(t, got, map[string]float64{
		"stent_sampler_up[]": 1, "stent_sample_duration_seconds[]": 0.04, "stent_sample_timestamp_seconds[]": float64(noon.Unix() + 2),
		"stent_database_clock_skew_seconds[]": -1.5, "stent_database_size_bytes[]": 1 << 20, "stent_database_dead_tuples[]": 7,
		"stent_database_oldest_transaction_age_seconds[]": 3,
		"stent_executions[running]":                       5, "stent_executions[completed]": 100, "stent_executions[pending]": 0, "stent_executions[timed_out]": 0,
		"stent_workers[ready]": 2, "stent_workers[dead]": 1, "stent_workers[starting]": 0, "stent_workers[draining]": 0,
		"stent_queue_depth[mail]": 4, "stent_queue_scheduled[mail]": 3, "stent_queue_running[mail]": 2, "stent_queue_workers[mail]": 2,
		"stent_queue_paused[mail]": 0, "stent_queue_oldest_age_seconds[mail]": 60, "stent_queue_oldest_running_age_seconds[mail]": 1,
		"stent_queue_dead_letters[mail]": 1, "stent_queue_dead_letters_oldest_age_seconds[mail]": 3600,
		"stent_queue_depth[push]": 0, "stent_queue_workers[push]": 0, "stent_queue_paused[push]": 1, "stent_queue_oldest_age_seconds[push]": 0,
		"stent_queue_dead_letters_oldest_age_seconds[push]": 0,
	})
	if _, ok := got["stent_database_wal_bytes[]"]; ok {
		t.Error("a database without a log of its own has the size of one")
	}
	if _, ok := got["stent_executions[waiting]"]; ok {
		t.Error("waiting is no state of an execution")
	}
	shown := map[string]bool{}
	for _, v := range gauges.Sampled(sample(), newBudget(t, 0)) {
		shown[v.Metric.Name] = true
	}
	for _, m := range metrics.All() {
		if m.Source == metrics.Sampled && !shown[m.Name] && m.Name != metrics.DatabaseWAL.Name {
			t.Errorf("%s is not shown", m.Name)
		}
	}
}

// Queues beyond the budget share their values: the sum, and of ages the greatest.
func TestQueuesBeyondTheBudget(t *testing.T) {
	s := sample()
	s.Stats.Queues = append(s.Stats.Queues, backend.QueueStats{Queue: "sms", Depth: 1, Workers: 1, OldestDue: noon.Add(-time.Hour)})
	got := by(t, gauges.Sampled(s, newBudget(t, 1)))
	wantValues(t, got, map[string]float64{
		"stent_queue_depth[mail]": 4, "stent_queue_depth[other]": 1, "stent_queue_workers[other]": 1, "stent_queue_paused[other]": 1,
		"stent_queue_oldest_age_seconds[other]": 3600,
	})
	if _, ok := got["stent_queue_depth[push]"]; ok {
		t.Error("a queue beyond the budget is shown")
	}
}

// Of a reading that failed nothing is shown but that it did.
func TestFailedSample(t *testing.T) {
	got := by(t, gauges.Sampled(&core.Sample{Err: errors.New("gone"), Took: time.Second}, newBudget(t, 0)))
	if want := map[string]float64{"stent_sampler_up[]": 0, "stent_sample_duration_seconds[]": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := gauges.Sampled(nil, newBudget(t, 0)); got != nil {
		t.Errorf("%v before the first sample", got)
	}
}

func TestProcess(t *testing.T) {
	got := by(t, gauges.Process(
		core.ProcessGauges{Slots: 10, SlotsUsed: 3, LastProgress: noon, Version: "v1", Backend: "sqlite"},
		core.ProcessGauges{Slots: 5, SlotsUsed: 5, Ready: true, LastProgress: noon.Add(time.Minute), Version: "v1", Backend: "sqlite"},
		core.ProcessGauges{Version: "v1", Backend: "postgres"},
	))
	want := map[string]float64{
		"stent_worker_slots[]": 15, "stent_worker_slots_used[]": 8, "stent_worker_ready[]": 1,
		"stent_worker_last_progress_timestamp_seconds[]": float64(noon.Add(time.Minute).Unix()),
		"stent_build_info[v1 sqlite]":                    1, "stent_build_info[v1 postgres]": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v\n want %v", got, want)
	}
	if _, ok := by(t, gauges.Process(core.ProcessGauges{Slots: 1}))["stent_worker_last_progress_timestamp_seconds[]"]; ok {
		t.Error("a worker that has not done anything has made progress")
	}
}

func TestObjectives(t *testing.T) {
	known := []core.KnownTask{
		{Queue: "mail", Step: "send", SLO: 0.99},
		{Queue: "mail", Step: "send", SLO: 0.5}, // of another engine
		{Queue: "mail", Step: "render"},
		{Queue: "mail", Step: "bounce", SLO: 0.9}, // beyond the budget
	}
	got := by(t, gauges.Objectives(known, newBudget(t, 2)))
	if want := map[string]float64{"stent_step_slo_ratio[mail send]": 0.99}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
