package alertwatch

import (
	"context"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Reading is what a database says at one moment.
type Reading struct {
	Stats   backend.Stats
	Skew    time.Duration // how far this machine's clock is ahead of the database's
	Workers []backend.Worker
	Letters []backend.DeadLetter // those of the last while, newest first, but for those that were replayed or discarded since
	// Began is when a worker last began an activity that it still runs: of those that were asked for.
	Began map[string]time.Time
}

// The most that is read of what an incident may have made a great many of.
const (
	mostLetters = 1000
	mostRunning = 10_000
)

// Read reads what the evaluator needs. Most of it is counts from indexes; which tasks run is asked only where a worker has
// been full for long.
func (e *Evaluator) Read(ctx context.Context, db backend.Backend) (r Reading, err error) {
	asked := time.Now()
	if r.Stats, err = db.Stats(ctx); err != nil {
		return r, err
	}
	answered := time.Now()
	r.Skew = asked.Add(answered.Sub(asked) / 2).Sub(r.Stats.Now)
	if r.Workers, err = db.Workers(ctx); err != nil {
		return r, err
	}
	if r.Letters, err = letters(ctx, db, r.Stats.Now.Add(-e.options.Windows.Events)); err != nil {
		return r, err
	}
	if suspects := e.suspects(r); len(suspects) > 0 {
		r.Began, err = began(ctx, db, suspects)
	}
	return r, err
}

// letters are the dead letters that were moved since a time. They are read from the newest on, so that the many old ones
// cost nothing.
func letters(ctx context.Context, db backend.DeadLetters, since time.Time) (all []backend.DeadLetter, err error) {
	f := backend.DeadLetterFilter{Limit: 100}
	for len(all) < mostLetters {
		page, err := db.DeadLetters(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, l := range page {
			if l.Moved.Before(since) {
				return all, nil
			}
			all = append(all, l)
		}
		if len(page) < f.Limit {
			return all, nil
		}
		f.After = page[len(page)-1].Task
	}
	return all, nil
}

func began(ctx context.Context, db backend.Inspector, workers map[string]bool) (map[string]time.Time, error) {
	last := map[string]time.Time{}
	f := backend.TaskFilter{States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}, Limit: 1000}
	for read := 0; read < mostRunning; {
		page, err := db.Tasks(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			if workers[t.Worker] && t.Started.After(last[t.Worker]) {
				last[t.Worker] = t.Started
			}
		}
		if len(page) < f.Limit {
			return last, nil
		}
		read += len(page)
		f.After = page[len(page)-1].ID
	}
	return nil, nil // too many run for all of them to hang
}

// place is a step in a queue.
type place struct{ queue, step string }

// dead counts dead letters, and of them those that workers died of.
func dead(letters []backend.DeadLetter) (all, poisoned map[place]int) {
	all, poisoned = map[place]int{}, map[place]int{}
	for _, l := range letters {
		at := place{l.Queue, l.Step}
		all[at]++
		if l.Failure.Code == core.CodePoison {
			poisoned[at]++
		}
	}
	return all, poisoned
}
