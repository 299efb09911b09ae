package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
)

// carrierSpan is where the carrier has the id of the execution's span, beside what the propagator writes. It is there if
// the program that started the execution has an [IDGenerator].
const carrierSpan = "stent-span"

// Start makes a span for each start, which ends when the execution is in the database, and keeps its context there.
func (m *Middleware) Start(ctx context.Context, starts []*core.StartInfo, next core.Next) error {
	var room [1]trace.Span // for one, which is the usual
	spans := room[:0]
	for _, s := range starts {
		within, span := m.dispatch(ctx, s)
		spans = append(spans, span)
		if len(starts) == 1 { // of several, none is what the others happen in
			ctx = within //nolint:fatcontext // once
		}
	}
	err := next(ctx)
	for i, s := range starts {
		if s.Withdrawn {
			continue // a span that does not end is exported nowhere
		}
		failed := s.Err
		if failed == nil {
			failed = err
		}
		if s.Existed {
			spans[i].SetAttributes(attribute.Bool("stent.existed", true))
		}
		end(spans[i], failed)
	}
	return err
}

func (m *Middleware) dispatch(ctx context.Context, s *core.StartInfo) (context.Context, trace.Span) {
	w := wish{span: randomSpanID()}
	about := func() []attribute.KeyValue {
		return []attribute.KeyValue{
			attribute.String("stent.function", s.Workflow),
			attribute.String("stent.execution_id", s.ExecutionID),
			attribute.String("stent.queue", s.Queue),
		}
	}
	begin, told := asDispatch, m.everySpan.Load()
	if told { // the sampler may want to know
		begin = []trace.SpanStartOption{producer, trace.WithAttributes(about()...)}
	}
	ctx, span := m.start(ctx, w, m.names.dispatch.of(s.Workflow), begin...)
	if span.IsRecording() && !told {
		span.SetAttributes(about()...)
	}
	delete(s.Carrier, carrierSpan) // a child's begins with its parent's
	m.propagator.Inject(ctx, propagation.MapCarrier(s.Carrier))
	if from := span.SpanContext(); from.SpanID() == w.span { // an IDGenerator is there
		s.Carrier[carrierSpan] = ExecutionSpanID(from.TraceID(), s.ExecutionID).String()
	}
	return ctx, span
}

// Signal makes a span of the sending.
func (m *Middleware) Signal(ctx context.Context, s *core.SignalInfo, next core.Next) error {
	ctx, span := m.tracer.Start(ctx, "stent.signal "+s.Name, producer, trace.WithAttributes(
		attribute.String("stent.signal", s.Name),
		attribute.String("stent.execution_id", s.ExecutionID),
	))
	err := next(ctx)
	end(span, err)
	return err
}

// Replay makes a span of putting a dead letter back to work, linked to the execution's trace.
func (m *Middleware) Replay(ctx context.Context, r *core.ReplayInfo, next core.Next) error {
	opts := []trace.SpanStartOption{producer, trace.WithAttributes(
		attribute.String("stent.task_id", r.Letter.Task.String()),
		attribute.String("stent.execution_id", r.Letter.Task.Execution),
		attribute.String("stent.step", r.Letter.Step),
		attribute.String("stent.queue", r.Queue),
		attribute.String("stent.kind", string(r.Letter.Kind)),
	)}
	if id, err := trace.TraceIDFromHex(r.Letter.TraceID); err == nil {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: id, SpanID: ExecutionSpanID(id, r.Letter.Task.Execution), Remote: true,
		})}))
	}
	ctx, span := m.tracer.Start(ctx, "stent.replay "+r.Letter.Step, opts...)
	err := next(ctx)
	end(span, err)
	return err
}
