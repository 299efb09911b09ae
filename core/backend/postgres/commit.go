package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

// Commit applies a batch in one transaction, which is one round trip of one statement for each kind of command.
//
// A statement that does not find all that its commands belong to ends the transaction. Then Commit looks which commands
// are refused, or were applied before, and does the others again. That is rare, so the common case pays nothing for it.
func (db *DB) Commit(ctx context.Context, b *backend.Batch) error {
	w, err := db.sort(b)
	if err == nil {
		err = db.commit(ctx, w)
	}
	if err != nil {
		return db.wrap(ended(ctx, err), "commit %d commands", len(b.Commands))
	}
	b.Now = w.now
	return nil
}

func (db *DB) commit(ctx context.Context, w *work) error {
	if err := db.identify(ctx, w); err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := db.write(ctx, w)
		switch {
		case err == nil:
			return db.settleStarts(ctx, w)
		case ctx.Err() != nil || try == tries:
			return err
		case passing(err):
		case refused(err) && try == siftings:
			err = db.writeApart(ctx, w, w.takeLeased())
		case rejected(err):
			err = db.writeApart(ctx, w, w.takeValues())
		case refused(err):
			err = db.sift(ctx, w)
		default:
			return err
		}
		var broken unsettled
		if err != nil && (errors.As(err, &broken) || !passing(err) && !refused(err)) {
			return err
		}
	}
}

// siftings is how often a batch is looked through for refused commands before they are written one by one: between the
// look and the next try another may have been refused.
const siftings = 4

// identify finds the number of the batch's worker. Without one, all that needs a lease is refused.
func (db *DB) identify(ctx context.Context, w *work) error {
	if w.batch.Worker == "" {
		w.refuseAll()
		return nil
	}
	n, alive, err := db.worker(ctx, w.batch.Worker)
	if err != nil {
		return err
	}
	if !alive {
		w.refuseAll()
	}
	w.worker = n
	return nil
}

// worker finds the number of a worker that is registered and has not ended, as far as is known here: a number that was
// found once is not looked for again.
func (db *DB) worker(ctx context.Context, id string) (n int32, alive bool, err error) {
	if n, ok := db.workers.Load(id); ok {
		return n.(int32), true, nil
	}
	err = db.pool.QueryRow(ctx, db.q.get("find_worker"), id).Scan(&n, &alive)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err == nil && alive {
		db.workers.Store(id, n)
	}
	return n, alive, err
}

// write writes everything in one transaction.
func (db *DB) write(ctx context.Context, w *work) error {
	if w.empty() {
		return db.pool.QueryRow(ctx, "SELECT now()").Scan(&w.now)
	}
	w.begin()
	p := &pipeline{q: db.q}
	if w.leased() {
		p.add("fence", prepared(&w.now), db.class, w.worker)
	} else {
		p.add("settings", prepared(&w.now))
	}
	w.start(p)
	w.lock(p)
	w.fenceTurns(p)
	w.endTasks(p)
	w.history(p)
	w.signal(p)
	w.cancel(p)
	w.effects(p)
	w.orchestrators(p)
	w.continues(p)
	var over []int64
	if w.claiming {
		if over = db.holdings.takeOver(w.worker); len(over) > 0 {
			p.add("let_go", nil, w.worker, over)
		}
	}
	w.claim(p, db.class)
	light := w.light()
	rides := light && db.notes.ride(w, p)
	began := time.Now()
	err := p.run(ctx, db)
	if light {
		db.notes.took(time.Since(began))
	}
	if rides && sqlState(err) != "" && p.failed != "start" { // it may be the note, and that must not keep a start from beginning
		db.notes.failed(time.Now())
		return db.write(ctx, w)
	}
	if err != nil {
		db.holdings.putBack(w.worker, over)
		return err
	}
	db.holdings.settle(w)
	w.now = w.now.UTC()
	db.tell(w, rides)
	return nil
}

// writeApart writes each of some commands in a transaction of its own. What is refused or rejected then is that.
func (db *DB) writeApart(ctx context.Context, w *work, commands []backend.Command) error {
	for _, c := range commands {
		apart := &work{batch: w.batch, worker: w.worker}
		if err := apart.put(c); err != nil {
			return err
		}
		err := db.write(ctx, apart)
		for try := 1; passing(err) && try < tries; try++ {
			err = db.write(ctx, apart)
		}
		switch {
		case refused(err):
			err = db.sift(ctx, apart)
			if !apart.empty() {
				backend.Refuse(c, backend.ErrLeaseLost)
			}
		case rejected(err):
			backend.Refuse(c, fmt.Errorf("%w: %w", backend.ErrRejected, err))
			err = nil
		case err == nil:
			err = db.settleStarts(ctx, apart)
		}
		if err != nil {
			return unsettled{err}
		}
	}
	return nil
}

// unsettled is an error after which the batch is to be committed anew, though it may be one that passes: part of it is no
// longer in the work.
type unsettled struct{ error }

func (u unsettled) Unwrap() error { return u.error }

// reset takes back what an earlier try set.
func reset(c backend.Command) error {
	switch c := c.(type) {
	case *backend.Start:
		c.Claimed, c.Existed, c.Err = time.Time{}, false, nil
	case *backend.Turn:
		c.State, c.Err = "", nil
		if c.Continue != nil {
			c.Continue.Left = false
		}
	case *backend.Trim:
		c.Left = false
	case *backend.Claim:
		c.Tasks, c.More, c.Left, c.NextDue, c.Woken, c.Paused, c.Err = nil, false, nil, -1, nil, nil, nil
	case *backend.Cancel:
		c.State, c.Ended, c.Err = "", false, nil
	case *backend.Complete:
		c.Held, c.Err = false, nil
	case *backend.Bury:
		c.Held, c.Err = false, nil
	case *backend.Signalled, *backend.Retry, *backend.Release, *backend.Beat:
		backend.Refuse(c, nil)
	default:
		return fmt.Errorf("unknown command %T", c)
	}
	return nil
}
