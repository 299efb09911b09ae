package core

import (
	"context"
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

// PauseQueue keeps tasks of a queue from beginning, on all workers, until [Engine.ResumeQueue]. They wait, and more can be
// started. What runs goes on: activities to their end, and a workflow that is in a worker's memory as long as it stays
// there; what it calls in the paused queue waits. Retries, timers and signals that fall due wait as well.
//
// A claim that begins after PauseQueue has returned takes nothing from the queue. A worker also begins activities that
// follow in its workflows without a claim; it stops doing so with its next claim, for which it is woken at once, and
// which comes after its PollInterval (default 1 s) where the database does not wake it.
//
// The queue need not exist; to pause one that is paused changes nothing. [By] tells who wanted it.
func (e *Engine) PauseQueue(ctx context.Context, queue string, opts ...ActOption) error {
	if err := checkName("queue", queue); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	if err := e.db.PauseQueue(ctx, queue, act(opts).actor); err != nil {
		return fmt.Errorf("pause queue %s: %w", queue, err)
	}
	e.woke()
	return nil
}

// ResumeQueue lets the tasks of a queue begin again, at once. To resume one that is not paused changes nothing.
func (e *Engine) ResumeQueue(ctx context.Context, queue string, opts ...ActOption) error {
	if err := checkName("queue", queue); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if err := e.db.ResumeQueue(ctx, queue, act(opts).actor); err != nil {
		return fmt.Errorf("resume queue %s: %w", queue, err)
	}
	e.woke()
	return nil
}

// PausedQueues lists the queues that are paused, with when and by whom.
func (e *Engine) PausedQueues(ctx context.Context) ([]backend.PausedQueue, error) {
	return e.db.PausedQueues(ctx)
}

// Audit lists what people did: replays, discards, pauses and the like, newest first. It outlives what it is about.
func (e *Engine) Audit(ctx context.Context, f backend.AuditFilter) ([]backend.AuditEntry, error) {
	return e.db.Audit(ctx, f)
}
