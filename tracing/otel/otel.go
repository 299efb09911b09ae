package otel

import (
	"context"
	"sync/atomic"

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
	everySpan  bool
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

// WithEverySpan has the sampler asked for every span of an execution that is not sampled, and told the attributes of that of
// the start: for samplers that go by a span's name, kind or attributes. Default: it is asked for that of the start and, in
// each process, for the execution's own, without attributes, and if that is not recorded no other is begun.
func WithEverySpan() Option {
	return func(s *settings) { s.everySpan = true }
}

// Middleware makes the spans. It is safe for concurrent use.
type Middleware struct {
	core.NopMiddleware
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	everySpan  atomic.Bool // ask for each, also where the trace is not sampled
	names      names
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
	m := &Middleware{tracer: s.provider.Tracer(scope), propagator: s.propagator}
	m.everySpan.Store(s.everySpan)
	m.names.dispatch.prefix, m.names.execute.prefix, m.names.turn.prefix = "stent.dispatch ", "stent.execute ", "stent.turn "
	return m
}

// The kinds of spans, made once: an option is a closure.
var (
	producer = trace.WithSpanKind(trace.SpanKindProducer)
	consumer = trace.WithSpanKind(trace.SpanKindConsumer)
	internal = trace.WithSpanKind(trace.SpanKindInternal)
)

// start begins a span whose ids are to be those of the wish.
func (m *Middleware) start(ctx context.Context, w wish, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	s := &surroundings{Context: ctx, wish: w}
	ctx, span := m.tracer.Start(s, name, opts...)
	s.begun.Store(true)
	return ctx, span
}

// surroundings is the context that a span of this package is begun with and that the user's is made of, in one piece of
// memory. The wish is there for the span and not for those within.
type surroundings struct {
	context.Context //nolint:containedctx // the parent
	wish            wish
	begun           atomic.Bool
	said            atomic.Pointer[text] // what Span said last
}

type surroundingsKey struct{}

func (s *surroundings) Value(key any) any {
	if _, ok := key.(surroundingsKey); ok {
		return s
	}
	return s.Context.Value(key)
}

// surroundingsOf are the innermost; nil outside all spans of this package.
func surroundingsOf(ctx context.Context) *surroundings {
	s, _ := ctx.Value(surroundingsKey{}).(*surroundings)
	return s
}
