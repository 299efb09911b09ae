package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Retention says how long executions are kept after they have ended, by how they ended. 0 keeps them for ever. A dead
// letter is kept until it is replayed or discarded, whatever becomes of its execution; but once that is deleted the letter
// cannot be replayed any more, so that Failed is best the longest.
type Retention struct {
	Completed time.Duration // how long after they completed; default 0: for ever
	Failed    time.Duration // likewise of those that failed; best the longest
	TimedOut  time.Duration // likewise of those that timed out
	Cancelled time.Duration // likewise of those that were cancelled
	// Every is the pause between two cleanups. Default 1 min. It adds to the time for which executions are kept.
	Every time.Duration
}

// WithRetention lets the workers of this engine delete executions that ended long ago, with all that belongs to them. Of all
// workers on a database one does it at a time, and another one if that dies. It deletes few at a time and pauses in
// between, so that claims are not held up. Default: nothing is deleted.
//
// To start an execution again under an id is to start a new one once the old one is deleted.
func WithRetention(r Retention) Option {
	return func(e *Engine) error {
		for _, d := range []time.Duration{r.Completed, r.Failed, r.TimedOut, r.Cancelled, r.Every} {
			if d < 0 {
				return fmt.Errorf("WithRetention: %v: want 0 or more", d)
			}
		}
		r.Every = orDefault(r.Every, time.Minute)
		e.retention = r
		return nil
	}
}

func (r Retention) keep() map[backend.State]time.Duration {
	keep := map[backend.State]time.Duration{}
	for state, d := range map[backend.State]time.Duration{
		backend.Completed: r.Completed, backend.Failed: r.Failed, backend.TimedOut: r.TimedOut, backend.Cancelled: r.Cancelled,
	} {
		if d > 0 {
			keep[state] = d
		}
	}
	return keep
}

// retentionChore is the name under which workers agree who cleans up.
const retentionChore = "retention"

// keepHouse cleans up from time to time, where no other worker does.
func (w *worker) keepHouse(ctx context.Context) {
	keep := w.e.retention.keep()
	if len(keep) == 0 && !w.e.shares() {
		return
	}
	every := orDefault(w.e.retention.Every, max(time.Minute, w.cfg.PollInterval))
	for wait := min(w.cfg.PollInterval, every); w.pause(ctx, wait); wait = every {
		if w.status().State != backend.WorkerReady {
			return
		}
		taken, err := w.e.db.TakeChore(ctx, retentionChore, w.id)
		if err == nil && taken {
			err = w.cleanUp(ctx, backend.Cleanup{Keep: keep}, every)
		}
		if err != nil && ctx.Err() == nil {
			w.e.outage.failed("delete old executions", err, "stent_worker_id", w.id, "in", every)
		}
	}
}

// shares tells whether an activity is registered whose results are kept, which expire.
func (e *Engine) shares() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.handlers {
		if h.callee.settings.sharing.on {
			return true
		}
	}
	return false
}

func (w *worker) cleanUp(ctx context.Context, c backend.Cleanup, every time.Duration) error {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
		defer cancel()
		// Where this fails the chore is free again when the worker has ended, or is tried again by this one.
		_ = w.e.db.EndChore(ctx, retentionChore, w.id, every)
	}()
	for {
		n, err := w.e.db.ForgetResults(ctx, forgetMost)
		if err != nil {
			return err
		}
		if n < forgetMost {
			break
		}
	}
	if len(c.Keep) == 0 {
		return nil
	}
	total, err := w.e.clean(ctx, c, func(_ CleanupReport, took time.Duration, full bool) error {
		if w.status().State != backend.WorkerReady {
			return context.Canceled
		}
		return w.e.sleep(ctx, breather(took, full))
	})
	if total.Deleted > 0 {
		w.e.log.Info("deleted old executions", "stent_worker_id", w.id, "executions", total.Deleted, "tasks", total.Tasks)
	}
	return err
}

// forgetMost is how many expired results are deleted at once.
const forgetMost = 500

