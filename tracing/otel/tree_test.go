package otel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

var (
	validate = core.NewActivity[string, string]("validate_order")
	charge   = core.NewActivity[string, string]("charge_payment", core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: time.Second}))
	notify   = core.NewActivity[string, string]("send_notification")
	orders   = core.NewWorkflow[string, string]("order_workflow")
	approval = core.NewSignal[string]("approval")
)

// placeOrder waits for a day before it notifies.
func placeOrder(flow *core.Flow, order string) (string, error) {
	for _, activity := range []*core.Activity[string, string]{validate, charge} {
		if _, err := activity.Call(flow, order); err != nil {
			return "", err
		}
	}
	if err := flow.Sleep(24 * time.Hour); err != nil {
		return "", err
	}
	return notify.Call(flow, order)
}

func echo(_ context.Context, s string) (string, error) { return s, nil }

// flaky fails at first.
func flaky(ctx context.Context, s string) (string, error) {
	if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
		return "", errors.New("card declined")
	}
	return s, nil
}

// shop is a database, and programs that are traced.
type shop struct {
	*testing.T
	db  *memory.DB
	ctx context.Context //nolint:containedctx // a test's own; it ends when a story cannot be meant to go on, by the bubble's clock
}

func (s *shop) Context() context.Context { return s.ctx }

func (s *shop) program(provider trace.TracerProvider, handlers ...core.Handler) *core.Engine {
	s.Helper()
	return s.programWith(stentotel.New(stentotel.WithTracerProvider(provider)), handlers...)
}

func (s *shop) programWith(m core.Middleware, handlers ...core.Handler) *core.Engine {
	s.Helper()
	e, err := core.New(s.db.Another(), core.WithMiddleware(m))
	if err == nil {
		err = e.Register(handlers...)
	}
	if err != nil {
		s.Fatal(err)
	}
	return e
}

func (s *shop) serve(e *core.Engine) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- e.Serve(ctx, core.WorkerConfig{PollInterval: time.Hour, Lease: 6 * time.Hour, Name: "worker"})
	}()
	s.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.Error(err)
		}
	})
	synctest.Wait()
}

func orderHandlers(chargePayment func(context.Context, string) (string, error)) []core.Handler {
	return []core.Handler{orders.Handle(placeOrder), validate.Handle(echo), charge.Handle(chargePayment), notify.Handle(echo)}
}

func inBubble(t *testing.T, story func(s *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 240*time.Hour)
		defer cancel()
		story(&shop{t, memory.Open(), ctx})
	})
}

func TestTheTreeIsTheGuides(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{ids: stentotel.NewIDGenerator()}
		web := s.program(all)
		s.serve(s.program(all, orderHandlers(flaky)...)) // another process: only the database is shared

		ctx, request := all.Tracer("web").Start(s.Context(), "POST /orders")
		run, err := orders.Start(ctx, web, "42", core.ID("order-42"))
		if err != nil {
			s.Fatal(err)
		}
		request.End()
		time.Sleep(12 * time.Hour) //nolint:forbidigo // in a bubble: the clock moves when all wait
		synctest.Wait()
		if n := all.held(); n != 0 {
			s.Errorf("%d spans are open while the workflow sleeps", n)
		}
		if _, err := run.Wait(ctx); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		want := `
POST /orders
    stent.dispatch order_workflow
        stent.execute order_workflow
            stent.turn order_workflow
            stent.execute validate_order
            stent.turn order_workflow
            stent.execute charge_payment ! card declined
            stent.execute charge_payment -> attempt 1
            stent.turn order_workflow
            stent.turn order_workflow
            stent.execute send_notification
            stent.turn order_workflow
`
		if got := all.tree(); sorted(got) != sorted(want) || !strings.HasPrefix(got, "POST /orders\n    stent.dispatch order_workflow\n        stent.execute order_workflow\n") {
			s.Errorf("tree\n%s\nwant\n%s", got, want)
		}
		for _, sp := range all.spans() {
			whole := sp.name == "stent.execute order_workflow"
			if took := sp.end.Sub(sp.start); whole != (took >= 24*time.Hour) || !whole && took > time.Second {
				s.Errorf("span %s took %v", sp.name, took)
			}
		}
	})
}

