package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/e2e/parts"
	"github.com/stentgo/stent/metrics"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// Prometheus' own parser reads the page, as text and as OpenMetrics: each metric of the catalogue that counts what happens
// has its type and its labels, names that a careless writer would break the format with come back as they were, and
// histograms point to the trace.
func TestPrometheusParsesThePage(t *testing.T) {
	const step = `billing:charge|v2 "x"\ ` + "\n{é}"
	provider := sdktrace.NewTracerProvider()
	ctx, span := provider.Tracer("test").Start(t.Context(), "span")
	r, err := stentprom.New(prom.NewRegistry(), stentprom.WithExemplars(func(ctx context.Context) (string, string, bool) {
		c := trace.SpanContextFromContext(ctx)
		return c.TraceID().String(), c.SpanID().String(), c.IsSampled()
	}))
	if err != nil {
		t.Fatal(err)
	}
	r.TaskClaimed(ctx, core.TaskClaimed{Queue: "mail", Step: step, Kind: backend.Activity, ScheduleToStart: time.Second})
	r.TaskCompleted(ctx, core.TaskCompleted{Queue: "mail", Step: step, Kind: backend.Activity, Duration: 2 * time.Second})
	r.LeaseTakenOver(ctx, core.LeaseTakenOver{Queue: "mail", Step: step})
	r.ExecutionStarted(ctx, core.ExecutionStarted{Workflow: "order"})
	r.ExecutionFinished(ctx, core.ExecutionFinished{Workflow: "order", State: backend.Completed, Duration: time.Minute})
	r.Sampled(ctx, &core.Sample{At: time.Now(), Stats: backend.Stats{Queues: []backend.QueueStats{{Queue: "mail", Depth: 4}}}})
	parser := parts.Build(t, "exposition", ".")

	for _, accept := range []string{"text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"} {
		t.Run(accept, func(t *testing.T) {
			open := strings.HasPrefix(accept, "application/openmetrics-text")
			entries := parsed(t, parser, r.Handler(), accept)
			types := map[string]string{}
			for _, e := range entries {
				if e.Type != "" {
					types[e.Family] = e.Type
				}
			}
			traced := map[string]bool{}
			for _, e := range entries {
				if e.Type != "" {
					continue
				}
				name := e.Labels["__name__"]
				m, ok := metrics.Find(name)
				if !ok {
					t.Errorf("%s is not in the catalogue", name)
					continue
				}
				family := m.Name
				if open {
					family = strings.TrimSuffix(family, "_total")
				}
				if types[family] != string(m.Kind) {
					t.Errorf("%s has the type %q, want %s", family, types[family], m.Kind)
				}
				for label := range e.Labels {
					if !m.HasLabel(label) && label != "__name__" && (label != "le" || m.Kind != metrics.Histogram) {
						t.Errorf("%s has the label %s", name, label)
					}
				}
				for _, x := range e.Exemplars {
					if x.Labels["trace_id"] != span.SpanContext().TraceID().String() || x.Labels["span_id"] != span.SpanContext().SpanID().String() {
						t.Errorf("%v points to %v", e.Labels, x.Labels)
					}
					traced[m.Name] = true
				}
			}
			for _, m := range []metrics.Metric{metrics.TaskDuration, metrics.ScheduleToStart, metrics.ExecutionDuration} {
				if traced[m.Name] != open { // text has none
					t.Errorf("%s points to a trace: %t", m.Name, traced[m.Name])
				}
			}
			if !slices.ContainsFunc(entries, func(e pageEntry) bool {
				return e.Labels["__name__"] == metrics.TasksCompleted.Name && e.Labels["step"] == step && e.Value == 1
			}) {
				t.Errorf("no task of the step %q was completed", step)
			}
			for name, value := range map[string]float64{metrics.QueueDepth.Name: 4, metrics.LeaseTakeovers.Name: 1, metrics.SamplerUp.Name: 1} {
				if !slices.ContainsFunc(entries, func(e pageEntry) bool { return e.Labels["__name__"] == name && e.Value == value }) {
					t.Errorf("%s is not %v", name, value)
				}
			}
		})
	}

	t.Run("a broken page", func(t *testing.T) { // or the parser would let everything pass
		cmd := exec.CommandContext(t.Context(), parser, "application/openmetrics-text; version=1.0.0")
		cmd.Stdin = strings.NewReader("stent_x{step=\"a\"b\"} 1\n# EOF\n")
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("it is read: %s", out)
		}
	})
}

// pageEntry is what tools/exposition writes.
type pageEntry struct {
	Type, Family string
	Labels       map[string]string
	Value        float64
	Exemplars    []struct{ Labels map[string]string }
}

func parsed(t *testing.T, parser string, page http.Handler, accept string) (all []pageEntry) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	request.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, request)
	contentType := answer.Header().Get("Content-Type")
	if kind, _, _ := strings.Cut(accept, ";"); answer.Code != http.StatusOK || !strings.HasPrefix(contentType, kind) {
		t.Fatalf("%d, %s", answer.Code, contentType)
	}
	text := answer.Body.Bytes()
	cmd := exec.CommandContext(t.Context(), parser, contentType)
	cmd.Stdin = bytes.NewReader(text)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, &complaint, text)
	}
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var e pageEntry
		if err := lines.Decode(&e); err == io.EOF { //nolint:errorlint // as it is documented
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}
