package prometheus_test

import (
	"maps"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/recordertest"
)

func TestConformance(t *testing.T) {
	recordertest.Run(t, func(t *testing.T) recordertest.Target {
		r, registry := newRecorder(t)
		return recordertest.Target{Recorder: r, Value: func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool) {
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
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
		}}
	})
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
