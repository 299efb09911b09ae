package prometheus_test

import (
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/recordertest"
)

func TestEventsAllocateNothing(t *testing.T) {
	r, _ := newRecorder(t)
	recordertest.Allocations(t, r)
}

func BenchmarkEvent(b *testing.B) {
	r, _ := newRecorder(b)
	recordertest.Benchmark(b, r)
}

// The least that an event with a duration can cost: what client_golang takes for a counter and a histogram in hand.
func BenchmarkClientGolang(b *testing.B) {
	c := prom.NewCounter(prom.CounterOpts{Name: "counter"})
	h := prom.NewHistogram(prom.HistogramOpts{Name: "histogram", Buckets: metrics.TaskDuration.Buckets})
	for b.Loop() {
		c.Inc()
		h.Observe(0.03)
	}
}