// sorted makes the order of what happened at the same time not count.
func sorted(tree string) string {
	lines := strings.Split(strings.TrimSpace(tree), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestKindsAndAttributes(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{ids: stentotel.NewIDGenerator()}
		s.serve(s.program(all, orders.Handle(placeOrder), validate.Handle(echo), notify.Handle(echo),
			charge.Handle(flaky)))
		run, err := orders.Start(s.Context(), s.program(all), "42", core.ID("order-42"))
		if err != nil {
			s.Fatal(err)
		}
		if _, err := run.Wait(s.Context()); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		workers, err := s.db.Workers(s.Context())
		if err != nil || len(workers) != 1 {
			s.Fatal(workers, err)
		}
		worker := workers[0].ID
		seen := map[string]bool{}
		for _, sp := range all.spans() {
			seen[sp.describe()] = true
		}
		workflow := " stent.task_id=order-42.0 stent.execution_id=order-42 stent.step=order_workflow stent.worker_id=" + worker +
			" stent.queue=default stent.kind=orchestrator stent.attempt=1"
		activity := func(seq int, step string, attempt int) string {
			return fmt.Sprintf("stent.execute %s consumer stent.task_id=order-42.%d stent.execution_id=order-42 stent.step=%s stent.worker_id=%s"+
				" stent.queue=default stent.kind=activity stent.attempt=%d", step, seq, step, worker, attempt)
		}
		want := []string{
			"stent.dispatch order_workflow producer stent.function=order_workflow stent.execution_id=order-42 stent.queue=default",
			"stent.execute order_workflow consumer" + workflow + " stent.state=completed",
			"stent.turn order_workflow internal" + workflow,
			activity(1, "validate_order", 1),
			activity(2, "charge_payment", 1),
			activity(2, "charge_payment", 2),
			activity(4, "send_notification", 1),
		}
		for _, w := range want {
			if !seen[w] {
				s.Errorf("there is no span\n  %s", w)
			}
			delete(seen, w)
		}
		for other := range seen {
			s.Errorf("there is a span\n  %s", other)
		}
	})
}

func TestAnExecutionThatFailsAndHeals(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{ids: stentotel.NewIDGenerator()}
		broken := true
		e := s.program(all, orders.Handle(func(flow *core.Flow, order string) (string, error) { return notify.Call(flow, order) }),
			notify.Handle(func(_ context.Context, order string) (string, error) {
				if broken {
					panic("no connection")
				}
				return order, nil
			}))
		s.serve(e)
		run, err := orders.Start(s.Context(), e, "42", core.ID("order-42"))
		if err != nil {
			s.Fatal(err)
		}
		if _, err := run.Wait(s.Context()); err == nil {
			s.Fatal("no error")
		}
		synctest.Wait()
		letters, err := e.DeadLetters(s.Context(), core.DeadLetterFilter{})
		if err != nil || len(letters) != 1 {
			s.Fatal(letters, err)
		}
		dispatch := all.named(s.T, "stent.dispatch order_workflow")
		if letters[0].TraceID != dispatch.context.TraceID().String() {
			s.Errorf("the dead letter is of trace %s, want %s", letters[0].TraceID, dispatch.context.TraceID())
		}
		whole := all.named(s.T, "stent.execute order_workflow")
		if len(whole.events) != 1 || !strings.Contains(whole.events[0], "exception exception.type=*core.ActivityError exception.message=activity send_notification failed after 3 attempts: panic: no connection") {
			s.Errorf("events of the execution %v", whole.events)
		}
		broken = false
		if err := e.Replay(s.Context(), letters[0].Task, core.By("ann")); err != nil {
			s.Fatal(err)
		}
		if _, err := run.Wait(s.Context()); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		replay := all.named(s.T, "stent.replay send_notification")
		if len(replay.links) != 1 || replay.links[0].SpanContext.SpanID() != whole.context.SpanID() {
			s.Errorf("the replay is linked to %v", replay.links)
		}
		var states []string
		ids := map[trace.SpanID]bool{}
		for _, sp := range all.spans() {
			if sp.name == "stent.execute order_workflow" {
				states = append(states, sp.attr("stent.state"))
				if sp.parent != dispatch.context.SpanID() {
					s.Errorf("the execution %s hangs under %s", sp.attr("stent.state"), sp.parent)
				}
			}
			if sp.name == "stent.execute send_notification" && sp.parent != whole.context.SpanID() {
				s.Errorf("attempt %s hangs under %s", sp.attr("stent.attempt"), sp.parent)
			}
			if ids[sp.context.SpanID()] {
				s.Errorf("two spans have the id of %s", sp.name)
			}
			ids[sp.context.SpanID()] = true
			if sp.name == "stent.execute send_notification" && sp.message != "" &&
				(len(sp.events) != 1 || !strings.Contains(sp.events[0], "exception.stacktrace=goroutine")) {
				s.Errorf("events of a panic: %v", sp.events)
			}
		}
		if fmt.Sprint(states) != "[failed completed]" {
			s.Errorf("executions ended as %v", states)
		}
	})
}

