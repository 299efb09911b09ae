package otel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// TraceIDOf is the trace of an execution whose starter knew no tracing.
func TraceIDOf(executionID string) (id trace.TraceID) {
	sum := hash("trace", trace.TraceID{}, executionID, 0)
	copy(id[:], sum[:])
	return id
}

// ExecutionSpanID is the id of the span of a whole execution. A trace has one for each execution.
func ExecutionSpanID(id trace.TraceID, executionID string) trace.SpanID {
	return spanID("execution", id, executionID, 0)
}

// AttemptSpanID is the id of the span of an attempt at an activity, which is known by its fencing token.
func AttemptSpanID(id trace.TraceID, taskID string, token int64) trace.SpanID {
	return spanID("attempt", id, taskID, token)
}

func spanID(what string, in trace.TraceID, of string, token int64) (id trace.SpanID) {
	sum := hash(what, in, of, token)
	copy(id[:], sum[:])
	return id
}

// hash is SHA-256 of its parts, which no other parts are written as: only the last of varying length has no length of its own.
func hash(what string, in trace.TraceID, of string, token int64) [sha256.Size]byte {
	b := make([]byte, 0, 128)
	b = append(b, "stent "...)
	b = append(b, what...)
	b = append(b, 0)
	b = append(b, in[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(token))
	b = append(b, of...)
	return sha256.Sum256(b)
}

func randomSpanID() (id trace.SpanID) {
	for !id.IsValid() { // random, and not secret
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}

// parseSpanID reads what String writes, and is zero for anything else. trace.SpanIDFromHex allocates.
func parseSpanID(text string) (id trace.SpanID) {
	var digits [2 * len(id)]byte
	if len(text) != len(digits) {
		return id
	}
	copy(digits[:], text)
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return trace.SpanID{}
	}
	return id
}

// IDGenerator gives the spans of this package the ids that other processes expect, and random ones to all others. Hand
// it to the SDK: sdktrace.WithIDGenerator(stentotel.NewIDGenerator()). All programs that work on the same executions
// should, or none.
type IDGenerator struct{ others generator }

// generator is sdktrace.IDGenerator, which this package does not import.
type generator interface {
	NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID)
	NewSpanID(ctx context.Context, traceID trace.TraceID) trace.SpanID
}

var _ generator = (*IDGenerator)(nil)

// NewIDGenerator makes one whose other ids are random.
func NewIDGenerator() *IDGenerator { return &IDGenerator{random{}} }

// IDGeneratorAround makes one whose other ids come from a generator that the program has already.
func IDGeneratorAround(others interface {
	NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID)
	NewSpanID(ctx context.Context, traceID trace.TraceID) trace.SpanID
}) *IDGenerator {
	return &IDGenerator{others}
}

// NewIDs is sdktrace.IDGenerator's: the ids of a span that begins a trace.
func (g *IDGenerator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	w := wishIn(ctx)
	if w.trace.IsValid() && w.span.IsValid() {
		return w.trace, w.span
	}
	traceID, spanID := g.others.NewIDs(ctx)
	if w.span.IsValid() {
		spanID = w.span
	}
	return traceID, spanID
}

// NewSpanID is sdktrace.IDGenerator's: the id of a span in a trace.
func (g *IDGenerator) NewSpanID(ctx context.Context, traceID trace.TraceID) trace.SpanID {
	if w := wishIn(ctx); w.span.IsValid() {
		return w.span
	}
	return g.others.NewSpanID(ctx, traceID)
}

type random struct{}

func (random) NewIDs(context.Context) (id trace.TraceID, _ trace.SpanID) {
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64())
		binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id, randomSpanID()
}

func (random) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return randomSpanID() }

// wish is what the ids of a span that is being started are to be.
type wish struct {
	trace trace.TraceID // of a span that begins a trace; zero for any
	span  trace.SpanID
}

func wishIn(ctx context.Context) wish {
	if s := surroundingsOf(ctx); s != nil && !s.begun.Load() {
		return s.wish
	}
	return wish{}
}
