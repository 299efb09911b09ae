package otel_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	stentotel "github.com/stentgo/stent/recorder/otel"
	"github.com/stentgo/stent/recorder/recordertest"
)

func newRecorder(t testing.TB, opts ...stentotel.Option) (*stentotel.Recorder, *sdk.ManualReader) {
	t.Helper()
	reader := sdk.NewManualReader()
	r, err := stentotel.New(sdk.NewMeterProvider(sdk.WithReader(reader)), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return r, reader
}

// collected are the instruments that have data, by name.
func collected(t testing.TB, reader sdk.Reader) map[string]metricdata.Metrics {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	all := map[string]metricdata.Metrics{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			all[m.Name] = m
		}
	}
	return all
}

// value finds the data point with exactly these attributes: a sum, a last value, or a number of observations.
func value(m metricdata.Metrics, labels map[string]string) (float64, bool) {
	var all []attribute.KeyValue
	for name, v := range labels {
		all = append(all, attribute.String(name, v))
	}
	want := attribute.NewSet(all...)
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			if p.Attributes.Equals(&want) {
				return float64(p.Value), true
			}
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			if p.Attributes.Equals(&want) {
				return p.Value, true
			}
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			if p.Attributes.Equals(&want) {
				return float64(p.Count), true
			}
		}
	}
	return 0, false
}

func TestConformance(t *testing.T) {
	recordertest.Run(t, func(t *testing.T) recordertest.Target {
		r, reader := newRecorder(t)
		return recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
			return value(collected(t, reader)[m.OTel], labels)
		}}
	})
}

// A million executions with a thousand names of steps stay in the budget.
func TestCardinality(t *testing.T) {
	r, reader := newRecorder(t)
	var all map[string]metricdata.Metrics // collected once, when all has been told
	recordertest.Cardinality(t, recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
		if all == nil {
			all = collected(t, reader)
		}
		return value(all[m.OTel], labels)
	}})
}

// Names, units and buckets are those of the catalogue, from which exporters make the Prometheus names.
func TestInstruments(t *testing.T) {
	r, reader := newRecorder(t)
	ctx := t.Context()
	r.TaskClaimed(ctx, core.TaskClaimed{Queue: "q", Step: "s", Kind: backend.Activity})
	r.TaskCompleted(ctx, core.TaskCompleted{Queue: "q", Step: "s", Kind: backend.Activity, Duration: time.Second})
	r.BatchCommitted(ctx, core.BatchCommitted{Commands: 1})
	all := collected(t, reader)
	for _, m := range []metrics.Metric{metrics.TasksClaimed, metrics.TasksCompleted, metrics.TaskDuration, metrics.CommitBatchSize} {
		got, ok := all[m.OTel]
		if !ok || got.Unit != string(m.Unit) {
			t.Errorf("%s is %+v, want the unit %q", m.OTel, got, m.Unit)
		}
		if h, ok := got.Data.(metricdata.Histogram[float64]); ok && !slices.Equal(h.DataPoints[0].Bounds, m.Buckets) {
			t.Errorf("%s has the buckets %v, want %v", m.OTel, h.DataPoints[0].Bounds, m.Buckets)
		}
	}
}

func TestMessagingConventions(t *testing.T) {
	r, reader := newRecorder(t, stentotel.WithMessagingConventions())
	r.TaskClaimed(t.Context(), core.TaskClaimed{Queue: "q", Step: "s", Kind: backend.Activity})
	r.TaskFailed(t.Context(), core.TaskFailed{Queue: "q", Step: "s", Kind: backend.Activity})
	all := collected(t, reader)
	for name, labels := range map[string]map[string]string{
		"messaging.client.consumed.messages": {"messaging.system": "stent", "messaging.destination.name": "q", "messaging.operation.name": "claim"},
		"messaging.process.duration":         {"messaging.system": "stent", "messaging.destination.name": "q", "messaging.operation.name": "execute", "error.type": "_OTHER"},
	} {
		if n, ok := value(all[name], labels); !ok || n != 1 {
			t.Errorf("%s is %v, %t", name, n, ok)
		}
	}
	if r, reader = newRecorder(t); len(collected(t, reader)) == 0 {
		t.Error("no gauges about the budget")
	}
	r.TaskClaimed(t.Context(), core.TaskClaimed{Queue: "q", Step: "s", Kind: backend.Activity})
	if _, ok := collected(t, reader)["messaging.client.consumed.messages"]; ok {
		t.Error("the conventions for messaging are followed unasked")
	}
}

func TestEventsAllocateNothing(t *testing.T) {
	r, _ := newRecorder(t)
	recordertest.Allocations(t, r)
	r, _ = newRecorder(t, stentotel.WithMessagingConventions())
	recordertest.Allocations(t, r)
}

func BenchmarkEvent(b *testing.B) {
	r, _ := newRecorder(b)
	recordertest.Benchmark(b, r)
}

func TestNewRefuses(t *testing.T) {
	if _, err := stentotel.New(nil, stentotel.WithBudget(-1)); err == nil {
		t.Error("a negative budget is accepted")
	}
}
