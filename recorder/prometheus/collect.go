package prometheus

import (
	"net/http"
	"slices"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/gauges"
)

// Handler serves the metrics of the registry that the recorder is registered with, as Prometheus text or OpenMetrics. If
// that registry cannot be read (it is a Registerer only), it serves prometheus.DefaultGatherer.
func (r *Recorder) Handler() http.Handler {
	return promhttp.HandlerFor(r.gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Describe is called by the registry.
func (r *Recorder) Describe(out chan<- *prom.Desc) {
	if !r.samplesOnly {
		for _, c := range r.collectors {
			c.Describe(out)
		}
	}
	for _, desc := range r.gauges {
		out <- desc
	}
	out <- r.folded
}

// Collect is called by the registry with every scrape.
func (r *Recorder) Collect(out chan<- prom.Metric) {
	r.mu.RLock()
	sources := r.sources
	r.mu.RUnlock()
	stand := make([]core.ProcessGauges, len(sources))
	var known []core.KnownTask
	for i, s := range sources {
		stand[i] = s.ProcessGauges()
		if r.samplesOnly {
			continue
		}
		tasks := s.KnownTasks()
		known = append(known, tasks...)
		for _, k := range tasks {
			r.task(k.Queue, k.Step, k.Kind)
			if k.Kind == backend.Orchestrator {
				r.workflow(k.Step)
			}
		}
	}
	if !r.samplesOnly {
		// Whoever is first takes over, whatever queues it serves, and counters that are born at 1 are no increase to a query.
		if s := r.sample.Load(); s != nil {
			for _, q := range s.Stats.Queues {
				r.queue(q.Queue)
			}
		}
		for _, c := range r.collectors {
			c.Collect(out)
		}
	}
	values := slices.Concat(gauges.Process(stand...), gauges.Objectives(known, r.budget), gauges.Sampled(r.sample.Load(), r.budget))
	for _, v := range values {
		if r.samplesOnly && v.Metric.Source == metrics.Process && !aboutSampler[v.Metric.Name] {
			continue
		}
		out <- prom.MustNewConstMetric(r.gauges[v.Metric.Name], prom.GaugeValue, v.Value, v.Labels...)
	}
	r.budget.Folded(func(label string, values int64) {
		out <- prom.MustNewConstMetric(r.folded, prom.CounterValue, float64(values), label)
	})
}

// aboutSampler are the gauges of a process that make sense where it only samples.
var aboutSampler = map[string]bool{
	metrics.SamplerUp.Name: true, metrics.SampleTimestamp.Name: true, metrics.SampleDuration.Name: true, metrics.BuildInfo.Name: true,
}
