package otel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
	"github.com/stentgo/stent/recorder/gauges"
)

// scope names the instruments' origin.
const scope = "github.com/stentgo/stent"

// Option is an option of [New].
type Option func(*settings) error

type settings struct {
	budget    int
	messaging bool
}

// WithBudget sets how many values of each of the labels queue, step and workflow are kept apart; the rest are counted as
// "other". Default 0: 200.
func WithBudget(values int) Option {
	return func(s *settings) error {
		s.budget = values
		return nil
	}
}

// WithMessagingConventions adds OpenTelemetry's metrics for messaging systems, messaging.client.consumed.messages and
// messaging.process.duration, with messaging.system "stent" and the queue as messaging.destination.name. These
// conventions are in development, and may change with a version of Stent. Default off.
func WithMessagingConventions() Option {
	return func(s *settings) error {
		s.messaging = true
		return nil
	}
}

// New makes a recorder with a provider's instruments; nil means the global provider.
func New(provider metric.MeterProvider, opts ...Option) (*Recorder, error) {
	var s settings
	for _, opt := range opts {
		if err := opt(&s); err != nil {
			return nil, fmt.Errorf("otel recorder: %w", err)
		}
	}
	b, err := budget.New(s.budget)
	if err != nil {
		return nil, fmt.Errorf("otel recorder: %w", err)
	}
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	m := &maker{meter: provider.Meter(scope, metric.WithInstrumentationVersion(core.Version()))}
	r := &Recorder{budget: b, instruments: m.make(s.messaging), counts: map[countKey]*count{}}
	r.makeCaches(b)
	if m.err == nil {
		_, m.err = m.meter.RegisterCallback(r.observeCounts, m.counters...)
	}
	if m.err == nil {
		r.gauged, m.err = m.meter.RegisterCallback(r.observe, r.observed()...)
	}
	if m.err != nil {
		return nil, fmt.Errorf("otel recorder: %w", m.err)
	}
	return r, nil
}

// instruments are the catalogue's metrics as OpenTelemetry has them.
type instruments struct {
	taskDuration, scheduleToStart, executionDuration metric.Float64Histogram
	claimDuration, commitDuration, commitBatchSize   metric.Float64Histogram

	counters map[string]metric.Int64ObservableCounter // by the catalogue's name
	gauges   map[string]metric.Float64ObservableGauge // likewise

	// By the conventions for messaging; nil unless asked for.
	consumed  metric.Int64ObservableCounter
	processed metric.Float64Histogram
}

// maker makes instruments and keeps the errors.
type maker struct {
	meter    metric.Meter
	counters []metric.Observable
	err      error
}

func (m *maker) counter(name, unit, help string) metric.Int64ObservableCounter {
	c, err := m.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
	m.err = errors.Join(m.err, err)
	m.counters = append(m.counters, c)
	return c
}

func (m *maker) histogram(d metrics.Metric) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(d.OTel, metric.WithUnit(string(d.Unit)), metric.WithDescription(d.Help),
		metric.WithExplicitBucketBoundaries(d.Buckets...))
	m.err = errors.Join(m.err, err)
	return h
}

func (m *maker) make(messaging bool) *instruments {
	i := &instruments{
		taskDuration:      m.histogram(metrics.TaskDuration),
		scheduleToStart:   m.histogram(metrics.ScheduleToStart),
		executionDuration: m.histogram(metrics.ExecutionDuration),
		claimDuration:     m.histogram(metrics.ClaimDuration),
		commitDuration:    m.histogram(metrics.CommitDuration),
		commitBatchSize:   m.histogram(metrics.CommitBatchSize),
		counters:          map[string]metric.Int64ObservableCounter{},
		gauges:            map[string]metric.Float64ObservableGauge{},
	}
	for _, d := range metrics.All() {
		switch d.Kind {
		case metrics.Counter:
			i.counters[d.Name] = m.counter(d.OTel, string(d.Unit), d.Help)
		case metrics.Gauge:
			g, err := m.meter.Float64ObservableGauge(d.OTel, metric.WithUnit(string(d.Unit)), metric.WithDescription(d.Help))
			m.err = errors.Join(m.err, err)
			i.gauges[d.Name] = g
		}
	}
	if messaging {
		var err error
		i.consumed = m.counter("messaging.client.consumed.messages", "{message}", "Number of messages that were delivered to the application.")
		i.processed, err = m.meter.Float64Histogram("messaging.process.duration", metric.WithUnit("s"),
			metric.WithDescription("Duration of processing operation."), metric.WithExplicitBucketBoundaries(metrics.TaskDuration.Buckets...))
		m.err = errors.Join(m.err, err)
	}
	return i
}

func (i *instruments) observed() (all []metric.Observable) {
	for _, g := range i.gauges {
		all = append(all, g)
	}
	return all
}

