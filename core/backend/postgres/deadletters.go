package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// letter is a dead letter with what else is kept of it.
type letter struct {
	backend.DeadLetter
	key   key
	place int // the last place of the history when it was moved
}

func scanLetter(rows pgx.Rows) (l letter, err error) {
	var fail []byte
	err = rows.Scan(&l.N, &l.key, &l.Task.Execution, &l.Task.Seq, &l.Workflow, &l.Step, &l.Kind, &l.Queue, &l.Tags, &l.Attempts, &l.Crashes,
		&l.Reason, &fail, &l.TraceID, &l.Moved, &l.place)
	l.Moved = l.Moved.UTC()
	return l, errors.Join(err, decode(fail, &l.Failure))
}

// DeadLetters lists dead letters, newest first. The list goes on after DeadLetterFilter.After also when that one has been
// replayed or discarded since.
func (db *DB) DeadLetters(ctx context.Context, f backend.DeadLetterFilter) ([]backend.DeadLetter, error) {
	var after, execution key
	if f.After != (backend.TaskID{}) {
		after = keyOf(f.After.Execution)
	}
	if f.Execution != "" {
		execution = keyOf(f.Execution)
	}
	rows, err := db.pool.Query(ctx, db.q.get("dead_letters"), after, number(f.After.Seq), f.After.Execution, execution, text(f.Step), text(f.Queue),
		limit(f.Limit, 100), text(f.Workflow), moment(f.MovedSince), moment(f.MovedBefore), pgtype.Int8{Int64: f.Before, Valid: f.Before > 0})
	var all []backend.DeadLetter
	if err == nil {
		all, err = collect(rows, func(rows pgx.Rows) (backend.DeadLetter, error) {
			l, err := scanLetter(rows)
			return l.DeadLetter, err
		})
	}
	if err != nil {
		return nil, db.wrap(ended(ctx, err), "list dead letters")
	}
	return all, nil
}

// DeadLetter reads one with its attempts.
func (db *DB) DeadLetter(ctx context.Context, id backend.TaskID) (backend.DeadLetter, error) {
	var l letter
	err := db.snapshot(ctx, func(tx pgx.Tx) (err error) {
		if l, err = db.letter(ctx, tx, id); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, db.q.get("attempts"), l.key, number(id.Seq))
		if err != nil {
			return err
		}
		l.Errors, err = collect(rows, scanAttempts(id.Execution))
		return err
	})
	if err != nil {
		return backend.DeadLetter{}, db.wrap(err, "read dead letter %v", id)
	}
	return l.DeadLetter, nil
}

// Attempts lists the failed attempts at an execution's tasks.
func (db *DB) Attempts(ctx context.Context, execution string) (all []backend.Attempt, err error) {
	err = db.snapshot(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, db.q.get("attempts_execution"), keyOf(execution))
		if err == nil {
			all, err = collect(rows, scanAttempts(execution))
		}
		return err
	})
	if err != nil {
		return nil, db.wrap(err, "list the failed attempts of %s", execution)
	}
	return all, nil
}

func scanAttempts(execution string) func(pgx.Rows) (backend.Attempt, error) {
	return func(rows pgx.Rows) (a backend.Attempt, err error) {
		var (
			fail    []byte
			worker  pgtype.Text
			token   pgtype.Int4
			started pgtype.Timestamptz
		)
		err = rows.Scan(&a.Task.Seq, &a.Attempt, &worker, &fail, &a.At, &a.Retried, &token, &started)
		a.Task.Execution, a.Worker, a.At = execution, worker.String, a.At.UTC()
		a.Token, a.Started = int64(token.Int32), at(started)
		return a, errors.Join(err, decode(fail, &a.Failure))
	}
}

func (db *DB) letter(ctx context.Context, tx pgx.Tx, id backend.TaskID) (letter, error) {
	rows, err := tx.Query(ctx, db.q.get("find_dead_letter"), keyOf(id.Execution), number(id.Seq))
	if err != nil {
		return letter{}, err
	}
	all, err := collect(rows, scanLetter)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("dead letter %v: %w", id, backend.ErrNotFound)
	}
	if err != nil {
		return letter{}, err
	}
	return all[0], nil
}

// Discard removes the dead letter and changes nothing else.
func (db *DB) Discard(ctx context.Context, id backend.TaskID, actor string) error {
	err := db.transact(ctx, func(tx pgx.Tx) error {
		l, err := db.letter(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := db.removeLetter(ctx, tx, &l, actor, "discard", ""); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, db.q.get("clean_letter"), l.key, number(id.Seq))
		return err
	})
	return db.wrap(err, "discard %v", id)
}

