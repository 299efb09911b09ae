package core

import (
	"context"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Replay puts a dead letter back to work, with fresh attempts, and reopens its execution, which goes on from where it
// was once the task succeeds. It says ErrNotFound, or ErrNotReplayable where the execution went on without the task.
func (e *Engine) Replay(ctx context.Context, id backend.TaskID, opts ...ReplayOption) error {
	var s operation
	for _, opt := range opts {
		opt.toReplay(&s)
	}
	if s.err != nil {
		return fmt.Errorf("replay %s: %w", id, s.err)
	}
	if err := checkID(id.Execution); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	letter, err := e.db.DeadLetter(ctx, id)
	if err == nil {
		err = e.replay(ctx, &letter, s)
	}
	if err != nil {
		return fmt.Errorf("replay %s: %w", id, err)
	}
	return nil
}

func (e *Engine) replay(ctx context.Context, letter *backend.DeadLetter, s operation) error {
	queue := orDefault(s.queue, letter.Queue)
	if err := e.replaying(ctx, letter, s.queue, s.actor); err != nil {
		return err
	}
	if len(e.metrics) > 0 {
		e.metrics.put(&recorded{what: deadLetterReplayed, queue: letter.Queue, step: letter.Step})
	}
	e.taskDue(queue, 0)
	return nil
}

// Discard removes a dead letter; its execution stays as it is. It says ErrNotFound.
func (e *Engine) Discard(ctx context.Context, id backend.TaskID, opts ...ActOption) error {
	if err := checkID(id.Execution); err != nil {
		return fmt.Errorf("discard: %w", err)
	}
	letter := backend.DeadLetter{Task: id}
	if len(e.metrics) > 0 { // afterwards nobody knows its queue
		var err error
		if letter, err = e.db.DeadLetter(ctx, id); err != nil {
			return fmt.Errorf("discard %s: %w", id, err)
		}
	}
	if err := e.discard(ctx, &letter, act(opts).actor); err != nil {
		return fmt.Errorf("discard %s: %w", id, err)
	}
	return nil
}

func (e *Engine) discard(ctx context.Context, letter *backend.DeadLetter, actor string) error {
	if err := e.db.Discard(ctx, letter.Task, actor); err != nil {
		return err
	}
	if len(e.metrics) > 0 {
		e.metrics.put(&recorded{what: deadLetterDiscarded, queue: letter.Queue, step: letter.Step})
	}
	return nil
}

// DeadLetterFilter chooses dead letters. Zero fields choose all.
type DeadLetterFilter struct {
	Execution   string
	Workflow    string
	Step        string // the activity's name, or the workflow's
	Queue       string
	Fingerprint string    // of the failure: see [Fingerprint]
	MovedSince  time.Time // then or later, by the database's clock
	MovedBefore time.Time // earlier than that
	Limit       int       // 0 means 100, and in bulk operations all

	// After is the last of the page before, also if it has been replayed or discarded since.
	After backend.TaskID
}

func (f DeadLetterFilter) stored() backend.DeadLetterFilter {
	return backend.DeadLetterFilter{
		Execution: f.Execution, Workflow: f.Workflow, Step: f.Step, Queue: f.Queue, MovedSince: f.MovedSince, MovedBefore: f.MovedBefore,
		Limit: f.Limit, After: f.After,
	}
}

// DeadLetters lists the tasks that will not be tried again by themselves, newest first.
func (e *Engine) DeadLetters(ctx context.Context, f DeadLetterFilter) ([]backend.DeadLetter, error) {
	if f.Fingerprint == "" {
		return e.db.DeadLetters(ctx, f.stored())
	}
	var all []backend.DeadLetter
	err := e.eachDeadLetter(ctx, f, func(l backend.DeadLetter) (bool, error) {
		all = append(all, l)
		return len(all) < orDefault(f.Limit, 100), nil
	})
	return all, err
}

// letterPage is how many dead letters are read at once.
const letterPage = 200

// eachDeadLetter calls fn with those that are there now, newest first, until it returns false. What is buried meanwhile,
// also for a second time, is not among them.
func (e *Engine) eachDeadLetter(ctx context.Context, f DeadLetterFilter, fn func(l backend.DeadLetter) (more bool, err error)) error {
	stored := f.stored()
	stored.Limit = letterPage
	for {
		page, err := e.db.DeadLetters(ctx, stored)
		if err != nil {
			return err
		}
		for _, l := range page {
			if f.Fingerprint != "" && Fingerprint(l.Failure) != f.Fingerprint {
				continue
			}
			if more, err := fn(l); err != nil || !more {
				return err
			}
		}
		if len(page) < letterPage {
			return nil
		}
		stored.After, stored.Before = backend.TaskID{}, page[len(page)-1].N
	}
}

// DeadLetter reads one with its attempts, or says ErrNotFound.
func (e *Engine) DeadLetter(ctx context.Context, id backend.TaskID) (backend.DeadLetter, error) {
	return e.db.DeadLetter(ctx, id)
}
