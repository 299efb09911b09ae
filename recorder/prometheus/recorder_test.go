package prometheus_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// everything tells a recorder one event of each kind.
func everything(ctx context.Context, r core.MetricsRecorder) {
	const q, s = "billing", "charge:payment|v2 x"
	r.TaskClaimed(ctx, core.TaskClaimed{Queue: q, Step: s, Kind: backend.Activity, ScheduleToStart: time.Second})
	r.TaskCompleted(ctx, core.TaskCompleted{Queue: q, Step: s, Kind: backend.Activity, Duration: 2 * time.Second})
	r.TaskFailed(ctx, core.TaskFailed{Queue: q, Step: s, Kind: backend.Activity, Retrying: true})
	r.TaskFailed(ctx, core.TaskFailed{Queue: q, Step: s, Kind: backend.Activity})
	r.DeadLettered(ctx, core.DeadLettered{Queue: q, Step: s, Kind: backend.Activity, Poisoned: true})
	r.LeaseRenewed(ctx, core.LeaseRenewed{Result: core.Renewed})
	r.LeaseTakenOver(ctx, core.LeaseTakenOver{Queue: q, Step: s})
	r.WriteFenced(ctx, core.WriteFenced{})
	r.ExecutionStarted(ctx, core.ExecutionStarted{Workflow: "wf"})
	r.ExecutionFinished(ctx, core.ExecutionFinished{Workflow: "wf", State: backend.Completed, Duration: time.Minute})
	r.DeadLetterReplayed(ctx, core.DeadLetterReplayed{Queue: q})
	r.DeadLetterDiscarded(ctx, core.DeadLetterDiscarded{Queue: q})
	r.ClaimEnded(ctx, core.ClaimEnded{Result: core.ClaimTasks, Duration: time.Millisecond})
	r.BatchCommitted(ctx, core.BatchCommitted{Commands: 3, Duration: time.Millisecond})
	r.BackendFailed(ctx, core.BackendFailed{Operation: "commit", Fault: backend.FaultDiskFull})
	r.EventsDropped(ctx, core.EventsDropped{Events: 2, Reason: core.QueueFull})
	r.Sampled(ctx, &core.Sample{
		At: time.Now(), Took: time.Millisecond, Database: &backend.DatabaseStats{Size: 1 << 20},
		Stats: backend.Stats{Now: time.Now(), Queues: []backend.QueueStats{{Queue: q, Depth: 4, OldestDue: time.Now().Add(-time.Hour)}}},
	})
}

type source struct{}

func (source) ProcessGauges() core.ProcessGauges {
	return core.ProcessGauges{Slots: 10, SlotsUsed: 3, Ready: true, LastProgress: time.Now(), Version: "v1", Backend: "sqlite"}
}

func (source) KnownTasks() []core.KnownTask {
	return []core.KnownTask{{Queue: "default", Step: "never_run", Kind: backend.Activity, SLO: 0.999}, {Queue: "default", Step: "wf", Kind: backend.Orchestrator}}
}

func newRecorder(t testing.TB, opts ...stentprom.Option) (*stentprom.Recorder, *prom.Registry) {
	t.Helper()
	registry := prom.NewPedanticRegistry()
	r, err := stentprom.New(registry, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r, registry
}

// scrape reads the metrics as Prometheus does.
func scrape(t testing.TB, r *stentprom.Recorder, accept string) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics: %d\n%s", w.Code, w.Body)
	}
	return w.Body.String()
}

const openMetrics = "application/openmetrics-text; version=1.0.0"

