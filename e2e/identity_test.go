package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/e2e/parts"
	"github.com/stentgo/stent/internal/pgtest"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// logLine is what is read of a worker's log.
type logLine struct {
	Message     string `json:"msg"`
	ExecutionID string `json:"stent_execution_id"`
	TaskID      string `json:"stent_task_id"`
	WorkerID    string `json:"stent_worker_id"`
	Step        string `json:"stent_step"`
	Attempt     int    `json:"stent_attempt"`
	TraceID     string `json:"trace_id"`
	SpanID      string `json:"span_id"`
}

// A workflow of four activities goes over two worker processes: the charge fails once and is retried, and the process
// that packs is killed. Log lines, spans, exemplars and rows carry the same execution, task, attempt, worker and trace.
func TestTheSameIdentityInEverySignal(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { sameIdentity(t, filepath.Join(t.TempDir(), "orders.sqlite")) })
	t.Run("postgres", func(t *testing.T) { sameIdentity(t, pgtest.DSN(t)) })
}

func sameIdentity(t *testing.T, address string) {
	folder := t.TempDir()
	db, err := open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	kept := &keeping{}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept), sdktrace.WithIDGenerator(stentotel.NewIDGenerator()))
	engine, err := core.New(db, core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider))))
	if err != nil {
		t.Fatal(err)
	}
	workers := map[string]*exec.Cmd{"w1": startWorker(t, address, folder, "w1"), "w2": startWorker(t, address, folder, "w2")}

	run, err := shipment.Start(t.Context(), engine, "42", core.ID("order-42"))
	if err != nil {
		t.Fatal(err)
	}
	var killed string
	parts.Eventually(t, func() error {
		data, err := os.ReadFile(filepath.Join(folder, "packing"))
		if killed = string(data); err == nil && workers[killed] == nil {
			err = errors.New("nobody packs yet")
		}
		return err
	})
	exemplars := scrape(t, folder, killed)
	if err := workers[killed].Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = workers[killed].Wait()
	survivor := map[string]string{"w1": "w2", "w2": "w1"}[killed]
	if _, err := run.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	traceID := kept.all()[0].SpanContext().TraceID()

	spans := []spanLine{lineOf(kept.all()[0])}
	parts.Eventually(t, func() error { // the execution's own span is made after its end
		spans = append(spans[:1], readLines[spanLine](t, folder, killed+".spans", survivor+".spans")...)
		if !slices.ContainsFunc(spans, func(s spanLine) bool { return s.Name == "stent.execute shipment" }) {
			return fmt.Errorf("no span of the execution among %d", len(spans))
		}
		return nil
	})
	parts.Eventually(t, func() error { // events reach the recorder a moment later
		exemplars = append(exemplars, scrape(t, folder, survivor)...)
		if !slices.ContainsFunc(exemplars, func(e exemplar) bool {
			return strings.HasPrefix(e.series, "stent_execution_duration_seconds")
		}) {
			return errors.New("no exemplar of the execution's duration")
		}
		return nil
	})

	want := wanted(t, db, traceID, killed, survivor)
	checkSpans(t, spans, want, traceID)
	checkLog(t, readLines[logLine](t, folder, killed+".log"), readLines[logLine](t, folder, survivor+".log"), spans, want, traceID)
	known := map[string]bool{}
	for _, s := range spans {
		known[s.Span] = true
	}
	seen := map[string]bool{}
	last := want[len(want)-1]
	for _, e := range exemplars {
		if strings.Contains(e.series, `step="`+last.step+`"`) {
			seen[e.span] = true
		}
		if e.trace != traceID.String() || !known[e.span] {
			t.Errorf("exemplar of %s points to span %s of trace %s", e.series, e.span, e.trace)
		}
		name, _, _ := strings.Cut(e.series, "{")
		seen[name] = true
	}
	if !seen[last.span] || !seen["stent_task_duration_seconds_bucket"] || !seen["stent_execution_duration_seconds_bucket"] {
		t.Errorf("exemplars of %v", seen)
	}
	if err := workers[survivor].Process.Signal(os.Interrupt); err == nil {
		_ = workers[survivor].Process.Kill()
	}
}

