package watch

import (
	"context"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// The most rows of a list. A screen shows fewer, and every reading costs the database the same.
const (
	mostTasks   = 200
	mostLetters = 200
	mostRecent  = 200
)

// reading is how the database stands at one moment.
type reading struct {
	stats   backend.Stats
	workers []backend.Worker     // that have not ended
	running []backend.Task       // activities with a worker
	letters []backend.DeadLetter // newest first
	recent  []backend.Execution  // newest first
	err     error                // of the first question that failed; then the rest is empty
}

// read asks the database. Each question is a few rows by an index, however much history there is.
func read(ctx context.Context, db backend.Backend, limit time.Duration) reading {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var r reading
	for _, ask := range []func() error{
		func() (err error) { r.stats, err = db.Stats(ctx); return err },
		func() (err error) { r.workers, err = db.Workers(ctx); return err },
		func() (err error) {
			r.running, err = db.Tasks(ctx, backend.TaskFilter{
				States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}, Limit: mostTasks,
			})
			return err
		},
		func() (err error) {
			r.letters, err = db.DeadLetters(ctx, backend.DeadLetterFilter{Limit: mostLetters})
			return err
		},
		func() (err error) {
			r.recent, err = db.Executions(ctx, backend.ExecutionFilter{Limit: mostRecent})
			return err
		},
	} {
		if err := ask(); err != nil {
			return reading{err: err}
		}
	}
	r.workers = slices.DeleteFunc(r.workers, func(w backend.Worker) bool {
		return w.State == backend.WorkerStopped || w.State == backend.WorkerDead
	})
	slices.SortStableFunc(r.running, func(a, b backend.Task) int { return a.Started.Compare(b.Started) })
	return r
}

// ended counts the executions that have ended, and those of them that failed or timed out.
func (r *reading) ended() (all, failed int64) {
	n := r.stats.Executions
	failed = n[backend.Failed] + n[backend.TimedOut]
	return failed + n[backend.Completed] + n[backend.Cancelled], failed
}

// depth counts what is due and not claimed, in all queues.
func (r *reading) depth() (n int64) {
	for _, q := range r.stats.Queues {
		n += q.Depth
	}
	return n
}

// durations are how long the recent executions took that have ended, shortest first.
func (r *reading) durations() []time.Duration {
	var all []time.Duration
	for _, x := range r.recent {
		if x.State.Final() && !x.Started.IsZero() {
			all = append(all, x.Finished.Sub(x.Started))
		}
	}
	slices.Sort(all)
	return all
}

// quantile of sorted values by the nearest rank; 0 of none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
