package sqlite

import (
	"context"
	"fmt"
	"math"

	"github.com/stentgo/stent/core/backend"
)

// letter is a dead letter with the place of the history at which it was moved.
type letter struct {
	backend.DeadLetter
	place int64
}

func scanLetter(r *row) letter {
	l := letter{DeadLetter: backend.DeadLetter{N: r.int()}}
	l.Task = backend.TaskID{Execution: r.text(), Seq: int(r.int())}
	l.Workflow, l.Step, l.Kind, l.Queue, l.Tags = r.text(), r.text(), backend.Kind(r.text()), r.text(), r.list()
	l.Attempts, l.Crashes, l.Reason = int(r.int()), int(r.int()), r.text()
	if f := r.failure(); f != nil {
		l.Failure = *f
	}
	l.TraceID, l.Moved, l.place = r.text(), r.time(), r.int()
	return l
}

// DeadLetters lists dead letters, newest first. The task of DeadLetterFilter.After must be one, or have been one.
func (db *DB) DeadLetters(ctx context.Context, f backend.DeadLetterFilter) (all []backend.DeadLetter, err error) {
	err = db.read(ctx, func(c *conn) error {
		before := int64(math.MaxInt64)
		if f.After != (backend.TaskID{}) {
			if before, err = db.letterNumber(ctx, c, f.After); err != nil {
				return err
			}
		}
		if f.Before > 0 {
			before = min(before, f.Before)
		}
		until := int64(math.MaxInt64)
		if !f.MovedBefore.IsZero() {
			until = f.MovedBefore.UnixMicro()
		}
		return c.each(ctx, db.q.deadLetters, func(r *row) error {
			all = append(all, scanLetter(r).DeadLetter)
			return nil
		}, before, f.Execution, f.Workflow, f.Step, f.Queue, since(f.MovedSince), until, limit(f.Limit, 100))
	})
	return all, db.wrap(err, "list dead letters")
}

// letterNumber is the number of a dead letter, or of one that is gone.
func (db *DB) letterNumber(ctx context.Context, c *conn, id backend.TaskID) (n int64, err error) {
	_, err = c.one(ctx, db.q.letterNumber, func(r *row) { n = r.int() }, id.Execution, id.Seq)
	if err == nil && n == 0 {
		err = fmt.Errorf("dead letter %v: %w", id, backend.ErrNotFound)
	}
	return n, err
}

// DeadLetter reads one with its attempts.
func (db *DB) DeadLetter(ctx context.Context, id backend.TaskID) (backend.DeadLetter, error) {
	var l letter
	err := db.read(ctx, func(c *conn) (err error) {
		if l, err = db.letter(ctx, c, id); err != nil {
			return err
		}
		return c.each(ctx, db.q.attempts, func(r *row) error {
			l.Errors = append(l.Errors, scanAttempt(r, id.Execution))
			return nil
		}, id.Execution, id.Seq)
	})
	return l.DeadLetter, db.wrap(err, "read dead letter %v", id)
}

// Attempts lists the failed attempts at an execution's tasks.
func (db *DB) Attempts(ctx context.Context, execution string) (all []backend.Attempt, err error) {
	err = db.read(ctx, func(c *conn) error {
		return c.each(ctx, db.q.attemptsExecution, func(r *row) error {
			all = append(all, scanAttempt(r, execution))
			return nil
		}, execution)
	})
	return all, db.wrap(err, "list the failed attempts of %s", execution)
}

func scanAttempt(r *row, execution string) backend.Attempt {
	a := backend.Attempt{Task: backend.TaskID{Execution: execution, Seq: int(r.int())}, Attempt: int(r.int()), Worker: r.text()}
	if f := r.failure(); f != nil {
		a.Failure = *f
	}
	a.At, a.Retried, a.Token, a.Started = r.time(), r.bool(), r.int(), r.time()
	return a
}

func (db *DB) letter(ctx context.Context, c *conn, id backend.TaskID) (l letter, err error) {
	found, err := c.one(ctx, db.q.findDeadLetter, func(r *row) { l = scanLetter(r) }, id.Execution, id.Seq)
	if err == nil && !found {
		err = fmt.Errorf("dead letter %v: %w", id, backend.ErrNotFound)
	}
	return l, err
}

