package otel_test

import (
	"context"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// The ids are a contract between programs of different versions: these never change.
func TestDerivedIDsStayAsTheyAre(t *testing.T) {
	id := trace.TraceID{0x4b, 0xf9, 0x2f, 0x35}
	for _, test := range []struct{ got, want string }{
		{stentotel.TraceIDOf("order-42").String(), "3a58bf5db51907d8e1f250e912287108"},
		{stentotel.ExecutionSpanID(id, "order-42").String(), "361d6d056b005c2e"},
		{stentotel.AttemptSpanID(id, "order-42.1", 1).String(), "6d7c6f2d53708145"},
		{stentotel.AttemptSpanID(id, "order-42.1", 2).String(), "3d3e1fbd64b262a7"},
	} {
		if test.got != test.want {
			t.Errorf("id %s, want %s", test.got, test.want)
		}
	}
}

func TestSpansOfOthersHaveTheIDsOfOthers(t *testing.T) {
	g := stentotel.IDGeneratorAround(fixed{})
	traceID, spanID := g.NewIDs(t.Context())
	if fmt.Sprint(traceID, spanID, g.NewSpanID(t.Context(), traceID)) != fmt.Sprint(trace.TraceID{7}, trace.SpanID{8}, trace.SpanID{9}) {
		t.Errorf("ids %s, %s", traceID, spanID)
	}
	r := stentotel.NewIDGenerator()
	a, b := r.NewIDs(t.Context())
	c, d := r.NewIDs(t.Context())
	if !a.IsValid() || !b.IsValid() || a == c || b == d {
		t.Errorf("random ids %s %s, %s %s", a, b, c, d)
	}
}

type fixed struct{}

func (fixed) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	return trace.TraceID{7}, trace.SpanID{8}
}

func (fixed) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return trace.SpanID{9} }

// A user's span within a task must not get the id of the task's.
func TestAUsersSpanGetsItsOwnID(t *testing.T) {
	all := &recording{ids: stentotel.NewIDGenerator()}
	m := stentotel.New(stentotel.WithTracerProvider(all))
	task := &core.ExecuteInfo{TaskInfo: core.TaskInfo{ExecutionID: "order-42", TaskID: "order-42.1", Step: "charge", Attempt: 1}, Token: 1}
	err := m.Execute(t.Context(), task, func(ctx context.Context) error {
		_, s := all.Tracer("user").Start(ctx, "SELECT")
		s.End()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	own, users := all.named(t, "stent.execute charge"), all.named(t, "SELECT")
	if own.context.SpanID() == users.context.SpanID() || users.parent != own.context.SpanID() ||
		own.context.SpanID() != stentotel.AttemptSpanID(own.context.TraceID(), "order-42.1", 1) {
		t.Errorf("ids %s and, under %s, %s", own.context.SpanID(), users.parent, users.context.SpanID())
	}
}

func TestSpanForLogRecordsAllocatesNothing(t *testing.T) {
	if _, _, ok := stentotel.Span(t.Context()); ok {
		t.Error("a span out of nothing")
	}
	remote := trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}
	for _, flags := range []trace.TraceFlags{0, trace.FlagsSampled} {
		remote.TraceFlags = flags
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(remote))
		_, _, valid := stentotel.Span(ctx)
		if _, _, sampled := stentotel.SampledSpan(ctx); !valid || sampled != flags.IsSampled() {
			t.Errorf("with flags %v: a span %t, sampled %t", flags, valid, sampled)
		}
	}
	all := &recording{}
	m := stentotel.New(stentotel.WithTracerProvider(all))
	err := m.Execute(t.Context(), &core.ExecuteInfo{TaskInfo: core.TaskInfo{Step: "charge"}}, func(ctx context.Context) error {
		child, _ := all.Tracer("user").Start(ctx, "SELECT")
		for _, ctx := range []context.Context{ctx, child} {
			traceID, spanID, ok := stentotel.Span(ctx)
			if sc := trace.SpanContextFromContext(ctx); !ok || traceID != sc.TraceID().String() || spanID != sc.SpanID().String() {
				t.Errorf("ids %s, %s, %t", traceID, spanID, ok)
			}
			if n := testing.AllocsPerRun(100, func() { stentotel.Span(ctx) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
