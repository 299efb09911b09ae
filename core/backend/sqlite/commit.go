package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// tx is a write transaction under way.
type tx struct {
	*conn
	ctx    context.Context //nolint:containedctx // of its queries: it does not end, since the driver starts a goroutine for one that can
	caller context.Context //nolint:containedctx // looked at between the commands
	q      *queries
	time   time.Time
	now    int64
	nowArg any // now, in the form of an argument

	tallies map[backend.State]int64 // how the counts of executions change

	// Of Commit.
	worker    string
	workerArg any                       // worker, in the form of an argument
	alive     bool                      // the worker may write
	refused   map[backend.Command]error // commands that were found out to be refused after part of them was written
	apart     bool                      // starts are written one by one
	fences    map[string]fenced         // by execution; nil before the first turn
	toClaim   []begun                   // with their start
}

// refusal is the error of a command that is refused after part of it was written: the transaction is rolled back and
// done again without the command. That is rare, so none pays for a savepoint.
type refusal struct {
	command backend.Command
	err     error
}

func (r *refusal) Error() string { return "command refused: " + r.err.Error() }

// takes tells whether the batch's claims have found something.
func takes(b *backend.Batch) bool {
	return slices.ContainsFunc(b.Commands, func(cmd backend.Command) bool {
		c, ok := cmd.(*backend.Claim)
		return ok && len(c.Tasks)+len(c.Woken) > 0
	})
}

// Commit applies a batch in one transaction.
func (db *DB) Commit(ctx context.Context, b *backend.Batch) error {
	refused, apart := map[backend.Command]error{}, false
	for {
		err := db.write(ctx, func(t *tx) error {
			t.refused, t.apart = refused, apart
			return t.apply(b)
		})
		var r *refusal
		if errors.As(err, &r) {
			refused[r.command] = r.err
			continue
		}
		if rejected(err) && !apart { // it was one of several starts
			apart = true
			continue
		}
		if err == nil {
			db.wrote(b.Worker)
			if takes(b) {
				db.taken.Store(time.Now().UnixNano())
			}
		}
		return db.wrap(err, "commit %d commands", len(b.Commands))
	}
}

func (t *tx) apply(b *backend.Batch) error {
	b.Now, t.worker, t.workerArg = t.time, b.Worker, t.text(b.Worker)
	if b.Worker != "" {
		if err := t.checkWorker(); err != nil {
			return err
		}
	}
	if t.alive {
		if err := t.fence(b); err != nil {
			return err
		}
	}
	for rest := b.Commands; len(rest) > 0; {
		if err := t.caller.Err(); err != nil {
			return err
		}
		if chunk, ok := startsOf(rest); ok && !t.apart {
			if err := t.startChunk(&chunk); err != nil {
				return err
			}
			rest = rest[startsAtOnce:]
			continue
		}
		if _, claim := rest[0].(*backend.Claim); !claim {
			if err := t.unlessRefused(rest[0]); err != nil {
				return err
			}
		}
		rest = rest[1:]
	}
	if err := t.claimStarted(); err != nil {
		return err
	}
	for _, c := range b.Commands {
		if claim, ok := c.(*backend.Claim); ok {
			if err := t.claim(claim); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlessRefused applies a command, or says what an earlier try has found out about it.
func (t *tx) unlessRefused(c backend.Command) error {
	if err := t.refused[c]; err != nil {
		backend.Refuse(c, err)
		return nil
	}
	err := t.command(c)
	if rejected(err) {
		return &refusal{c, fmt.Errorf("%w: %w", backend.ErrRejected, err)}
	}
	return err
}

// checkWorker finds out whether the batch's worker may still write.
func (t *tx) checkWorker() error {
	_, err := t.one(t.ctx, t.q.workerState, func(r *row) {
		state := backend.WorkerState(r.text())
		t.alive = state != backend.WorkerDead && state != backend.WorkerStopped
	}, t.worker)
	return err
}

func (t *tx) command(c backend.Command) (err error) {
	switch c := c.(type) {
	case *backend.Start:
		return t.start(c)
	case *backend.Signalled:
		return t.signalled(c)
	case *backend.Trim:
		return t.trim(c)
	case *backend.Cancel:
		return t.cancel(c)
	case *backend.Turn:
		c.Err, err = t.turn(c)
	case *backend.Complete:
		c.Err, err = t.leased(func() (bool, error) { return t.completeAndWake(c) })
	case *backend.Retry:
		c.Err, err = t.leased(func() (bool, error) { return t.retry(c) })
	case *backend.Bury:
		c.Err, err = t.leased(func() (bool, error) { return t.buryAndWake(c) })
	case *backend.Release:
		c.Err, err = t.leased(func() (bool, error) { return t.release(c) })
	case *backend.Beat:
		c.Err, err = t.leased(func() (bool, error) { return t.beat(c) })
	default:
		err = fmt.Errorf("unknown command %T", c)
	}
	return err
}

// leased runs a command that stands on the worker's lease. fn tells whether the command was applied, now or before.
func (t *tx) leased(fn func() (bool, error)) (refused, err error) {
	if !t.alive {
		return backend.ErrLeaseLost, nil
	}
	applied, err := fn()
	if err != nil || applied {
		return nil, err
	}
	return backend.ErrLeaseLost, nil
}

// tally notes that an execution changed its state; from or to is "" where there is none.
func (t *tx) tally(from, to backend.State) {
	if from == to {
		return
	}
	if from != "" {
		t.tallyMany(from, -1)
	}
	if to != "" {
		t.tallyMany(to, 1)
	}
}

func (t *tx) tallyMany(state backend.State, delta int64) {
	if t.tallies == nil {
		t.tallies = map[backend.State]int64{}
	}
	t.tallies[state] += delta
}

func (t *tx) writeTallies() error {
	for state, delta := range t.tallies {
		if delta == 0 {
			continue
		}
		if _, err := t.exec(t.q.tally, state, delta); err != nil {
			return err
		}
	}
	return nil
}

// in is the time so long from now; a time before now is now.
func (t *tx) in(d time.Duration) int64 { return t.now + max(d.Microseconds(), 0) }

// find reads the number and the state of an execution; n is 0 if there is none.
func (t *tx) find(execution string) (n int64, state backend.State, err error) {
	_, err = t.one(t.ctx, t.q.findExecution, func(r *row) {
		n, state = r.int(), backend.State(r.text())
	}, execution)
	return n, state, err
}
