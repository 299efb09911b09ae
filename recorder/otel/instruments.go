package otel

import (
	"context"
	"errors"
	"fmt"

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
	r := &Recorder{budget: b, instruments: m.make(s.messaging)}
	r.makeCaches(b, s.messaging)
	if m.err == nil {
		r.registration, m.err = m.meter.RegisterCallback(r.observe, r.observed()...)
	}
	if m.err != nil {
		return nil, fmt.Errorf("otel recorder: %w", m.err)
	}
	return r, nil
}

// instruments are the catalogue's metrics as OpenTelemetry has them.
type instruments struct {
	tasksClaimed, tasksCompleted, tasksFailed, deadLetters, tasksPoisoned metric.Int64Counter
	leaseRenewals, leaseTakeovers, fencedWrites                           metric.Int64Counter
	executionsStarted, executionsFinished                                 metric.Int64Counter
	replayed, discarded, claims, backendErrors, eventsDropped             metric.Int64Counter
	taskDuration, scheduleToStart, executionDuration                      metric.Float64Histogram
	claimDuration, commitDuration, commitBatchSize                        metric.Float64Histogram

	gauges map[string]metric.Float64ObservableGauge // by the catalogue's name
	folded metric.Int64ObservableCounter

	// By the conventions for messaging; nil unless asked for.
	consumed  metric.Int64Counter
	processed metric.Float64Histogram
}

// maker makes instruments and keeps the errors.
type maker struct {
	meter metric.Meter
	err   error
}

func (m *maker) counter(d metrics.Metric) metric.Int64Counter {
	c, err := m.meter.Int64Counter(d.OTel, metric.WithUnit(string(d.Unit)), metric.WithDescription(d.Help))
	m.err = errors.Join(m.err, err)
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
		tasksClaimed:       m.counter(metrics.TasksClaimed),
		tasksCompleted:     m.counter(metrics.TasksCompleted),
		tasksFailed:        m.counter(metrics.TasksFailed),
		deadLetters:        m.counter(metrics.DeadLettersMoved),
		tasksPoisoned:      m.counter(metrics.TasksPoisoned),
		leaseRenewals:      m.counter(metrics.LeaseRenewals),
		leaseTakeovers:     m.counter(metrics.LeaseTakeovers),
		fencedWrites:       m.counter(metrics.FencedWrites),
		executionsStarted:  m.counter(metrics.ExecutionsStarted),
		executionsFinished: m.counter(metrics.ExecutionsFinished),
		replayed:           m.counter(metrics.DeadLettersReplayed),
		discarded:          m.counter(metrics.DeadLettersDiscarded),
		claims:             m.counter(metrics.ClaimsMade),
		backendErrors:      m.counter(metrics.BackendErrors),
		eventsDropped:      m.counter(metrics.EventsDropped),
		taskDuration:       m.histogram(metrics.TaskDuration),
		scheduleToStart:    m.histogram(metrics.ScheduleToStart),
		executionDuration:  m.histogram(metrics.ExecutionDuration),
		claimDuration:      m.histogram(metrics.ClaimDuration),
		commitDuration:     m.histogram(metrics.CommitDuration),
		commitBatchSize:    m.histogram(metrics.CommitBatchSize),
		gauges:             map[string]metric.Float64ObservableGauge{},
	}
	for _, d := range metrics.All() {
		if d.Kind == metrics.Gauge {
			g, err := m.meter.Float64ObservableGauge(d.OTel, metric.WithUnit(string(d.Unit)), metric.WithDescription(d.Help))
			m.err = errors.Join(m.err, err)
			i.gauges[d.Name] = g
		}
	}
	d := metrics.LabelValuesFolded
	var err error
	i.folded, err = m.meter.Int64ObservableCounter(d.OTel, metric.WithUnit(string(d.Unit)), metric.WithDescription(d.Help))
	m.err = errors.Join(m.err, err)
	if messaging {
		i.consumed, err = m.meter.Int64Counter("messaging.client.consumed.messages", metric.WithUnit("{message}"),
			metric.WithDescription("Number of messages that were delivered to the application."))
		m.err = errors.Join(m.err, err)
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
	return append(all, i.folded)
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
	r.budget.Folded(func(label string, values int64) {
		o.ObserveInt64(r.folded, values, metric.WithAttributeSet(set(metrics.LabelValuesFolded.Labels, []string{label})))
	})
	return nil
}

func set(labels, values []string) attribute.Set {
	all := make([]attribute.KeyValue, len(labels))
	for i, label := range labels {
		all[i] = attribute.String(label, values[i])
	}
	return attribute.NewSet(all...)
}

func attributesOf(labels []string, values ...string) *attributes {
	option := metric.WithAttributeSet(set(labels, values))
	return &attributes{add: []metric.AddOption{option}, record: []metric.RecordOption{option}}
}

func (r *Recorder) makeCaches(b *budget.Budget, messaging bool) {
	place := [3]string{metrics.LabelQueue, metrics.LabelStep}
	r.tasks = budget.NewCache(b, place, func(queue, step, kind string) *task {
		t := &task{full: attributesOf(metrics.TasksClaimed.Labels, queue, step, kind), place: attributesOf(metrics.TaskDuration.Labels, queue, step)}
		if messaging {
			system := []string{"messaging.system", "messaging.destination.name", "messaging.operation.name"}
			t.consumed = attributesOf(system, "stent", queue, "claim")
			t.processed = attributesOf(system, "stent", queue, "execute")
			t.processFailed = attributesOf(append(system, "error.type"), "stent", queue, "execute", "_OTHER")
		}
		return t
	})
	r.attempts = budget.NewCache(b, place, func(queue, step, _ string) *attempt {
		labels := metrics.TasksFailed.Labels
		return &attempt{retrying: attributesOf(labels, queue, step, "true"), failed: attributesOf(labels, queue, step, "false")}
	})
	r.workflows = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, _, _ string) *attributes {
		return attributesOf(metrics.ExecutionsStarted.Labels, name)
	})
	r.ends = budget.NewCache(b, [3]string{metrics.LabelWorkflow}, func(name, state, _ string) *attributes {
		return attributesOf(metrics.ExecutionsFinished.Labels, name, state)
	})
	r.queues = budget.NewCache(b, [3]string{metrics.LabelQueue}, func(name, _, _ string) *attributes {
		return attributesOf(metrics.ScheduleToStart.Labels, name)
	})
	one := func(d metrics.Metric) *budget.Cache[attributes] {
		return budget.NewCache(b, [3]string{}, func(value, _, _ string) *attributes { return attributesOf(d.Labels, value) })
	}
	r.results, r.reasons = one(metrics.ClaimsMade), one(metrics.EventsDropped)
	r.failures = budget.NewCache(b, [3]string{}, func(operation, fault, _ string) *attributes {
		return attributesOf(metrics.BackendErrors.Labels, operation, fault)
	})
}