// attempt is one try at an activity, as the database tells it.
type attempt struct {
	task, step, worker, span string
	number                   int
	failed                   string
	lost                     bool // its process was killed
}

// wanted reads from the rows what every signal has to say, and checks that the story went as it should.
func wanted(t *testing.T, db database, traceID trace.TraceID, killed, survivor string) (all []attempt) {
	t.Helper()
	x, err := db.Execution(t.Context(), "order-42")
	if err != nil || !strings.Contains(x.Carrier["traceparent"], traceID.String()) || !strings.HasPrefix(x.Worker, survivor) || x.Crashes != 0 {
		t.Fatalf("execution of trace %s, by %s after %d crashes, %v", x.Carrier["traceparent"], x.Worker, x.Crashes, err)
	}
	failed, err := db.Attempts(t.Context(), "order-42")
	if err != nil || len(failed) != 1 || failed[0].Attempt != 1 || !strings.HasPrefix(failed[0].Worker, "w") {
		t.Fatalf("failed attempts %+v, %v", failed, err)
	}
	tasks, err := db.Tasks(t.Context(), backend.TaskFilter{Execution: "order-42", Kinds: []backend.Kind{backend.Activity}})
	if err != nil || len(tasks) != 4 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	id := func(task string, token int64) string { return stentotel.AttemptSpanID(traceID, task, token).String() }
	for _, task := range tasks {
		name := task.ID.String()
		switch task.Step {
		case "charge_payment":
			all = append(all, attempt{name, task.Step, failed[0].Worker, id(name, failed[0].Token), 1, "card declined", false})
			if task.Attempt != 2 || failed[0].Task != task.ID {
				t.Errorf("charged at attempt %d", task.Attempt)
			}
		case "pack_parcel":
			if task.Token < 2 || task.Attempt != 1 || !strings.HasPrefix(task.Worker, survivor) {
				t.Errorf("packed by %s with token %d at attempt %d", task.Worker, task.Token, task.Attempt)
			}
			all = append(all, attempt{name, task.Step, killed, id(name, 1), 1, "", true})
		}
		all = append(all, attempt{name, task.Step, task.Worker, id(name, task.Token), task.Attempt, "", false})
	}
	return all
}

func checkSpans(t *testing.T, spans []spanLine, want []attempt, traceID trace.TraceID) {
	t.Helper()
	whole := stentotel.ExecutionSpanID(traceID, "order-42").String()
	found := map[string]int{}
	for _, s := range spans {
		found[s.Span]++
		if s.Trace != traceID.String() || s.Attrs["stent.execution_id"] != "order-42" {
			t.Errorf("span %s is in trace %s, of execution %s", s.Name, s.Trace, s.Attrs["stent.execution_id"])
		}
		switch {
		case s.Name == "stent.dispatch shipment":
		case s.Name == "stent.execute shipment":
			if s.Span != whole || s.Parent != spans[0].Span {
				t.Errorf("the execution is span %s below %s", s.Span, s.Parent)
			}
		case strings.HasPrefix(s.Name, "stent.turn "):
			if s.Parent != whole || s.Attrs["stent.task_id"] != "order-42.0" {
				t.Errorf("a turn of %s is below %s", s.Attrs["stent.task_id"], s.Parent)
			}
		default:
			i := slices.IndexFunc(want, func(a attempt) bool { return a.span == s.Span })
			if i < 0 || s.Parent != whole {
				t.Errorf("span %s has the id %s, below %s", s.Name, s.Span, s.Parent)
				continue
			}
			a := want[i]
			if s.Name != "stent.execute "+a.step || s.Attrs["stent.task_id"] != a.task || s.Attrs["stent.worker_id"] != a.worker ||
				s.Attrs["stent.attempt"] != fmt.Sprint(a.number) || s.Error != a.failed || a.lost {
				t.Errorf("span %+v, want %+v", s, a)
			}
			if a.number == 2 && !slices.Equal(s.Links, []string{stentotel.AttemptSpanID(traceID, a.task, 1).String()}) {
				t.Errorf("a second attempt is linked to %v", s.Links)
			}
		}
	}
	for id, n := range found {
		if n != 1 {
			t.Errorf("%d spans have the id %s", n, id)
		}
	}
	for _, a := range want {
		if (found[a.span] == 1) == a.lost {
			t.Errorf("%d spans of %+v", found[a.span], a)
		}
	}
}

