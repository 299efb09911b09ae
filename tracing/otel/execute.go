package otel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Execute makes a span of an attempt at an activity, or of a turn of a workflow.
func (m *Middleware) Execute(ctx context.Context, t *core.ExecuteInfo, next core.Next) error {
	ctx, o := m.origin(ctx, &t.TaskInfo, t.Carrier)
	ctx = trace.ContextWithRemoteSpanContext(ctx, o.above())
	var span trace.Span
	if t.Kind == backend.Orchestrator {
		ctx, span = m.start(ctx, wish{}, m.names.turn.of(t.Step), internal, attributes(&t.TaskInfo))
	} else {
		opts := []trace.SpanStartOption{consumer, attributes(&t.TaskInfo)}
		if t.Attempt > 1 && o.execution.IsValid() {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: o.at(AttemptSpanID(o.traceID, t.TaskID, 1))}))
		}
		w := wish{span: AttemptSpanID(o.traceID, t.TaskID, t.Token)}
		ctx, span = m.start(ctx, w, m.names.execute.of(t.Step), opts...)
	}
	err := next(ctx)
	for _, cause := range []error{core.ErrShutdown, core.ErrLeaseLost, core.ErrExecutionEnded} {
		if err != nil && errors.Is(context.Cause(ctx), cause) {
			span.SetAttributes(attribute.String("stent.interrupted", cause.Error()))
		}
	}
	end(span, err)
	return err
}

// Ended makes the span of the whole execution.
func (m *Middleware) Ended(ctx context.Context, e *core.EndInfo) {
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // not within the last turn
	ctx, o := m.origin(ctx, &e.TaskInfo, e.Carrier)
	began := e.Started
	if began.IsZero() {
		began = e.Created
	}
	opts := []trace.SpanStartOption{
		consumer, attributes(&e.TaskInfo), trace.WithTimestamp(began),
		trace.WithAttributes(attribute.String("stent.state", string(e.State))),
	}
	w := wish{trace: o.traceID}
	if !e.Reopened {
		w.span = o.execution
	} else if o.execution.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: o.at(o.execution)}))
	}
	if o.dispatch.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, o.at(o.dispatch))
	}
	_, span := m.start(ctx, w, m.names.execute.of(e.Step), opts...)
	if e.State != backend.Completed {
		message := string(e.State)
		if e.Failure != nil {
			exception(span, *e.Failure)
			message = e.Failure.Message
		}
		span.SetStatus(codes.Error, message)
	}
	ended := time.Now()
	if ended.Before(began) { // by another clock
		ended = began
	}
	span.End(trace.WithTimestamp(ended))
}

// origin is what an execution's carrier tells of where its spans belong.
type origin struct {
	traceID   trace.TraceID
	flags     trace.TraceFlags
	state     trace.TraceState
	dispatch  trace.SpanID // zero where nobody traced the start
	execution trace.SpanID // zero where the starter has no IDGenerator
}

// origin reads a carrier, and puts the baggage into the context.
func (m *Middleware) origin(ctx context.Context, t *core.TaskInfo, carrier map[string]string) (context.Context, origin) {
	ctx, o := m.carried(ctx, carrier)
	if !o.traceID.IsValid() {
		o = m.invented(ctx, t)
	}
	return ctx, o
}

// carried is what a carrier tells of an origin; without a trace where nobody traced the start.
func (m *Middleware) carried(ctx context.Context, carrier map[string]string) (context.Context, origin) {
	ctx = m.propagator.Extract(ctx, propagation.MapCarrier(carrier))
	from := trace.SpanContextFromContext(ctx)
	if !from.IsValid() {
		return ctx, origin{}
	}
	o := origin{traceID: from.TraceID(), flags: from.TraceFlags(), state: from.TraceState(), dispatch: from.SpanID()}
	o.execution = parseSpanID(carrier[carrierSpan])
	return ctx, o
}

// invented is the origin of an execution whose start nobody traced: all who work on it agree on a trace, and, if their
// samplers are alike and go by its id, on whether it is sampled.
func (m *Middleware) invented(ctx context.Context, t *core.TaskInfo) origin {
	w := inventedIDs(t.ExecutionID)
	_, asked := m.ask(ctx, w, t, asRoot)
	return origin{traceID: w.trace, execution: w.span, flags: asked.SpanContext().TraceFlags()}
}

// inventedIDs are those of the span of an execution whose start nobody traced.
func inventedIDs(executionID string) wish {
	id := TraceIDOf(executionID)
	return wish{trace: id, span: ExecutionSpanID(id, executionID)}
}

// above is the parent of attempts and turns.
func (o *origin) above() trace.SpanContext {
	if o.execution.IsValid() {
		return o.at(o.execution)
	}
	return o.at(o.dispatch)
}

// at is a span of the execution's trace in some process.
func (o *origin) at(id trace.SpanID) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: o.traceID, SpanID: id, TraceFlags: o.flags, TraceState: o.state, Remote: true,
	})
}

func attributes(t *core.TaskInfo) trace.SpanStartEventOption {
	return trace.WithAttributes(
		attribute.String("stent.task_id", t.TaskID),
		attribute.String("stent.execution_id", t.ExecutionID),
		attribute.String("stent.step", t.Step),
		attribute.String("stent.worker_id", t.WorkerID),
		attribute.String("stent.queue", t.Queue),
		attribute.String("stent.kind", string(t.Kind)),
		attribute.Int("stent.attempt", t.Attempt),
	)
}

// end ends a span with the outcome of what it stands for.
func end(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		f := core.FailureOf(err)
		exception(span, f)
		span.SetStatus(codes.Error, f.Message)
	}
	span.End()
}

// exception records a failure as OpenTelemetry's semantic conventions for exceptions on spans say.
func exception(span trace.Span, f backend.Failure) {
	attrs := []attribute.KeyValue{attribute.String("exception.type", f.Type), attribute.String("exception.message", f.Message)}
	if f.Stack != "" {
		attrs = append(attrs, attribute.String("exception.stacktrace", f.Stack))
	}
	span.AddEvent("exception", trace.WithAttributes(attrs...))
}
