package core

import (
	"context"
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

// CancelOption is an option of [Engine.Cancel].
type CancelOption interface{ toCancel(*cancelSettings) }

type cancelSettings struct{ actor, reason string }

type cancelOption func(*cancelSettings)

func (o cancelOption) toCancel(s *cancelSettings) { o(s) }

// Because says why; it is kept, up to 64 KiB of it. Default: nothing is said.
func Because(text string) cancelOption {
	text = storable(text, maxText)
	return func(s *cancelSettings) { s.reason = text }
}

// Cancel asks an execution to stop, and returns when that is durable; it does not wait until it has.
//
// One that no worker has begun yet is cancelled at once. Any other is cancelling from now on: its workflow gets
// [ErrCancelled] from what it waits for, wherever it is, and can put right what it has done; when it returns, the
// execution is cancelled, whatever it returned. Activities of it that wait in queues do not begin any more; the contexts
// of those that run are cancelled, with the cause ErrCancelled, also on other workers, there with the next renewal of
// their leases (every third of [WorkerConfig].Lease).
//
// An unknown execution is ErrNotFound; one that has completed, failed or timed out is ErrFinished. To cancel again what
// is cancelling or cancelled is no error and changes nothing.
func (e *Engine) Cancel(ctx context.Context, id string, opts ...CancelOption) error {
	var s cancelSettings
	for _, opt := range opts {
		opt.toCancel(&s)
	}
	if err := checkID(id); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	cmd := &backend.Cancel{Execution: id, Actor: s.actor, Reason: s.reason}
	err := e.commit(ctx, cmd)
	if err == nil {
		err = cmd.Err
	}
	if err != nil {
		return fmt.Errorf("cancel %s: %w", id, err)
	}
	if cmd.Ended {
		e.measureElsewhere(ctx, id)
		e.endedElsewhere(ctx, id)
	}
	e.woke()
	e.watch.changed()
	return nil
}