// breather is how long to pause after a step that took so long: as long, where there was much to delete, so that a
// backlog shrinks; otherwise nine times as long, so that looking takes a tenth of one connection's time.
func breather(took time.Duration, full bool) time.Duration {
	if full {
		return min(took, time.Second)
	}
	return min(9*took, time.Second)
}

// Cleanup says what [Engine.Cleanup] deletes.
type Cleanup struct {
	// OlderThan is how long ago executions must have ended, by the database's clock.
	OlderThan time.Duration
	// States are the final states of those to delete. Default: all four.
	States []backend.State
	// DryRun only counts.
	DryRun bool
	// Actor is who wants it, for the audit.
	Actor string
	// OnProgress is called after each step, by the goroutine that does the work.
	OnProgress func(CleanupReport)
}

// CleanupReport is what a cleanup has deleted, or with DryRun would delete.
type CleanupReport struct {
	Deleted int                   // executions
	ByState map[backend.State]int // the same
	Tasks   int                   // entries of their histories
}

// finalStates are those that an execution can be deleted in.
var finalStates = []backend.State{backend.Completed, backend.Failed, backend.TimedOut, backend.Cancelled}

// Cleanup deletes executions that ended long ago, with all that belongs to them, few at a time and without holding up
// claims. When it ends early, because ctx ends or by an error, the report says what was deleted until then.
func (e *Engine) Cleanup(ctx context.Context, c Cleanup) (CleanupReport, error) {
	states := c.States
	if len(states) == 0 {
		states = finalStates
	}
	if c.OlderThan < 0 {
		return CleanupReport{}, fmt.Errorf("cleanup: older than %v: want 0 or more", c.OlderThan)
	}
	keep := map[backend.State]time.Duration{}
	var words []string
	for _, s := range states {
		if !slices.Contains(finalStates, s) {
			return CleanupReport{}, fmt.Errorf("cleanup: an execution that is %s has not ended", s)
		}
		keep[s] = c.OlderThan
		words = append(words, string(s))
	}
	total, err := e.clean(ctx, backend.Cleanup{Keep: keep, DryRun: c.DryRun}, func(total CleanupReport, _ time.Duration, _ bool) error {
		if c.OnProgress != nil {
			c.OnProgress(total)
		}
		return ctx.Err()
	})
	if total.Deleted > 0 && !c.DryRun {
		note := backend.AuditEntry{Actor: c.Actor, Action: backend.ActionCleanup,
			Detail: fmt.Sprintf("%d executions that ended over %v ago: %s", total.Deleted, c.OlderThan, strings.Join(words, ", "))}
		noteCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
		defer cancel()
		if noteErr := e.db.Note(noteCtx, note); err == nil {
			err = noteErr
		}
	}
	if err != nil {
		return total, fmt.Errorf("cleanup: %w", err)
	}
	return total, nil
}

// clean goes through the database once. between is called between two steps with what has been deleted so far, the time
// that the step took, and whether it deleted much.
func (e *Engine) clean(ctx context.Context, step backend.Cleanup, between func(total CleanupReport, took time.Duration, full bool) error) (total CleanupReport, err error) {
	total = CleanupReport{ByState: map[backend.State]int{}}
	for {
		began, before := e.clock.Now(), total.Deleted
		cleaned, err := e.cleanStep(ctx, step, &total)
		if err != nil || cleaned.Next == "" {
			return total, err
		}
		step.From = cleaned.Next
		if err := between(total, e.clock.Now().Sub(began), total.Deleted-before >= fullStep); err != nil {
			return total, err
		}
	}
}

// fullStep is how many executions a step deletes that is part of a backlog.
const fullStep = 100

// cleanStep finishes what it has begun, so that it is known what was deleted.
func (e *Engine) cleanStep(ctx context.Context, step backend.Cleanup, total *CleanupReport) (backend.Cleaned, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	cleaned, err := e.db.Clean(ctx, step)
	if err != nil {
		return cleaned, err
	}
	for state, n := range cleaned.Executions {
		total.ByState[state] += n
		total.Deleted += n
	}
	total.Tasks += cleaned.Tasks
	return cleaned, nil
}
