package otel_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

func never(trace.SpanContext, string) bool { return false }

// begunNames are the spans that the sampler was asked for.
func (r *recording) begunNames() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.begun))
	for _, s := range r.begun {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

func TestOfAnExecutionThatIsNotSampledTheSamplerIsAskedOnceAProcess(t *testing.T) {
	inBubble(t, func(s *shop) {
		member, err := baggage.NewMember("tenant", "acme")
		if err != nil {
			s.Fatal(err)
		}
		bag, err := baggage.New(member)
		if err != nil {
			s.Fatal(err)
		}
		web := &recording{ids: stentotel.NewIDGenerator(), sampler: never}
		worker := &recording{ids: stentotel.NewIDGenerator()}
		var seen []trace.Span
		note := func(ctx context.Context) {
			if got := baggage.FromContext(ctx).Member("tenant").Value(); got != "acme" {
				s.Errorf("the baggage has tenant %q", got)
			}
			seen = append(seen, trace.SpanFromContext(ctx))
		}
		s.serve(s.program(worker, orders.Handle(func(flow *core.Flow, order string) (string, error) {
			note(flow.Context())
			return notify.Call(flow, order)
		}), notify.Handle(func(ctx context.Context, order string) (string, error) {
			note(ctx)
			_, users := worker.Tracer("user").Start(ctx, "SELECT")
			users.End()
			seen = append(seen, users)
			return order, nil
		})))
		run, err := orders.Start(baggage.ContextWithBaggage(s.Context(), bag), s.program(web), "42", core.ID("order-42"))
		if err == nil {
			_, err = run.Wait(s.Context())
		}
		if err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		if got, want := web.begunNames()+"; "+worker.begunNames(), "stent.dispatch order_workflow; stent.execute order_workflow, SELECT"; got != want {
			s.Errorf("asked for %s; want %s", got, want)
		}
		traceID := web.begun[0].context.TraceID()
		for _, span := range seen {
			if in := span.SpanContext(); in.TraceID() != traceID || in.IsSampled() {
				s.Errorf("user code runs in trace %s, sampled %t, want %s", in.TraceID(), in.IsSampled(), traceID)
			}
		}
		if len(seen) != 3 || seen[1].SpanContext().SpanID() != stentotel.ExecutionSpanID(traceID, "order-42") || seen[2].SpanContext().SpanID() == seen[1].SpanContext().SpanID() {
			s.Errorf("user code runs in the spans %v", seen)
		}
	})
}

// A start's span has its attributes, whenever they are given to it; the sampler sees them where it said that it wants to.
func TestTheAttributesOfAStart(t *testing.T) {
	for name, opts := range map[string][]stentotel.Option{"": nil, "seen by the sampler": {stentotel.WithEverySpan()}} {
		inBubble(t, func(s *shop) {
			all := &recording{ids: stentotel.NewIDGenerator()}
			web := s.programWith(stentotel.New(append(opts, stentotel.WithTracerProvider(all))...))
			if _, err := orders.Start(s.Context(), web, "42", core.ID("order-42")); err != nil {
				s.Fatal(err)
			}
			span := all.begun[0]
			if got, want := span.atStart, 3*len(opts); got != want {
				s.Errorf("%q: the sampler sees %d attributes, want %d", name, got, want)
			}
			if got := span.attr("stent.execution_id"); got != "order-42" || len(span.attrs) != 3 {
				s.Errorf("%q: attributes %v", name, span.attrs)
			}
		})
	}
}

// The starter's trace is not sampled; the worker's sampler has another opinion.
func TestSamplersThatDoNotGoByTheParent(t *testing.T) {
	for _, test := range []struct {
		name    string
		sampler func(trace.SpanContext, string) bool
		opts    []stentotel.Option
		want    string
		asked   int // for the execution's own span, of two executions; once each when it has ended is not counted
	}{
		{"all", func(trace.SpanContext, string) bool { return true }, nil, `
stent.execute order_workflow
    stent.turn order_workflow
    stent.execute send_notification
    stent.turn order_workflow
`, 1},
		{"by name", func(_ trace.SpanContext, name string) bool { return name == "stent.execute send_notification" },
			[]stentotel.Option{stentotel.WithEverySpan()}, "stent.execute send_notification\n", 0},
		{"by name, and nobody said so", func(_ trace.SpanContext, name string) bool { return name == "stent.execute send_notification" }, nil, "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(s *shop) {
				all := &recording{ids: stentotel.NewIDGenerator(), sampler: test.sampler}
				m := stentotel.New(append(test.opts, stentotel.WithTracerProvider(all))...)
				s.serve(s.programWith(m, orders.Handle(func(flow *core.Flow, order string) (string, error) { return notify.Call(flow, order) }), notify.Handle(echo)))
				web := s.program(&recording{ids: stentotel.NewIDGenerator(), sampler: never})
				for _, id := range []string{"first", "second"} {
					run, err := orders.Start(s.Context(), web, "42", core.ID(id))
					if err == nil {
						_, err = run.Wait(s.Context())
					}
					if err != nil {
						s.Fatal(err)
					}
					synctest.Wait()
					if got := all.tree(); sorted(got) != sorted(test.want) {
						s.Errorf("%s: tree\n%s\nwant\n%s", id, got, test.want)
					}
					all.mu.Lock()
					all.ended = nil
					all.mu.Unlock()
				}
				asked := 0
				for _, span := range all.begun {
					if span.name == "stent.execute order_workflow" && span.end.IsZero() {
						asked++
					}
				}
				if asked != test.asked {
					s.Errorf("asked %d times, want %d", asked, test.asked)
				}
			})
		})
	}
}
