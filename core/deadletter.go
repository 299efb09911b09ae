package core

import (
	"context"
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

// ReplayOption is an option of [Engine.Replay] and [Engine.Discard].
type ReplayOption interface{ toReplay(*replaySettings) }

type replaySettings struct{ queue, actor string }

type replayOption func(*replaySettings)

func (o replayOption) toReplay(s *replaySettings) { o(s) }

// ToQueue puts the task into another queue than the one it came from.
func ToQueue(name string) replayOption { return func(s *replaySettings) { s.queue = name } }

// Replay puts a dead letter back to work, with fresh attempts, and reopens its execution, which goes on from where it
// was once the task succeeds. It says ErrNotFound, or ErrNotReplayable where the execution went on without the task.
func (e *Engine) Replay(ctx context.Context, id backend.TaskID, opts ...ReplayOption) error {
	var s replaySettings
	for _, opt := range opts {
		opt.toReplay(&s)
	}
	if s.queue != "" {
		if err := checkName("queue", s.queue); err != nil {
			return fmt.Errorf("replay %s: %w", id, err)
		}
	}
	letter, err := e.db.DeadLetter(ctx, id)
	if err != nil {
		return fmt.Errorf("replay %s: %w", id, err)
	}
	info := ReplayInfo{Letter: letter, Queue: orDefault(s.queue, letter.Queue), Actor: s.actor}
	err = e.replaying(ctx, info, func(ctx context.Context) error { return e.db.Replay(ctx, id, s.queue, s.actor) })
	if err != nil {
		return fmt.Errorf("replay %s: %w", id, err)
	}
	if len(e.metrics) > 0 {
		e.metrics.put(&recorded{what: deadLetterReplayed, queue: letter.Queue, step: letter.Step})
	}
	e.taskDue(orDefault(s.queue, letter.Queue), 0)
	return nil
}

// Discard removes a dead letter; its execution stays as it is. It says ErrNotFound.
func (e *Engine) Discard(ctx context.Context, id backend.TaskID, opts ...ReplayOption) error {
	var s replaySettings
	for _, opt := range opts {
		opt.toReplay(&s)
	}
	var letter backend.DeadLetter
	if len(e.metrics) > 0 { // afterwards nobody knows its queue
		var err error
		if letter, err = e.db.DeadLetter(ctx, id); err != nil {
			return fmt.Errorf("discard %s: %w", id, err)
		}
	}
	if err := e.db.Discard(ctx, id, s.actor); err != nil {
		return fmt.Errorf("discard %s: %w", id, err)
	}
	if len(e.metrics) > 0 {
		e.metrics.put(&recorded{what: deadLetterDiscarded, queue: letter.Queue, step: letter.Step})
	}
	return nil
}

// DeadLetters lists the tasks that will not be tried again by themselves, newest first.
func (e *Engine) DeadLetters(ctx context.Context, f backend.DeadLetterFilter) ([]backend.DeadLetter, error) {
	return e.db.DeadLetters(ctx, f)
}