// Discard removes the dead letter and changes nothing else.
func (db *DB) Discard(ctx context.Context, id backend.TaskID, actor string) error {
	err := db.write(ctx, func(t *tx) error {
		l, err := db.letter(t.ctx, t.conn, id)
		if err != nil {
			return err
		}
		if err := t.removeLetter(&l, actor, "discard", ""); err != nil {
			return err
		}
		_, err = t.exec(t.q.cleanLetter, id.Execution, id.Seq)
		return err
	})
	return db.wrap(err, "discard %v", id)
}

func (t *tx) removeLetter(l *letter, actor, action, detail string) error {
	if _, err := t.exec(t.q.discard, l.Task.Execution, l.Task.Seq); err != nil {
		return err
	}
	_, err := t.exec(t.q.audit, t.now, actor, action, l.Task.Execution, l.Task.Seq, "", detail, l.N)
	return err
}

// Replay puts the task back to its queue, and reopens its execution.
func (db *DB) Replay(ctx context.Context, id backend.TaskID, queue, actor string) error {
	err := db.write(ctx, func(t *tx) error {
		l, err := db.letter(t.ctx, t.conn, id)
		if err != nil {
			return err
		}
		if err := t.replay(&l, queue); err != nil {
			return err
		}
		detail := ""
		if queue != "" && queue != l.Queue {
			detail = fmt.Sprintf("queue %s -> %s", l.Queue, queue)
		}
		return t.removeLetter(&l, actor, "replay", detail)
	})
	if err == nil {
		db.wrote("")
	}
	return db.wrap(err, "replay %v", id)
}

func (t *tx) replay(l *letter, queue string) error {
	x, found, err := t.lookToReplay(l.Task.Execution)
	switch {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("its execution has been deleted: %w", backend.ErrNotReplayable)
	case !x.heals():
		return fmt.Errorf("its execution is %s: %w", x.state, backend.ErrNotReplayable)
	}
	if !l.Task.IsRoot() {
		rows, err := t.exec(t.q.replay, x.n, l.Task.Seq, queue, t.now)
		if err != nil {
			return err
		}
		if rows == 0 {
			return fmt.Errorf("the task is not where it was buried: %w", backend.ErrNotReplayable)
		}
	}
	if err := t.reopen(x, l.place); err != nil {
		return err
	}
	if l.Task.IsRoot() {
		if _, err := t.exec(t.q.replayExecution, x.n, queue, t.now); err != nil {
			return err
		}
	}
	return t.healParents(x)
}

// toReplay is what must be known of an execution to replay one of its dead letters.
type toReplay struct {
	id         string
	n          int64
	state      backend.State
	begun      bool // a worker has ever begun it
	healedFrom int64
	reopened   bool // by another replay, and nobody has run it since
	parent     *backend.TaskID
}

// heals tells whether the execution can be reopened.
func (x toReplay) heals() bool {
	return x.state == backend.Failed || x.state == backend.TimedOut || x.reopened
}

func (t *tx) lookToReplay(execution string) (x toReplay, found bool, err error) {
	found, err = t.one(t.ctx, t.q.replayLook, func(r *row) {
		x = toReplay{execution, r.int(), backend.State(r.text()), r.bool(), r.int(), r.bool(), r.task()}
	}, execution)
	return x, found, err
}

// reopen lets an execution go on of which a failed task has been put back, that failed when its history had come to a
// place.
func (t *tx) reopen(x toReplay, place int64) error {
	if x.reopened {
		place = min(place, x.healedFrom)
	}
	if _, err := t.exec(t.q.replayRestore, x.n, t.now); err != nil {
		return err
	}
	if _, err := t.exec(t.q.replayChildren, x.n, t.now); err != nil {
		return err
	}
	if _, err := t.exec(t.q.reopen, x.n, place, t.now); err != nil {
		return err
	}
	to := backend.Running
	if !x.begun {
		to = backend.Pending
	}
	t.tally(x.state, to)
	return nil
}

// healParents has the callers of an execution that was reopened wait for it again, as far as its failure is why they
// have ended.
func (t *tx) healParents(x toReplay) error {
	for x.parent != nil {
		p, found, err := t.lookToReplay(x.parent.Execution)
		if err != nil || !found || !p.heals() {
			return err
		}
		var place int64
		waits, err := t.one(t.ctx, t.q.replayChild, func(r *row) { place = r.int() }, p.n, x.parent.Seq, x.id)
		if err != nil || !waits {
			return err
		}
		if err := t.reopen(p, place); err != nil {
			return err
		}
		x = p
	}
	return nil
}
