package otel

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
)

// Span tells the ids of the span in a context, in lower-case hex, for [github.com/stentgo/stent/logctx.WithSpan]. In a
// task it allocates only when the span is another one than the last time.
func Span(ctx context.Context) (traceID, spanID string, ok bool) {
	current := trace.SpanContextFromContext(ctx)
	if !current.IsValid() {
		return "", "", false
	}
	said, ok := ctx.Value(saidKey{}).(*said)
	if !ok {
		return current.TraceID().String(), current.SpanID().String(), true
	}
	t := said.last.Load()
	if t == nil || t.span != current.SpanID() || t.trace != current.TraceID() {
		t = &text{current.TraceID(), current.SpanID(), current.TraceID().String(), current.SpanID().String()}
		said.last.Store(t)
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

// said is what Span said last in a task.
type said struct{ last atomic.Pointer[text] }

type text struct {
	trace           trace.TraceID
	span            trace.SpanID
	traceID, spanID string
}

type saidKey struct{}

func withSpan(ctx context.Context, span trace.Span) context.Context {
	return trace.ContextWithSpan(context.WithValue(ctx, saidKey{}, &said{}), span)
}
