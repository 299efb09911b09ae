package otel

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
)

// scope is the name of the instrumentation.
const scope = "github.com/stentgo/stent/tracing/otel"

// Option is an option of [New].
type Option func(*settings)

type settings struct {
	provider   trace.TracerProvider
	propagator propagation.TextMapPropagator
}

// WithTracerProvider sets who makes the spans. Default: the one of otel.GetTracerProvider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(s *settings) { s.provider = p }
}

// WithPropagator sets what is kept with an execution and how: the fields that the propagator writes. Default: W3C trace
// context and baggage. All programs on one database must agree.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(s *settings) { s.propagator = p }
}

// Middleware makes the spans. It is safe for concurrent use.
type Middleware struct {
	core.NopMiddleware
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

var _ core.Middleware = (*Middleware)(nil)

// New makes the middleware, for [core.WithMiddleware]. Give it first, so that the others are within its spans.
func New(opts ...Option) *Middleware {
	var s settings
	for _, opt := range opts {
		opt(&s)
	}
	if s.provider == nil {
		s.provider = otel.GetTracerProvider()
	}
	if s.propagator == nil {
		s.propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	}
	return &Middleware{tracer: s.provider.Tracer(scope), propagator: s.propagator}
}

// start begins a span whose ids are to be those of the wish. The context that it returns does not have the wish.
func (m *Middleware) start(ctx context.Context, w wish, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	_, span := m.tracer.Start(context.WithValue(ctx, wishKey{}, w), name, opts...)
	return withSpan(ctx, span), span
}