func TestLint(t *testing.T) {
	r, registry := newRecorder(t, stentprom.WithConstLabels(map[string]string{"cluster": "eu"}), stentprom.WithNativeHistograms())
	r.Attach(source{})
	everything(t.Context(), r)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Each metric of the catalogue is there, with its labels and nothing else.
func TestEveryMetricIsShown(t *testing.T) {
	r, registry := newRecorder(t)
	r.Attach(source{})
	everything(t.Context(), r)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, f := range families {
		shown[f.GetName()] = true
		m, ok := metrics.Find(f.GetName())
		if !ok {
			t.Errorf("%s is not in the catalogue", f.GetName())
			continue
		}
		for _, series := range f.GetMetric() {
			if len(series.GetLabel()) != len(m.Labels) {
				t.Errorf("%s has the labels %v, want %v", m.Name, series.GetLabel(), m.Labels)
			}
		}
	}
	for _, m := range metrics.All() {
		if !shown[m.Name] {
			t.Errorf("%s is not shown", m.Name)
		}
	}
}

func TestValues(t *testing.T) {
	r, _ := newRecorder(t)
	r.Attach(source{})
	everything(t.Context(), r)
	text := scrape(t, r, "")
	for _, line := range []string{
		`stent_tasks_claimed_total{kind="activity",queue="billing",step="charge:payment|v2 x"} 1`,
		`stent_tasks_completed_total{kind="activity",queue="billing",step="charge:payment|v2 x"} 1`,
		`stent_task_duration_seconds_bucket{queue="billing",step="charge:payment|v2 x",le="2"} 1`,
		`stent_task_duration_seconds_sum{queue="billing",step="charge:payment|v2 x"} 2`,
		`stent_tasks_failed_total{queue="billing",retrying="true",step="charge:payment|v2 x"} 1`,
		`stent_tasks_failed_total{queue="billing",retrying="false",step="charge:payment|v2 x"} 1`,
		`stent_dead_letters_total{queue="billing",step="charge:payment|v2 x"} 1`,
		`stent_tasks_poisoned_total{queue="billing",step="charge:payment|v2 x"} 1`,
		`stent_lease_renewals_total{result="renewed"} 1`,
		`stent_lease_renewals_total{result="lost"} 0`,
		`stent_lease_takeovers_total{queue="billing"} 1`,
		`stent_fenced_writes_total 1`,
		`stent_executions_started_total{workflow="wf"} 1`,
		`stent_executions_finished_total{state="completed",workflow="wf"} 1`,
		`stent_executions_finished_total{state="failed",workflow="wf"} 0`,
		`stent_execution_duration_seconds_sum{workflow="wf"} 60`,
		`stent_dead_letters_replayed_total{queue="billing"} 1`,
		`stent_dead_letters_discarded_total{queue="billing"} 1`,
		`stent_claims_total{result="tasks"} 1`,
		`stent_commit_batch_size_sum 3`,
		`stent_backend_errors_total{operation="commit",reason="disk_full"} 1`,
		`stent_recorder_events_dropped_total{reason="full"} 2`,
		`stent_queue_depth{queue="billing"} 4`,
		`stent_worker_slots_used 3`,
		`stent_worker_ready 1`,
		`stent_sampler_up 1`,
		`stent_build_info{backend="sqlite",version="v1"} 1`,
		`stent_tasks_claimed_total{kind="activity",queue="default",step="never_run"} 0`,
		`stent_dead_letters_total{queue="default",step="never_run"} 0`,
		`stent_executions_finished_total{state="timed_out",workflow="wf"} 0`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// A sample that failed takes the gauges away that came from the one before.
func TestFailedSampleIsWithheld(t *testing.T) {
	r, _ := newRecorder(t)
	everything(t.Context(), r)
	r.Sampled(t.Context(), &core.Sample{Err: context.DeadlineExceeded, Took: time.Second})
	text := scrape(t, r, "")
	if strings.Contains(text, "stent_queue_depth{") || strings.Contains(text, "stent_executions{") {
		t.Errorf("gauges of an old sample are shown:\n%s", text)
	}
	if !strings.Contains(text, "\nstent_sampler_up 0\n") {
		t.Errorf("stent_sampler_up is not 0:\n%s", text)
	}
}

func TestOpenMetricsWithExemplars(t *testing.T) {
	type key struct{}
	r, _ := newRecorder(t, stentprom.WithExemplars(func(ctx context.Context) (string, string, bool) {
		id, ok := ctx.Value(key{}).(string)
		return id, "00f067aa0ba902b7", ok
	}))
	everything(context.WithValue(t.Context(), key{}, "4bf92f3577b34da6a3ce929d0e0e4736"), r)
	text := scrape(t, r, openMetrics)
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("no OpenMetrics:\n%s", text)
	}
	for _, name := range []string{"stent_task_duration_seconds", "stent_task_schedule_to_start_seconds", "stent_execution_duration_seconds"} {
		found := false
		for line := range strings.Lines(text) {
			found = found || strings.HasPrefix(line, name+"_bucket") && strings.Contains(line, `trace_id="4bf92f3577b34da6a3ce929d0e0e4736"`)
		}
		if !found {
			t.Errorf("%s has no exemplar", name)
		}
	}
	if plain := scrape(t, r, ""); strings.Contains(plain, "trace_id") {
		t.Error("exemplars in a format that has none")
	}
}

func TestNativeHistograms(t *testing.T) {
	r, registry := newRecorder(t, stentprom.WithNativeHistograms())
	everything(t.Context(), r)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == metrics.TaskDuration.Name {
			h := f.GetMetric()[0].GetHistogram()
			if len(h.GetPositiveSpan()) == 0 || len(h.GetBucket()) != len(metrics.TaskDuration.Buckets) {
				t.Errorf("want native and classic buckets: %v", h)
			}
			return
		}
	}
	t.Error("no histogram")
}

func TestNewRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []stentprom.Option
		want string
	}{
		{"a namespace", []stentprom.Option{stentprom.WithNamespace("my-app")}, `namespace "my-app"`},
		{"a label", []stentprom.Option{stentprom.WithConstLabels(map[string]string{"a b": "x"})}, `constant label "a b"`},
		{"a label of the catalogue", []stentprom.Option{stentprom.WithConstLabels(map[string]string{"queue": "x"})}, "has a label of that name"},
		{"a budget", []stentprom.Option{stentprom.WithBudget(-1)}, "-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := stentprom.New(prom.NewRegistry(), test.opts...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %s", err, test.want)
			}
		})
	}
	registry := prom.NewRegistry()
	for i, opts := range [][]stentprom.Option{nil, {stentprom.WithConstLabels(map[string]string{"db": "two"})}, {stentprom.WithNamespace("acme")}} {
		if _, err := stentprom.New(registry, opts...); err != nil {
			if i == 1 {
				continue // label sets of one name have to be alike
			}
			t.Errorf("recorder %d: %v", i, err)
		}
	}
	if _, err := stentprom.New(registry); err == nil || !strings.Contains(err.Error(), "another recorder is registered") {
		t.Errorf("a second registration: %v", err)
	}
}

