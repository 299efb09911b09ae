// Package otel makes spans of what Stent does, and carries trace context and baggage from the program that starts an
// execution to all that work on it, whatever crashes in between. It needs OpenTelemetry's API alone: the SDK and the
// exporter are the program's own.
//
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithIDGenerator(stentotel.NewIDGenerator()))
//	engine, err := core.New(db, core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider))))
//
// The spans of an execution form one tree in one trace:
//
//	stent.dispatch order_workflow            where it was started, within the caller's span
//	    stent.execute order_workflow         the whole execution, made when it has ended
//	        stent.turn order_workflow        whenever the workflow went on
//	        stent.execute validate_order     each attempt
//	        stent.execute charge_payment
//	        stent.execute charge_payment     a second attempt, linked to the first
//
// No span is held open while a workflow waits, and what a workflow repeats makes none. That works because the ids of
// the spans in the middle are not random: whoever makes a child knows its parent's id, in another process and before the
// parent exists. [IDGenerator] is how the SDK is told of them. A program without it gets all spans too, but those under
// the execution's span hang under the dispatch, and attempts are not linked.
//
// An execution whose dispatch is not sampled makes no spans, and costs next to nothing, unless the sampler takes what hangs
// under a span that is not sampled.
package otel
