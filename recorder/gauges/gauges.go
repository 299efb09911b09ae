// Package gauges turns what an engine knows at one moment into the values of the catalogue's gauges. Every recorder uses
// it, so that all say the same.
package gauges

import (
	"math"
	"slices"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
)

// Value is one gauge's value.
type Value struct {
	Metric metrics.Metric
	Labels []string // in the order of Metric.Labels
	Value  float64
}

// Sampled are the values of a sample. Of one that failed they are those that say so, and nothing else: a value that is
// no longer true is worse than none. Queues beyond the budget share one value: the sum, and of ages the greatest.
func Sampled(s *core.Sample, b *budget.Budget) []Value {
	if s == nil {
		return nil
	}
	up := 1.0
	if s.Err != nil {
		up = 0
	}
	all := []Value{
		{Metric: metrics.SamplerUp, Value: up},
		{Metric: metrics.SampleDuration, Value: s.Took.Seconds()},
	}
	if s.Err != nil {
		return all
	}
	all = append(all,
		Value{Metric: metrics.SampleTimestamp, Value: unix(s.At)},
		Value{Metric: metrics.DatabaseClockSkew, Value: s.ClockSkew.Seconds()},
	)
	all = append(all, database(s.Database)...)
	for _, state := range workerStates {
		all = append(all, Value{metrics.WorkersByState, []string{string(state)}, float64(s.Stats.Workers[state])})
	}
	for _, state := range executionStates {
		all = append(all, Value{metrics.ExecutionsByState, []string{string(state)}, float64(s.Stats.Executions[state])})
	}
	return append(all, queues(s, b)...)
}

// The states that are shown, with zero where there is nothing.
var workerStates = []backend.WorkerState{backend.WorkerStarting, backend.WorkerReady, backend.WorkerDraining, backend.WorkerDead}

var executionStates = slices.DeleteFunc(slices.Clone(backend.States), func(s backend.State) bool { return s == backend.Waiting })

// database leaves out what this database does not have.
func database(s *backend.DatabaseStats) (all []Value) {
	if s == nil {
		return nil
	}
	for _, v := range []struct {
		metric metrics.Metric
		value  float64
	}{
		{metrics.DatabaseSize, float64(s.Size)},
		{metrics.DatabaseWAL, float64(s.WAL)},
		{metrics.DatabaseDeadTuples, float64(s.DeadTuples)},
		{metrics.DatabaseOldestTransactionAge, s.OldestTransaction.Seconds()},
	} {
		if v.value >= 0 {
			all = append(all, Value{Metric: v.metric, Value: v.value})
		}
	}
	return all
}

func queues(s *core.Sample, b *budget.Budget) []Value {
	var names []string
	by := map[string]backend.QueueStats{}
	for _, q := range s.Stats.Queues {
		name := b.Fold(metrics.LabelQueue, q.Queue)
		sum, known := by[name]
		if !known {
			names = append(names, name)
		}
		sum.Depth += q.Depth
		sum.Scheduled += q.Scheduled
		sum.Running += q.Running
		sum.Dead += q.Dead
		sum.Workers += q.Workers
		sum.Paused = sum.Paused || q.Paused
		sum.OldestDue = earlier(sum.OldestDue, q.OldestDue)
		sum.OldestRunning = earlier(sum.OldestRunning, q.OldestRunning)
		sum.OldestDead = earlier(sum.OldestDead, q.OldestDead)
		by[name] = sum
	}
	var all []Value
	for _, name := range names {
		q, labels := by[name], []string{name}
		for _, v := range []struct {
			metric metrics.Metric
			value  float64
		}{
			{metrics.QueueDepth, float64(q.Depth)},
			{metrics.QueueScheduled, float64(q.Scheduled)},
			{metrics.QueueRunning, float64(q.Running)},
			{metrics.QueueWorkers, float64(q.Workers)},
			{metrics.QueuePaused, truth(q.Paused)},
			{metrics.QueueOldestAge, age(s.Stats.Now, q.OldestDue)},
			{metrics.QueueOldestRunningAge, age(s.Stats.Now, q.OldestRunning)},
			{metrics.QueueDeadLetters, float64(q.Dead)},
			{metrics.QueueDeadLettersOldestAge, age(s.Stats.Now, q.OldestDead)},
		} {
			all = append(all, Value{v.metric, labels, v.value})
		}
	}
	return all
}

// Process are the values of how a process stands, of one engine or of several together.
func Process(engines ...core.ProcessGauges) []Value {
	if len(engines) == 0 {
		return nil
	}
	var sum core.ProcessGauges
	var builds [][2]string
	for _, g := range engines {
		sum.Slots += g.Slots
		sum.SlotsUsed += g.SlotsUsed
		sum.Ready = sum.Ready || g.Ready
		if g.LastProgress.After(sum.LastProgress) {
			sum.LastProgress = g.LastProgress
		}
		if build := [2]string{g.Version, g.Backend}; !slices.Contains(builds, build) {
			builds = append(builds, build)
		}
	}
	all := []Value{
		{Metric: metrics.WorkerSlots, Value: float64(sum.Slots)},
		{Metric: metrics.WorkerSlotsUsed, Value: float64(sum.SlotsUsed)},
		{Metric: metrics.WorkerReady, Value: truth(sum.Ready)},
	}
	if !sum.LastProgress.IsZero() {
		all = append(all, Value{Metric: metrics.WorkerLastProgress, Value: unix(sum.LastProgress)})
	}
	for _, build := range builds {
		all = append(all, Value{metrics.BuildInfo, build[:], 1})
	}
	return all
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// age is 0 where there is nothing that could be old.
func age(now, since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return math.Max(now.Sub(since).Seconds(), 0)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