// Steps that are beyond the budget share a value, and are counted.
func TestBudget(t *testing.T) {
	r, registry := newRecorder(t, stentprom.WithBudget(3))
	for i := range 10 {
		for range 5 {
			r.TaskClaimed(t.Context(), core.TaskClaimed{Queue: "q", Step: string(rune('a' + i)), Kind: backend.Activity})
		}
	}
	text := scrape(t, r, "")
	for _, line := range []string{
		`stent_tasks_claimed_total{kind="activity",queue="q",step="a"} 5`,
		`stent_tasks_claimed_total{kind="activity",queue="q",step="other"} 35`,
		`stent_label_values_folded_total{label="step"} 7`,
		`stent_label_values_folded_total{label="queue"} 0`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if n, err := testutil.GatherAndCount(registry, metrics.TasksClaimed.Name); err != nil || n != 4 {
		t.Errorf("%d series, %v; want 4", n, err)
	}
}

// A takeover is counted by whichever worker is first, whatever queues it serves: each shows a zero for all queues that
// the database knows, so that the first one is seen to grow.
func TestQueuesOfTheSampleBeginAtZero(t *testing.T) {
	registry := prom.NewRegistry()
	recorder, err := stentprom.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	recorder.Sampled(t.Context(), &core.Sample{Stats: backend.Stats{Queues: []backend.QueueStats{{Queue: "mail"}}}})
	for _, name := range []string{"stent_lease_takeovers_total", "stent_dead_letters_replayed_total", "stent_dead_letters_discarded_total"} {
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n != 1 {
			t.Errorf("%d series of %s, want a zero of the queue mail: %v", n, name, err)
		}
	}
}