// removeLetter removes a dead letter. Of two who do it at once the second finds none.
func (db *DB) removeLetter(ctx context.Context, tx pgx.Tx, l *letter, actor, action, detail string) error {
	tag, err := tx.Exec(ctx, db.q.get("discard"), l.key, number(l.Task.Seq), l.Task.Execution, clean(actor), action, clean(detail))
	if err == nil && tag.RowsAffected() == 0 {
		err = fmt.Errorf("dead letter %v: %w", l.Task, backend.ErrNotFound)
	}
	return err
}

// Replay puts the task back to its queue, and reopens its execution.
func (db *DB) Replay(ctx context.Context, id backend.TaskID, queue, actor string) error {
	var told news
	err := db.transact(ctx, func(tx pgx.Tx) error {
		told = news{}
		l, err := db.letter(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := db.replay(ctx, tx, &l, queue, &told); err != nil {
			return err
		}
		detail := ""
		if queue != "" && queue != l.Queue {
			detail = fmt.Sprintf("queue %s -> %s", l.Queue, queue)
		}
		return db.removeLetter(ctx, tx, &l, actor, "replay", detail)
	})
	if err != nil {
		return db.wrap(err, "replay %v", id)
	}
	db.notes.add(told)
	return nil
}

func (db *DB) replay(ctx context.Context, tx pgx.Tx, l *letter, queue string, told *news) error {
	x, err := db.lookToReplay(ctx, tx, l.Task.Execution)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("its execution has been deleted: %w", backend.ErrNotReplayable)
	case err != nil:
		return err
	case !x.heals():
		return fmt.Errorf("its execution is %s: %w", x.state, backend.ErrNotReplayable)
	}
	var to string
	if !l.Task.IsRoot() {
		err := tx.QueryRow(ctx, db.q.get("replay"), l.key, number(l.Task.Seq), queue).Scan(&to)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("the task is not where it was buried: %w", backend.ErrNotReplayable)
		}
		if err != nil {
			return err
		}
		told.due(to)
	}
	if err := db.reopen(ctx, tx, x, l.place); err != nil {
		return err
	}
	if l.Task.IsRoot() {
		if err := tx.QueryRow(ctx, db.q.get("replay_execution"), l.key, queue).Scan(&to); err != nil {
			return err
		}
		told.due(to)
	}
	told.free = true // tasks that were put back may be due in any queue
	return db.healParents(ctx, tx, x)
}

// toReplay is what must be known of an execution to replay one of its dead letters.
type toReplay struct {
	key        key
	state      backend.State
	healedFrom int
	reopened   bool // by another replay, and nobody has run it since
	parent     *backend.TaskID
}

// heals tells whether the execution can be reopened.
func (x toReplay) heals() bool {
	return x.state == backend.Failed || x.state == backend.TimedOut || x.reopened
}

// lookToReplay locks an execution and reads it.
func (db *DB) lookToReplay(ctx context.Context, tx pgx.Tx, execution string) (toReplay, error) {
	x := toReplay{key: keyOf(execution)}
	var parent pgtype.Text
	err := tx.QueryRow(ctx, db.q.get("replay_look"), x.key).Scan(&x.state, &x.healedFrom, &x.reopened, &parent)
	if err == nil {
		x.parent, err = taskID(parent)
	}
	return x, err
}

// reopen lets an execution go on of which a failed task has been put back, that failed when its history had come to a
// place.
func (db *DB) reopen(ctx context.Context, tx pgx.Tx, x toReplay, place int) error {
	if x.reopened {
		place = min(place, x.healedFrom)
	}
	if _, err := tx.Exec(ctx, db.q.get("replay_restore"), x.key); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, db.q.get("replay_children"), x.key); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, db.q.get("reopen"), x.key, number(place))
	return err
}

// healParents has the callers of an execution that was reopened wait for it again, as far as its failure is why they
// have ended.
func (db *DB) healParents(ctx context.Context, tx pgx.Tx, x toReplay) error {
	for x.parent != nil {
		p, err := db.lookToReplay(ctx, tx, x.parent.Execution)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !p.heals() {
			return nil
		}
		if err != nil {
			return err
		}
		var place int
		err = tx.QueryRow(ctx, db.q.get("replay_child"), p.key, number(x.parent.Seq), x.key).Scan(&place)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = db.reopen(ctx, tx, p, place)
		}
		if err != nil {
			return err
		}
		x = p
	}
	return nil
}
