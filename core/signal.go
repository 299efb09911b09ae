package core

import (
	"context"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Signal describes a message to running executions: its name and the type of its payload. Signals to an execution are
// kept until it receives them, come in the order in which they were sent, and are each received once.
type Signal[T any] struct {
	name string
	err  error
}

// NewSignal describes a signal. A bad name is reported by every use.
func NewSignal[T any](name string) *Signal[T] {
	return &Signal[T]{name: name, err: checkName("signal", name)}
}

// Name is the name under which the signal is stored.
func (s *Signal[T]) Name() string { return s.name }

// Send delivers v to an execution that has not ended, and returns when it is durable. An unknown execution is
// ErrNotFound, one that has ended ErrFinished.
func (s *Signal[T]) Send(ctx context.Context, e *Engine, execution string, v T) error {
	if s.err != nil {
		return s.err
	}
	data, err := e.payloads.encode("signal ", s.name, v)
	if err != nil {
		return err
	}
	return e.signal(ctx, execution, s.name, data)
}

// SignalRaw delivers a payload that is encoded already, for callers that do not know its type.
func (e *Engine) SignalRaw(ctx context.Context, execution, name string, payload []byte) error {
	if err := checkName("signal", name); err != nil {
		return err
	}
	if err := e.payloads.fits("signal ", name, payload); err != nil {
		return err
	}
	return e.signal(ctx, execution, name, payload)
}

func (e *Engine) signal(ctx context.Context, execution, name string, payload []byte) error {
	if err := checkID(execution); err != nil {
		return fmt.Errorf("send signal %s: %w", name, err)
	}
	cmd := &backend.Signalled{Execution: execution, ID: newID(e.clock.Now()), Name: name, Payload: payload}
	if err := e.signalling(ctx, cmd); err != nil {
		return fmt.Errorf("send signal %s to %s: %w", name, execution, err)
	}
	e.woke()
	return nil
}

func (e *Engine) send(ctx context.Context, cmd *backend.Signalled) error {
	if err := e.commit(ctx, cmd); err != nil {
		return err
	}
	return cmd.Err
}

// Receive waits for the next signal of this name, for as long as it takes.
func (s *Signal[T]) Receive(flow *Flow) (T, error) { return s.next(flow, -1).Get(flow) }

// ReceiveWithin waits for the next signal of this name for at most d, and then says ErrSignalTimeout. A signal that was
// there before is received even if d is 0.
func (s *Signal[T]) ReceiveWithin(flow *Flow, d time.Duration) (T, error) {
	return s.next(flow, max(d, 0)).Get(flow)
}

// Next takes the next signal of this name for its own, now or when it comes, and returns at once.
func (s *Signal[T]) Next(flow *Flow) *Reception[T] { return s.next(flow, -1) }

// Reception is a signal that has come or is waited for.
type Reception[T any] struct{ step *step }

// Get waits for the signal. It may be called more than once.
func (r *Reception[T]) Get(flow *Flow) (T, error) {
	var out T
	flow.awaitOne(r.step)
	if err := r.step.err(); err != nil {
		return out, err
	}
	return out, flow.run.w.e.payloads.decode("signal ", r.step.name, r.step.result, &out)
}

func (r *Reception[T]) awaited() *step { return r.step }

func (s *Signal[T]) next(flow *Flow, timeout time.Duration) *Reception[T] {
	if s.err != nil {
		return &Reception[T]{&step{name: s.name, refused: NonRetryable(s.err)}}
	}
	wait, added, err := flow.enter(backend.SignalWait, s.name, "", 0)
	if err != nil {
		return &Reception[T]{&step{name: s.name, refused: err}}
	}
	if added {
		if sig, ok := flow.run.takeSignal(s.name); ok {
			wait.state, wait.result = backend.Completed, sig.Payload
			flow.add(wait, backend.Add{State: backend.Completed, Result: sig.Payload, Signal: sig.Seq})
		} else {
			wait.state, wait.timeout = backend.Waiting, timeout
			flow.add(wait, backend.Add{State: backend.Waiting, Delay: timeout})
		}
	}
	return &Reception[T]{wait}
}
