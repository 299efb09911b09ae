package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/e2e/parts"
	stentjaeger "github.com/stentgo/stent/tracing/jaeger"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

var (
	validate = core.NewActivity[string, string]("validate_order")
	charge   = core.NewActivity[string, string]("charge_payment", core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: time.Millisecond}))
	notify   = core.NewActivity[string, string]("send_notification")
	orders   = core.NewWorkflow[string, string]("order_workflow")
)

// runOrder runs an order, whose charge fails at first, in a program that is traced by the provider.
func runOrder(t *testing.T, file, id string, provider *sdktrace.TracerProvider) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	e, err := core.New(db, core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider))))
	if err == nil {
		err = e.Register(
			orders.Handle(func(flow *core.Flow, order string) (string, error) {
				for _, activity := range []*core.Activity[string, string]{validate, charge, notify} {
					if _, err := activity.Call(flow, order); err != nil {
						return "", err
					}
				}
				return order, nil
			}),
			validate.Handle(echo), notify.Handle(echo),
			charge.Handle(func(ctx context.Context, order string) (string, error) {
				if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
					return "", errors.New("card declined")
				}
				return order, nil
			}))
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- e.Serve(ctx, core.WorkerConfig{}) }()
	run, err := orders.Start(ctx, e, "42", core.ID(id))
	if err == nil {
		_, err = run.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func echo(_ context.Context, s string) (string, error) { return s, nil }

// traceOf is the trace that an execution's carrier names.
func traceOf(t *testing.T, file, id string) string {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	x, err := db.Execution(t.Context(), id)
	if err != nil || len(strings.Split(x.Carrier["traceparent"], "-")) != 4 {
		t.Fatalf("carrier %v, %v", x.Carrier, err)
	}
	return strings.Split(x.Carrier["traceparent"], "-")[1]
}

// The guide's tree, with an attempt more. Turns come between.
const wantTree = `stent.dispatch order_workflow producer
  stent.execute order_workflow consumer
    stent.execute validate_order consumer
    stent.execute charge_payment consumer error card declined
    stent.execute charge_payment consumer linked to attempt 1
    stent.execute send_notification consumer
`

func TestSpansInARealJaeger(t *testing.T) {
	jaeger := parts.StartJaeger(t)
	file := filepath.Join(t.TempDir(), "orders.sqlite")

	t.Run("by UDP in Thrift", func(t *testing.T) {
		exporter, err := stentjaeger.NewExporter(jaeger.Agent)
		if err != nil {
			t.Fatal(err)
		}
		runOrder(t, file, "by-udp", sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithIDGenerator(stentotel.NewIDGenerator())))
		mustShow(t, jaeger, traceOf(t, file, "by-udp"), 4)
	})
	t.Run("by OTLP", func(t *testing.T) {
		exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(jaeger.OTLP+"/v1/traces"))
		if err != nil {
			t.Fatal(err)
		}
		runOrder(t, file, "by-otlp", sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithIDGenerator(stentotel.NewIDGenerator())))
		mustShow(t, jaeger, traceOf(t, file, "by-otlp"), 4)
	})
	t.Run("after the fact, of an execution that was not sampled", func(t *testing.T) {
		kept := &keeping{}
		runOrder(t, file, "not-sampled", sdktrace.NewTracerProvider(
			sdktrace.WithSyncer(kept), sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithIDGenerator(stentotel.NewIDGenerator())))
		if n := len(kept.all()); n != 0 || !kept.shutDown {
			t.Fatalf("%d spans were sampled", n)
		}
		stent := exec.CommandContext(t.Context(), parts.BuildStent(t), "trace", "not-sampled", "--db", file, "--otlp", jaeger.OTLP)
		if out, err := stent.CombinedOutput(); err != nil || !strings.Contains(string(out), "Sent 6 spans") {
			t.Fatalf("%s: %v\n%s", stent, err, out)
		}
		mustShow(t, jaeger, traceOf(t, file, "not-sampled"), 0)
	})
}

// What the history tells has the ids that the spans had when they were made, so that the two can be put together.
func TestTheIDsAfterTheFactAreThoseOfTheSpans(t *testing.T) {
	jaeger := parts.StartJaeger(t)
	file := filepath.Join(t.TempDir(), "orders.sqlite")
	kept := &keeping{}
	runOrder(t, file, "order", sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept), sdktrace.WithIDGenerator(stentotel.NewIDGenerator())))
	stent := exec.CommandContext(t.Context(), parts.BuildStent(t), "trace", "order", "--db", file, "--otlp", jaeger.OTLP)
	if out, err := stent.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", stent, err, out)
	}
	var live, told []string
	for _, s := range kept.all() {
		if !strings.HasPrefix(s.Name(), "stent.turn") {
			live = append(live, fmt.Sprintf("%s %s %s", s.SpanContext().TraceID(), s.SpanContext().SpanID(), s.Name()))
		}
	}
	parts.Eventually(t, func() error {
		spans, err := jaeger.Trace(traceOf(t, file, "order"))
		if err != nil || len(spans) < len(live) {
			return fmt.Errorf("%d of %d spans: %w", len(spans), len(live), err)
		}
		told = nil
		for _, s := range spans {
			told = append(told, s.TraceID+" "+s.ID+" "+s.Name)
		}
		return nil
	})
	slices.Sort(live)
	slices.Sort(told)
	if !slices.Equal(live, told) || len(live) != 6 {
		t.Errorf("spans\n%s\nand after the fact\n%s", strings.Join(live, "\n"), strings.Join(told, "\n"))
	}
}

// keeping is an exporter that keeps what it gets.
type keeping struct {
	mu       sync.Mutex
	spans    []sdktrace.ReadOnlySpan
	shutDown bool
}

func (k *keeping) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, spans...)
	return nil
}

func (k *keeping) Shutdown(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shutDown = true
	return nil
}

func (k *keeping) all() []sdktrace.ReadOnlySpan {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.spans)
}

// mustShow waits until Jaeger has the tree, and so many turns.
func mustShow(t *testing.T, jaeger *parts.Jaeger, traceID string, turns int) {
	t.Helper()
	parts.Eventually(t, func() error {
		spans, err := jaeger.Trace(traceID)
		if err != nil {
			return err
		}
		tree, got := parts.Tree(spans)
		if tree != wantTree || got != turns {
			return fmt.Errorf("%d turns, want %d, and the tree\n%s\nwant\n%s", got, turns, tree, wantTree)
		}
		return nil
	})
}
