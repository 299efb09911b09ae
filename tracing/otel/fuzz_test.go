package otel_test

import (
	"context"
	"encoding/json"
	"testing"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/stentgo/stent/core"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// A carrier lies in the database, beside an execution that anybody may have started.
func FuzzCarrier(f *testing.F) {
	for _, s := range []string{
		"{}", `{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}`, `{"traceparent":"00-0-0-0"}`,
		`{"traceparent":"ff-00000000000000000000000000000000-0000000000000000-ff"}`, `{"stent-span":"zz"}`, `{"stent-span":""}`,
		`{"baggage":"a=b;c;d=e,,,%zz=%"}`, `{"tracestate":"\u0000"}`, `{"":""}`,
	} {
		f.Add(s, "order-42")
	}
	m := stentotel.New(stentotel.WithTracerProvider(noop.NewTracerProvider()))
	f.Fuzz(func(t *testing.T, text, id string) {
		var carrier map[string]string
		if json.Unmarshal([]byte(text), &carrier) != nil {
			return
		}
		ran := false
		err := m.Execute(context.Background(), &core.ExecuteInfo{TaskInfo: core.TaskInfo{ExecutionID: id, TaskID: id + ".1"}, Carrier: carrier}, func(context.Context) error {
			ran = true
			return nil
		})
		if err != nil || !ran {
			t.Errorf("the activity did not run: %v", err)
		}
	})
}