func checkLog(t *testing.T, killed, survivor []logLine, spans []spanLine, want []attempt, traceID trace.TraceID) {
	t.Helper()
	turns := map[string]bool{}
	for _, s := range spans {
		turns[s.Span] = strings.HasPrefix(s.Name, "stent.turn ")
	}
	said := map[string]int{} // by span id: lines of the user's
	engines := map[string]int{}
	steps := 0
	for _, l := range append(killed, survivor...) {
		switch l.Message {
		case "at work", "task completed", "task failed and is tried again":
			i := slices.IndexFunc(want, func(a attempt) bool { return a.span == l.SpanID })
			if i < 0 || l.TraceID != traceID.String() || l.ExecutionID != "order-42" || l.TaskID != want[i].task || l.Step != want[i].step ||
				!strings.HasPrefix(l.WorkerID, want[i].worker) || l.Attempt != want[i].number {
				t.Errorf("log line %+v", l)
				continue
			}
			if l.Message == "at work" {
				said[l.SpanID]++
			} else {
				engines[l.SpanID]++
			}
		case "next":
			steps++
			if l.TraceID != traceID.String() || l.ExecutionID != "order-42" || l.TaskID != "order-42.0" || l.Step != "shipment" || l.SpanID == "" {
				t.Errorf("log line of the workflow %+v", l)
			}
		case "execution ended":
			if l.TraceID != traceID.String() || !turns[l.SpanID] {
				t.Errorf("log line of the end %+v", l)
			}
		}
	}
	for _, a := range want {
		ends := 1
		if a.lost {
			ends = 0
		}
		if said[a.span] != 1 || engines[a.span] != ends {
			t.Errorf("%d lines of its own and %d of the engine's for %+v", said[a.span], engines[a.span], a)
		}
	}
	if steps != 4 {
		t.Errorf("the workflow logged %d steps, want 4: a replay is not to be heard", steps)
	}
}

func startWorker(t *testing.T, address, folder, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envDatabase+"="+address, envFolder+"="+folder, envName+"="+name)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	parts.Eventually(t, func() error {
		_, err := os.Stat(filepath.Join(folder, name+".addr"))
		return err
	})
	return cmd
}

// readLines reads files of JSON lines. A last line that is cut off was being written when its process was killed.
func readLines[T any](t *testing.T, folder string, names ...string) (all []T) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var v T
			if err := json.Unmarshal(line, &v); err != nil && bytes.HasSuffix(line, []byte("\n")) {
				t.Fatalf("%s: %v: %s", name, err, line)
			} else if err == nil {
				all = append(all, v)
			}
		}
	}
	return all
}

type exemplar struct{ series, trace, span string }

// The labels of an exemplar come in any order.
var (
	exemplarForm = regexp.MustCompile(`(?m)^(\S+) \S+ # \{([^}]*)\}`)
	traceForm    = regexp.MustCompile(`trace_id="([0-9a-f]{32})"`)
	spanForm     = regexp.MustCompile(`span_id="([0-9a-f]{16})"`)
)

// scrape reads a worker's exemplars, as Prometheus would.
func scrape(t *testing.T, folder, name string) (all []exemplar) {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(folder, name+".addr"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+string(address)+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range exemplarForm.FindAllStringSubmatch(string(body), -1) {
		e := exemplar{series: m[1]}
		if found := traceForm.FindStringSubmatch(m[2]); found != nil {
			e.trace = found[1]
		}
		if found := spanForm.FindStringSubmatch(m[2]); found != nil {
			e.span = found[1]
		}
		all = append(all, e)
	}
	return all
}