func TestBaggageAndTraceReachEveryAttempt(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{ids: stentotel.NewIDGenerator()}
		seen := make(chan string, 9)
		note := func(ctx context.Context) {
			traceID, spanID, ok := stentotel.Span(ctx)
			seen <- fmt.Sprint(baggage.FromContext(ctx).Member("tenant").Value(), " ", traceID != "" && spanID != "" && ok)
		}
		e := s.program(all,
			orders.Handle(func(flow *core.Flow, order string) (string, error) {
				note(flow.Context())
				return notify.Call(flow, order)
			}),
			notify.Handle(func(ctx context.Context, order string) (string, error) {
				note(ctx)
				return order, nil
			}))
		s.serve(e)
		member, err := baggage.NewMember("tenant", "acme")
		if err != nil {
			s.Fatal(err)
		}
		bag, err := baggage.New(member)
		if err != nil {
			s.Fatal(err)
		}
		run, err := orders.Start(baggage.ContextWithBaggage(s.Context(), bag), e, "42")
		if err != nil {
			s.Fatal(err)
		}
		if _, err := run.Wait(s.Context()); err != nil {
			s.Fatal(err)
		}
		for range 2 {
			if got := <-seen; got != "acme true" {
				s.Errorf("got %q", got)
			}
		}
	})
}

func TestWithoutAGeneratorEverythingHangsUnderTheDispatch(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{}
		e := s.program(all, orders.Handle(func(flow *core.Flow, order string) (string, error) { return charge.Call(flow, order) }), charge.Handle(flaky))
		s.serve(e)
		run, err := orders.Start(s.Context(), e, "42")
		if err != nil {
			s.Fatal(err)
		}
		if _, err := run.Wait(s.Context()); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		want := `
stent.dispatch order_workflow
    stent.execute order_workflow
    stent.turn order_workflow
    stent.execute charge_payment ! card declined
    stent.execute charge_payment
    stent.turn order_workflow
`
		if got := all.tree(); sorted(got) != sorted(want) {
			s.Errorf("tree\n%s\nwant\n%s", got, want)
		}
	})
}