// observeCounts is called by the SDK when it collects. What has never happened is not told.
func (r *Recorder) observeCounts(_ context.Context, o metric.Observer) error {
	r.mu.Lock()
	counts := slices.Collect(maps.Values(r.counts))
	r.mu.Unlock()
	for _, c := range counts {
		if n := c.n.Load(); n > 0 {
			o.ObserveInt64(c.instrument, n, c.attributes)
		}
	}
	folded := r.counters[metrics.LabelValuesFolded.Name]
	r.budget.Folded(func(label string, values int64) {
		o.ObserveInt64(folded, values, metric.WithAttributeSet(set(metrics.LabelValuesFolded.Labels, []string{label})))
	})
	return nil
}

// observe is called by the SDK when it collects.
func (r *Recorder) observe(_ context.Context, o metric.Observer) error {
	r.mu.Lock()
	sources := r.sources
	r.mu.Unlock()
	stand := make([]core.ProcessGauges, len(sources))
	var known []core.KnownTask
	for n, s := range sources {
		stand[n] = s.ProcessGauges()
		known = append(known, s.KnownTasks()...)
	}
	values := append(gauges.Process(stand...), gauges.Objectives(known, r.budget)...)
	for _, v := range append(values, gauges.Sampled(r.sample.Load(), r.budget)...) {
		o.ObserveFloat64(r.gauges[v.Metric.Name], v.Value, metric.WithAttributeSet(set(v.Metric.Labels, v.Labels)))
	}
	return nil
}

func set(labels, values []string) attribute.Set {
	all := make([]attribute.KeyValue, len(labels))
	for i, label := range labels {
		all[i] = attribute.String(label, values[i])
	}
	return attribute.NewSet(all...)
}

func recordedAt(labels []string, values ...string) recorded {
	return recorded{metric.WithAttributeSet(set(labels, values))}
}

// count is the count of an instrument for some labels: one, though a workflow and an activity have the same name.
func (r *Recorder) count(instrument metric.Int64ObservableCounter, labels []string, values ...string) *count {
	at := set(labels, values)
	key := countKey{instrument, at.Equivalent()}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts[key]
	if c == nil {
		c = &count{instrument: instrument, attributes: metric.WithAttributeSet(at)}
		r.counts[key] = c
	}
	return c
}

func (r *Recorder) makeCaches(b *budget.Budget) {
	counter := func(d metrics.Metric, values ...string) *count {
		return r.count(r.counters[d.Name], d.Labels, values...)
	}
	r.tasks = budget.NewCache(b, [3]string{metrics.LabelQueue, metrics.LabelStep}, func(queue, step, kind string) *task {
		t := &task{
			claimed: counter(metrics.TasksClaimed, queue, step, kind), completed: counter(metrics.TasksCompleted, queue, step, kind),
			retrying: counter(metrics.TasksFailed, queue, step, "true"), failed: counter(metrics.TasksFailed, queue, step, "false"),
			dead: counter(metrics.DeadLettersMoved, queue, step), poisoned: counter(metrics.TasksPoisoned, queue, step),
			duration: recordedAt(metrics.TaskDuration.Labels, queue, step),
		}
		if r.processed != nil {
			system := []string{"messaging.system", "messaging.destination.name", "messaging.operation.name"}
			t.consumed = r.count(r.consumed, system, "stent", queue, "claim")
			t.processed = recordedAt(system, "stent", queue, "execute")
			t.processFailed = recordedAt(append(system, "error.type"), "stent", queue, "execute", "_OTHER")
		}
		return t
	})
	r.workflows = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, _, _ string) *workflow {
		return &workflow{counter(metrics.ExecutionsStarted, name), recordedAt(metrics.ExecutionDuration.Labels, name)}
	})
	r.ends = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, state, _ string) *count {
		return counter(metrics.ExecutionsFinished, name, state)
	})
	r.queues = budget.NewCache(b, [3]string{metrics.LabelQueue}, func(name, _, _ string) *queue {
		return &queue{
			recordedAt(metrics.ScheduleToStart.Labels, name), counter(metrics.LeaseTakeovers, name),
			counter(metrics.DeadLettersReplayed, name), counter(metrics.DeadLettersDiscarded, name),
		}
	})
	one := func(d metrics.Metric) *budget.Cache[count] {
		return budget.NewCache(b, [3]string{}, func(value, _, _ string) *count { return counter(d, value) })
	}
	r.claims, r.renewals, r.reasons = one(metrics.ClaimsMade), one(metrics.LeaseRenewals), one(metrics.EventsDropped)
	r.failures = budget.NewCache(b, [3]string{}, func(operation, fault, _ string) *count {
		return counter(metrics.BackendErrors, operation, fault)
	})
	r.fenced = counter(metrics.FencedWrites)
}
