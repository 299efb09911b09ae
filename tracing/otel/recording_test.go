package otel_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// recording is a provider of spans that does what the SDK does and what these tests look at. The SDK itself stays out of
// this package, so that it stays out of the go.sum of who uses it; it is tested with the real one in the e2e module.
type recording struct {
	embedded.TracerProvider
	ids     generator                                        // nil: random ones
	sampler func(parent trace.SpanContext, name string) bool // nil: as the parent, and all that have none

	mu    sync.Mutex
	open  int
	begun []*span
	ended []*span // sampled ones
}

type generator interface {
	NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID)
	NewSpanID(ctx context.Context, traceID trace.TraceID) trace.SpanID
}

type randomIDs struct{}

func (randomIDs) NewIDs(ctx context.Context) (id trace.TraceID, _ trace.SpanID) {
	_, _ = rand.Read(id[:])
	return id, randomIDs{}.NewSpanID(ctx, id)
}

func (randomIDs) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	_, _ = rand.Read(id[:])
	return id
}

// Tracer is trace.TracerProvider's.
func (r *recording) Tracer(string, ...trace.TracerOption) trace.Tracer { return tracer{r: r} }

type tracer struct {
	embedded.Tracer
	r *recording
}

// Start is trace.Tracer's.
func (t tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	r, config := t.r, trace.NewSpanStartConfig(opts...)
	parent := trace.SpanContextFromContext(ctx)
	ids := r.ids
	if ids == nil {
		ids = randomIDs{}
	}
	if config.NewRoot() {
		parent = trace.SpanContext{}
	}
	var own trace.SpanContextConfig
	if own.TraceID = parent.TraceID(); parent.IsValid() {
		own.SpanID = ids.NewSpanID(ctx, own.TraceID)
		own.TraceState = parent.TraceState()
	} else {
		own.TraceID, own.SpanID = ids.NewIDs(ctx)
	}
	if r.sampler == nil {
		own.TraceFlags = own.TraceFlags.WithSampled(!parent.IsValid() || parent.IsSampled())
	} else {
		own.TraceFlags = own.TraceFlags.WithSampled(r.sampler(parent, name))
	}
	s := &span{
		r: r, name: name, kind: config.SpanKind(), context: trace.NewSpanContext(own), parent: parent.SpanID(),
		attrs: config.Attributes(), atStart: len(config.Attributes()), links: config.Links(), start: config.Timestamp(),
	}
	if s.start.IsZero() {
		s.start = time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	r.begun = append(r.begun, s)
	return trace.ContextWithSpan(ctx, s), s
}

// span is what was told of one.
type span struct {
	noop.Span
	r       *recording
	name    string
	kind    trace.SpanKind
	context trace.SpanContext
	parent  trace.SpanID
	attrs   []attribute.KeyValue
	atStart int // attributes that a sampler sees
	links   []trace.Link
	events  []string
	start   time.Time
	end     time.Time
	status  codes.Code
	message string
}

func (s *span) SpanContext() trace.SpanContext { return s.context }
func (s *span) IsRecording() bool              { return s.context.IsSampled() }

func (s *span) SetAttributes(kv ...attribute.KeyValue) { s.attrs = append(s.attrs, kv...) }

func (s *span) SetStatus(code codes.Code, message string) { s.status, s.message = code, message }

func (s *span) AddEvent(name string, opts ...trace.EventOption) {
	text := name
	config := trace.NewEventConfig(opts...)
	for _, kv := range config.Attributes() {
		value, _, _ := strings.Cut(kv.Value.Emit(), "\n")
		text += fmt.Sprintf(" %s=%s", kv.Key, value)
	}
	s.events = append(s.events, text)
}

func (s *span) End(opts ...trace.SpanEndOption) {
	config := trace.NewSpanEndConfig(opts...)
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.end = config.Timestamp(); s.end.IsZero() {
		s.end = time.Now()
	}
	s.r.open--
	if s.context.IsSampled() {
		s.r.ended = append(s.r.ended, s)
	}
}

func (s *span) attr(key attribute.Key) string {
	for _, kv := range s.attrs {
		if kv.Key == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

// spans are those that have ended, in the order of their beginning.
func (r *recording) spans() []*span {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.ended)
	slices.SortStableFunc(list, func(a, b *span) int { return a.start.Compare(b.start) })
	return list
}

func (r *recording) held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

func (r *recording) named(t *testing.T, name string) *span {
	t.Helper()
	var found *span
	for _, s := range r.spans() {
		if s.name == name {
			if found != nil {
				t.Fatalf("more than one span %s", name)
			}
			found = s
		}
	}
	if found == nil {
		t.Fatalf("no span %s", name)
	}
	return found
}

// tree draws the spans: below each its children, by their beginning. In one trace, or it says so.
func (r *recording) tree() string {
	spans := r.spans()
	var b strings.Builder
	known := map[trace.SpanID]bool{}
	for _, s := range spans {
		if known[s.context.SpanID()] {
			fmt.Fprintf(&b, "two spans have the id %s\n", s.context.SpanID())
		}
		known[s.context.SpanID()] = true
		if s.context.TraceID() != spans[0].context.TraceID() {
			fmt.Fprintf(&b, "%s is in another trace\n", s.name)
		}
	}
	var draw func(of trace.SpanID, indent string)
	draw = func(of trace.SpanID, indent string) {
		for _, s := range spans {
			if s.parent != of && (of.IsValid() || known[s.parent]) {
				continue
			}
			b.WriteString(indent + s.name)
			if s.status == codes.Error {
				b.WriteString(" ! " + s.message)
			}
			for _, l := range s.links {
				for _, to := range spans {
					if to.context.SpanID() == l.SpanContext.SpanID() && to.context.TraceID() == l.SpanContext.TraceID() {
						b.WriteString(" -> attempt " + to.attr("stent.attempt"))
					}
				}
			}
			b.WriteString("\n")
			draw(s.context.SpanID(), indent+"    ")
		}
	}
	draw(trace.SpanID{}, "")
	return b.String()
}

// describe tells a span's name, kind and attributes.
func (s *span) describe() string {
	text := s.name + " " + s.kind.String()
	for _, kv := range s.attrs {
		text += fmt.Sprintf(" %s=%s", kv.Key, kv.Value.Emit())
	}
	return text
}
