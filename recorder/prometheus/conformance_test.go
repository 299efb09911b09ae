package prometheus_test

import (
	"maps"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/recordertest"
)

func TestConformance(t *testing.T) {
	recordertest.Run(t, func(t *testing.T) recordertest.Target {
		r, registry := newRecorder(t)
		return recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
			return valueIn(gather(t, registry), m, labels)
		}}
	})
}

// A million executions with a thousand names of steps stay in the budget.
func TestCardinality(t *testing.T) {
	r, registry := newRecorder(t)
	var families []*dto.MetricFamily // gathered once, when all has been told
	recordertest.Cardinality(t, recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
		if families == nil {
			families = gather(t, registry)
		}
		return valueIn(families, m, labels)
	}})
	// Of each step there are six counters and a histogram; the rest has nothing to do with steps.
	most := (metrics.DefaultBudget+1)*(7+len(metrics.TaskDuration.Buckets)) + 200
	if series := countSeries(families); series > most {
		t.Errorf("%d series, want at most %d", series, most)
	}
}

func gather(t *testing.T, registry *prom.Registry) []*dto.MetricFamily {
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func countSeries(families []*dto.MetricFamily) (n int) {
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n += 1 + len(m.GetHistogram().GetBucket())
		}
	}
	return n
}

func valueIn(families []*dto.MetricFamily, m metrics.Metric, labels map[string]string) (float64, bool) {
	for _, f := range families {
		if f.GetName() != m.Name {
			continue
		}
		for _, series := range f.GetMetric() {
			has := map[string]string{}
			for _, l := range series.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			if maps.Equal(has, labels) {
				return valueOf(series), true
			}
		}
	}
	return 0, false
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return float64(m.GetHistogram().GetSampleCount())
}
