package spans_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
	"github.com/stentgo/stent/internal/cli/spans"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

const carried = "4bf92f3577b34da6a3ce929d0e0e4736"

// carrying is middleware that keeps a trace context which is not sampled.
type carrying struct{ core.NopMiddleware }

func (carrying) Start(ctx context.Context, starts []*core.StartInfo, next core.Next) error {
	if starts[0].Parent == "" {
		starts[0].Carrier["traceparent"] = "00-" + carried + "-00f067aa0ba902b7-00"
	}
	return next(ctx)
}

// history runs an order with a child and a second attempt, and returns its spans.
func history(t *testing.T) *spans.Span {
	t.Helper()
	charge := core.NewActivity[string, string]("charge", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
	parcels := core.NewWorkflow[string, string]("parcel")
	orders := core.NewWorkflow[string, string]("order")
	db := memory.Open()
	e, err := core.New(db, core.WithMiddleware(carrying{}))
	if err == nil {
		err = e.Register(
			charge.Handle(func(ctx context.Context, s string) (string, error) {
				if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
					return "", errors.New("declined\nby the bank")
				}
				return s, nil
			}),
			parcels.Handle(func(flow *core.Flow, s string) (string, error) { return charge.Call(flow, s) }),
			orders.Handle(func(flow *core.Flow, s string) (string, error) { return parcels.Call(flow, s) }),
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- e.Serve(ctx, core.WorkerConfig{}) }()
	run, err := orders.Start(ctx, e, "42", core.ID("order-42"))
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
	top, err := spans.Of(t.Context(), db, "order-42")
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestTheTreeOfAnExecutionThatWasNotSampled(t *testing.T) {
	top := history(t)
	var tree strings.Builder
	var draw func(s *spans.Span, indent string)
	draw = func(s *spans.Span, indent string) {
		message, _ := s.Failed()
		tree.WriteString(indent + s.Name + " " + s.Attr("stent.attempt") + " " + message + "\n")
		for _, b := range s.Below {
			if b.Parent != s.ID || b.TraceID != s.TraceID {
				t.Errorf("%s is not below %s", b.Name, s.Name)
			}
			draw(b, indent+"  ")
		}
	}
	draw(top, "")
	want := "stent.dispatch order  \n" +
		"  stent.execute order 1 \n" +
		"    stent.execute parcel 1 \n" + // it has its parent's carrier, since this middleware makes no dispatch of its own
		"      stent.execute charge 1 declined\n" +
		"      stent.execute charge 2 \n"
	if got := tree.String(); got != want {
		t.Errorf("tree\n%s\nwant\n%s", got, want)
	}
	all := top.All()
	first, second := all[len(all)-2], all[len(all)-1]
	if top.TraceID.String() != carried || top.ID.String() != "00f067aa0ba902b7" || second.Link != first.ID ||
		first.ID != stentotel.AttemptSpanID(top.TraceID, first.Attr("stent.task_id"), 1) || first.ID == second.ID {
		t.Errorf("ids: trace %s, dispatch %s, attempts %s and %s, link %s", top.TraceID, top.ID, first.ID, second.ID, second.Link)
	}
	if first.End.Before(first.Start) || second.Start.Before(first.End) || second.Attr("stent.worker_id") == "" {
		t.Errorf("attempts %v to %v, %v to %v", first.Start, first.End, second.Start, second.End)
	}
}

func TestExport(t *testing.T) {
	type request struct {
		path, token string
		body        map[string]any
	}
	var got []request
	answer := http.StatusOK
	said := "{}"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		q := request{path: r.URL.Path, token: r.Header.Get("X-Token")}
		if err := json.Unmarshal(data, &q.body); err != nil {
			t.Error(err)
		}
		got = append(got, q)
		w.WriteHeader(answer)
		_, _ = io.WriteString(w, said)
	}))
	defer server.Close()
	top := history(t)
	running := *top
	running.End = time.Time{}

	n, err := spans.Export(t.Context(), server.URL, "shop", http.Header{"X-Token": {"secret"}}, append(top.All(), &running))
	if err != nil || n != 5 || len(got) != 1 || got[0].path != "/v1/traces" || got[0].token != "secret" {
		t.Fatalf("sent %d, %v: %+v", n, err, got)
	}
	list := got[0].body["resourceSpans"].([]any)[0].(map[string]any)["scopeSpans"].([]any)[0].(map[string]any)["spans"].([]any)
	failed := list[3].(map[string]any)
	if len(list) != 5 || failed["traceId"] != carried || failed["kind"] != 5.0 || failed["name"] != "stent.execute charge" ||
		failed["status"].(map[string]any)["code"] != 2.0 || len(failed["events"].([]any)) != 1 {
		t.Errorf("a failed attempt is %v", failed)
	}
	if linked := list[4].(map[string]any)["links"].([]any)[0].(map[string]any); linked["spanId"] != failed["spanId"] {
		t.Errorf("linked to %v", linked)
	}

	if _, err := spans.Export(t.Context(), server.URL+"/otlp/v1/traces", "shop", nil, top.All()); err != nil || got[1].path != "/otlp/v1/traces" {
		t.Errorf("another path: %v, %v", got[1].path, err)
	}
	said = `{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}`
	if _, err := spans.Export(t.Context(), server.URL, "shop", nil, top.All()); err == nil || !strings.Contains(err.Error(), "refused 2: too old") {
		t.Errorf("some refused: %v", err)
	}
	answer, said = http.StatusUnauthorized, "who are you"
	if _, err := spans.Export(t.Context(), server.URL, "shop", nil, top.All()); err == nil || !strings.Contains(err.Error(), "401 Unauthorized: who are you") {
		t.Errorf("refused: %v", err)
	}
	if _, err := spans.Export(t.Context(), "localhost:4318", "shop", nil, nil); err == nil {
		t.Error("no scheme, no error")
	}
}

func TestExecutionsThatAreNotThere(t *testing.T) {
	if _, err := spans.Of(t.Context(), memory.Open(), "nobody"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}