func TestAChildIsDispatchedInATurnOfItsParent(t *testing.T) {
	for _, generator := range []bool{true, false} {
		inBubble(t, func(s *shop) {
			all := &recording{}
			if generator {
				all.ids = stentotel.NewIDGenerator()
			}
			parcels := core.NewWorkflow[string, string]("parcel")
			s.serve(s.program(all,
				orders.Handle(func(flow *core.Flow, order string) (string, error) { return parcels.Call(flow, order) }),
				parcels.Handle(func(flow *core.Flow, order string) (string, error) { return notify.Call(flow, order) }),
				notify.Handle(echo)))
			run, err := orders.Start(s.Context(), s.program(all), "42")
			if err != nil {
				s.Fatal(err)
			}
			if _, err := run.Wait(s.Context()); err != nil {
				s.Fatal(err)
			}
			synctest.Wait()
			want := `
stent.dispatch order_workflow
    stent.execute order_workflow
        stent.turn order_workflow
            stent.dispatch parcel
                stent.execute parcel
                    stent.turn parcel
                    stent.execute send_notification
                    stent.turn parcel
        stent.turn order_workflow
`
			if !generator {
				want = `
stent.dispatch order_workflow
    stent.execute order_workflow
    stent.turn order_workflow
        stent.dispatch parcel
            stent.execute parcel
            stent.turn parcel
            stent.execute send_notification
            stent.turn parcel
    stent.turn order_workflow
`
			}
			if got := all.tree(); sorted(got) != sorted(want) {
				s.Errorf("tree\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAStarterThatKnowsNoTracing(t *testing.T) {
	for _, sampled := range []bool{true, false} {
		inBubble(t, func(s *shop) {
			all := &recording{ids: stentotel.NewIDGenerator(), sampler: func(trace.SpanContext, string) bool { return sampled }}
			plain, err := core.New(s.db.Another())
			if err != nil {
				s.Fatal(err)
			}
			s.serve(s.program(all, orders.Handle(func(flow *core.Flow, order string) (string, error) { return notify.Call(flow, order) }), notify.Handle(echo)))
			run, err := orders.Start(s.Context(), plain, "42", core.ID("order-42"))
			if err != nil {
				s.Fatal(err)
			}
			if _, err := run.Wait(s.Context()); err != nil {
				s.Fatal(err)
			}
			synctest.Wait()
			want := `
stent.execute order_workflow
    stent.turn order_workflow
    stent.execute send_notification
    stent.turn order_workflow
`
			if !sampled {
				want = ""
			}
			if got := all.tree(); sorted(got) != sorted(want) {
				s.Errorf("tree\n%s\nwant\n%s", got, want)
			}
			if sampled && all.named(s.T, "stent.execute order_workflow").context.TraceID() != stentotel.TraceIDOf("order-42") {
				s.Error("another trace than anyone would expect")
			}
		})
	}
}

func TestExecutionsThatEndWithoutTheirWorkflow(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{ids: stentotel.NewIDGenerator()}
		web := s.program(all)
		if _, err := orders.Start(s.Context(), web, "42", core.ID("cancelled")); err != nil {
			s.Fatal(err)
		}
		if err := web.Cancel(s.Context(), "cancelled"); err != nil {
			s.Fatal(err)
		}
		s.serve(s.program(all, orders.Handle(func(flow *core.Flow, _ string) (string, error) { return approval.Receive(flow) })))
		run, err := orders.Start(s.Context(), web, "43", core.ID("late"), core.MaxDuration(time.Hour))
		if err != nil {
			s.Fatal(err)
		}
		if _, err := run.Wait(s.Context()); err == nil {
			s.Fatal("no error")
		}
		synctest.Wait()
		states := map[string]string{}
		for _, sp := range all.spans() {
			if sp.name == "stent.execute order_workflow" {
				states[sp.attr("stent.execution_id")] = sp.attr("stent.state") + " " + sp.status.String()
			}
		}
		if got := fmt.Sprint(states); got != "map[cancelled:cancelled Error late:timed_out Error]" {
			s.Errorf("executions ended as %s", got)
		}
	})
}

func TestASignalIsASpanOfItsSender(t *testing.T) {
	inBubble(t, func(s *shop) {
		all := &recording{}
		e := s.program(all)
		ctx, parent := all.Tracer("web").Start(s.Context(), "POST /approve")
		if err := approval.Send(ctx, e, "nobody", "yes"); !errors.Is(err, core.ErrNotFound) {
			s.Fatal(err)
		}
		parent.End()
		want := "POST /approve\n    stent.signal approval ! not found\n"
		if got := all.tree(); got != want {
			s.Errorf("tree %q", got)
		}
	})
}

func TestThroughATracerThatDoesNothingTheCallersTraceStillReachesTheDatabase(t *testing.T) {
	inBubble(t, func(s *shop) {
		e := s.program(noop.NewTracerProvider())
		from := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		if _, err := orders.Start(trace.ContextWithRemoteSpanContext(s.Context(), from), e, "42", core.ID("order-42")); err != nil {
			s.Fatal(err)
		}
		x, err := s.db.Execution(s.Context(), "order-42")
		if err != nil || x.Carrier["traceparent"] != "00-01000000000000000000000000000000-0200000000000000-01" || len(x.Carrier) != 1 {
			s.Errorf("carrier %v, %v", x.Carrier, err)
		}
	})
}
