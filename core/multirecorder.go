package core

import (
	"context"
	"errors"
)

// MultiRecorder tells several recorders. Installed with [WithMetrics], each has a queue of its own, so that one which
// blocks or panics is no harm to the others.
func MultiRecorder(recorders ...MetricsRecorder) MetricsRecorder {
	var all multiRecorder
	for _, r := range recorders {
		if inner, ok := r.(multiRecorder); ok {
			all = append(all, inner...)
		} else if r != nil {
			all = append(all, r)
		}
	}
	return all
}

// WithMetrics tells recorders what the engine does. Given more than once, it adds up. Default: none, which costs
// nothing.
func WithMetrics(recorders ...MetricsRecorder) Option {
	return func(e *Engine) error {
		for _, r := range recorders {
			if r == nil {
				return errors.New("WithMetrics: a recorder is nil")
			}
		}
		for _, r := range MultiRecorder(recorders...).(multiRecorder) {
			e.metrics = append(e.metrics, newRecorderQueue(r))
		}
		return nil
	}
}

type multiRecorder []MetricsRecorder

func (m multiRecorder) TaskClaimed(ctx context.Context, e TaskClaimed) {
	for _, r := range m {
		r.TaskClaimed(ctx, e)
	}
}

func (m multiRecorder) TaskCompleted(ctx context.Context, e TaskCompleted) {
	for _, r := range m {
		r.TaskCompleted(ctx, e)
	}
}

func (m multiRecorder) TaskFailed(ctx context.Context, e TaskFailed) {
	for _, r := range m {
		r.TaskFailed(ctx, e)
	}
}

func (m multiRecorder) DeadLettered(ctx context.Context, e DeadLettered) {
	for _, r := range m {
		r.DeadLettered(ctx, e)
	}
}

func (m multiRecorder) LeaseRenewed(ctx context.Context, e LeaseRenewed) {
	for _, r := range m {
		r.LeaseRenewed(ctx, e)
	}
}

func (m multiRecorder) LeaseTakenOver(ctx context.Context, e LeaseTakenOver) {
	for _, r := range m {
		r.LeaseTakenOver(ctx, e)
	}
}

func (m multiRecorder) WriteFenced(ctx context.Context, e WriteFenced) {
	for _, r := range m {
		r.WriteFenced(ctx, e)
	}
}

func (m multiRecorder) ExecutionStarted(ctx context.Context, e ExecutionStarted) {
	for _, r := range m {
		r.ExecutionStarted(ctx, e)
	}
}

func (m multiRecorder) ExecutionFinished(ctx context.Context, e ExecutionFinished) {
	for _, r := range m {
		r.ExecutionFinished(ctx, e)
	}
}

func (m multiRecorder) DeadLetterReplayed(ctx context.Context, e DeadLetterReplayed) {
	for _, r := range m {
		r.DeadLetterReplayed(ctx, e)
	}
}

func (m multiRecorder) DeadLetterDiscarded(ctx context.Context, e DeadLetterDiscarded) {
	for _, r := range m {
		r.DeadLetterDiscarded(ctx, e)
	}
}

func (m multiRecorder) ClaimEnded(ctx context.Context, e ClaimEnded) {
	for _, r := range m {
		r.ClaimEnded(ctx, e)
	}
}

func (m multiRecorder) BatchCommitted(ctx context.Context, e BatchCommitted) {
	for _, r := range m {
		r.BatchCommitted(ctx, e)
	}
}

func (m multiRecorder) BackendFailed(ctx context.Context, e BackendFailed) {
	for _, r := range m {
		r.BackendFailed(ctx, e)
	}
}

func (m multiRecorder) EventsDropped(ctx context.Context, e EventsDropped) {
	for _, r := range m {
		r.EventsDropped(ctx, e)
	}
}

func (m multiRecorder) Sampled(ctx context.Context, s *Sample) {
	for _, r := range m {
		r.Sampled(ctx, s)
	}
}
