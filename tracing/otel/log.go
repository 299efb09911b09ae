package otel

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Span tells the ids of the span in a context, in lower-case hex, for [github.com/stentgo/stent/logctx.WithSpan]. In a
// task it allocates only when the span is another one than the last time.
func Span(ctx context.Context) (traceID, spanID string, ok bool) {
	current := trace.SpanContextFromContext(ctx)
	if !current.IsValid() {
		return "", "", false
	}
	s := surroundingsOf(ctx)
	if s == nil {
		return current.TraceID().String(), current.SpanID().String(), true
	}
	t := s.said.Load()
	if t == nil || t.span != current.SpanID() || t.trace != current.TraceID() {
		t = &text{current.TraceID(), current.SpanID(), current.TraceID().String(), current.SpanID().String()}
		s.said.Store(t)
	}
	return t.traceID, t.spanID, true
}

// SampledSpan is Span for those spans alone that are exported: for exemplars, as in
// [github.com/stentgo/stent/recorder/prometheus.WithExemplars].
func SampledSpan(ctx context.Context) (traceID, spanID string, ok bool) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return "", "", false
	}
	return Span(ctx)
}

// text is what a log record says of a span.
type text struct {
	trace           trace.TraceID
	span            trace.SpanID
	traceID, spanID string
}
