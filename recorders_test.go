package stent_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/statsdtest"
	"github.com/stentgo/stent/metrics"
	stentotelmetric "github.com/stentgo/stent/recorder/otel"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
	"github.com/stentgo/stent/recorder/recordertest"
)

// Every recorder says of an incident what the database says, on every backend, as far from the recorder as can be: on the
// page that Prometheus scrapes, in the packets that StatsD gets, in what an OpenTelemetry reader collects.
func TestRecordersSayWhatTheDatabaseSays(t *testing.T) {
	for name, target := range map[string]func(t *testing.T) recordertest.Target{
		"prometheus": scrapedByPrometheus, "statsd": statsdtest.Target, "otel": collectedByOTel,
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				recordertest.Run(t, func(t *testing.T) recordertest.Target {
					recorder := target(t)
					recorder.Open = func(*testing.T) backend.Backend { return w.open() }
					return recorder
				})
			})
		})
	}
}

func scrapedByPrometheus(t *testing.T) recordertest.Target {
	r, err := stentprom.New(prom.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	return recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
		t.Helper()
		var parser expfmt.TextParser
		families, err := parser.TextToMetricFamilies(bytes.NewReader(get(t, server.URL)))
		if err != nil {
			t.Fatal(err)
		}
		for _, series := range families[m.Name].GetMetric() {
			has := map[string]string{}
			for _, l := range series.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			if !maps.Equal(has, labels) {
				continue
			}
			switch m.Kind {
			case metrics.Counter:
				return series.GetCounter().GetValue(), true
			case metrics.Gauge:
				return series.GetGauge().GetValue(), true
			default:
				return float64(series.GetHistogram().GetSampleCount()), true
			}
		}
		return 0, false
	}}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, resp.Status, err)
	}
	return page
}

func collectedByOTel(t *testing.T) recordertest.Target {
	reader := sdk.NewManualReader()
	r, err := stentotelmetric.New(sdk.NewMeterProvider(sdk.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	return recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
		t.Helper()
		var data metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &data); err != nil {
			t.Fatal(err)
		}
		for _, scope := range data.ScopeMetrics {
			for _, instrument := range scope.Metrics {
				if instrument.Name == m.OTel {
					return otelValue(instrument.Data, labels)
				}
			}
		}
		return 0, false
	}}
}

// otelValue is the value of the data point with exactly these attributes.
func otelValue(data metricdata.Aggregation, labels map[string]string) (float64, bool) {
	var all []attribute.KeyValue
	for name, v := range labels {
		all = append(all, attribute.String(name, v))
	}
	want := attribute.NewSet(all...)
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		return valueWith(data.DataPoints, func(p metricdata.DataPoint[int64]) (attribute.Set, float64) { return p.Attributes, float64(p.Value) }, want)
	case metricdata.Gauge[float64]:
		return valueWith(data.DataPoints, func(p metricdata.DataPoint[float64]) (attribute.Set, float64) { return p.Attributes, p.Value }, want)
	case metricdata.Histogram[float64]:
		return valueWith(data.DataPoints, func(p metricdata.HistogramDataPoint[float64]) (attribute.Set, float64) {
			return p.Attributes, float64(p.Count)
		}, want)
	}
	return 0, false
}

func valueWith[P any](points []P, read func(P) (attribute.Set, float64), want attribute.Set) (float64, bool) {
	for _, p := range points {
		if attributes, value := read(p); attributes.Equals(&want) {
			return value, true
		}
	}
	return 0, false
}
