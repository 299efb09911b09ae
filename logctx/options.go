package logctx

import "context"

// Option is an option of every injector.
type Option func(*settings)

type settings struct {
	names Names
	span  Span
}

// WithNames changes the names of fields, or leaves fields out.
func WithNames(names Names) Option {
	return func(s *settings) { s.names.change(names) }
}

// WithoutPrefix takes "stent_" off the names: execution_id, task_id, worker_id, step, queue, attempt.
func WithoutPrefix() Option {
	return func(s *settings) { s.names = bareNames }
}

// Span tells the span that a context carries, in lower-case hex; ok is false without one. It is called for every record
// made in a task, so it should not allocate.
type Span func(ctx context.Context) (traceID, spanID string, ok bool)

// WithSpan adds the ids of the span to what is logged in a task. Default: none.
func WithSpan(span Span) Option {
	return func(s *settings) { s.span = span }
}
