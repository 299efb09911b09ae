package prometheus

import (
	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
)

// instruments are the catalogue's metrics as client_golang has them. Gauges have only a description: their values are
// made when they are read.
type instruments struct {
	collectors []prom.Collector
	gauges     map[string]*prom.Desc // by the catalogue's name
	folded     *prom.Desc

	tasksClaimed, tasksCompleted, tasksFailed, deadLetters, tasksPoisoned *prom.CounterVec
	leaseRenewals, leaseTakeovers                                         *prom.CounterVec
	executionsStarted, executionsFinished                                 *prom.CounterVec
	replayed, discarded, claims, backendErrors, eventsDropped             *prom.CounterVec
	taskDuration, scheduleToStart, executionDuration                      *prom.HistogramVec

	fencedWrites                                   prom.Counter
	claimDuration, commitDuration, commitBatchSize prom.Observer
}

func newInstruments(s *settings) *instruments {
	i := &instruments{gauges: map[string]*prom.Desc{}}
	counter := func(m metrics.Metric) *prom.CounterVec {
		v := prom.NewCounterVec(prom.CounterOpts{Name: s.name(m), Help: help(m), ConstLabels: s.labels}, m.Labels)
		i.collectors = append(i.collectors, v)
		return v
	}
	histogram := func(m metrics.Metric) *prom.HistogramVec {
		opts := prom.HistogramOpts{Name: s.name(m), Help: help(m), ConstLabels: s.labels, Buckets: m.Buckets}
		if s.native {
			opts.NativeHistogramBucketFactor = 1.1
			opts.NativeHistogramMaxBucketNumber = 160
		}
		v := prom.NewHistogramVec(opts, m.Labels)
		i.collectors = append(i.collectors, v)
		return v
	}

	i.tasksClaimed = counter(metrics.TasksClaimed)
	i.tasksCompleted = counter(metrics.TasksCompleted)
	i.tasksFailed = counter(metrics.TasksFailed)
	i.deadLetters = counter(metrics.DeadLettersMoved)
	i.tasksPoisoned = counter(metrics.TasksPoisoned)
	i.leaseRenewals = counter(metrics.LeaseRenewals)
	i.leaseTakeovers = counter(metrics.LeaseTakeovers)
	i.fencedWrites = counter(metrics.FencedWrites).WithLabelValues()
	i.executionsStarted = counter(metrics.ExecutionsStarted)
	i.executionsFinished = counter(metrics.ExecutionsFinished)
	i.replayed = counter(metrics.DeadLettersReplayed)
	i.discarded = counter(metrics.DeadLettersDiscarded)
	i.claims = counter(metrics.ClaimsMade)
	i.backendErrors = counter(metrics.BackendErrors)
	i.eventsDropped = counter(metrics.EventsDropped)
	i.taskDuration = histogram(metrics.TaskDuration)
	i.scheduleToStart = histogram(metrics.ScheduleToStart)
	i.executionDuration = histogram(metrics.ExecutionDuration)
	i.claimDuration = histogram(metrics.ClaimDuration).WithLabelValues()
	i.commitDuration = histogram(metrics.CommitDuration).WithLabelValues()
	i.commitBatchSize = histogram(metrics.CommitBatchSize).WithLabelValues()

	// A counter that is born at 1 is no increase to a query: known values begin at 0.
	for vec, values := range map[*prom.CounterVec][]string{
		i.leaseRenewals: {"renewed", "lost", "error"},
		i.claims:        {"tasks", "empty", "error"},
		i.eventsDropped: {"full", "panic"},
	} {
		for _, value := range values {
			vec.WithLabelValues(value)
		}
	}
	for _, fault := range backend.Faults() { // every outage is met by commits
		i.backendErrors.WithLabelValues("commit", string(fault))
	}
	for _, m := range metrics.All() {
		if m.Kind == metrics.Gauge {
			i.gauges[m.Name] = prom.NewDesc(s.name(m), help(m), m.Labels, s.labels)
		}
	}
	i.folded = prom.NewDesc(s.name(metrics.LabelValuesFolded), help(metrics.LabelValuesFolded), metrics.LabelValuesFolded.Labels, s.labels)
	return i
}

func help(m metrics.Metric) string { return m.Help + "." }

func (i *instruments) newTask(queue, step, kind string) *task {
	return &task{
		claimed:   i.tasksClaimed.WithLabelValues(queue, step, kind),
		completed: i.tasksCompleted.WithLabelValues(queue, step, kind),
		retrying:  i.tasksFailed.WithLabelValues(queue, step, "true"),
		failed:    i.tasksFailed.WithLabelValues(queue, step, "false"),
		dead:      i.deadLetters.WithLabelValues(queue, step),
		poisoned:  i.tasksPoisoned.WithLabelValues(queue, step),
		duration:  i.taskDuration.WithLabelValues(queue, step),

		scheduleToStart: i.scheduleToStart.WithLabelValues(queue),
	}
}

func (i *instruments) newWorkflow(name string) *workflow {
	w := &workflow{
		started:  i.executionsStarted.WithLabelValues(name),
		finished: map[backend.State]prom.Counter{},
		duration: i.executionDuration.WithLabelValues(name),
	}
	for _, state := range backend.States {
		if state.Final() {
			w.finished[state] = i.executionsFinished.WithLabelValues(name, string(state))
		}
	}
	return w
}

func (i *instruments) newQueue(name string) *queue {
	return &queue{
		takeovers: i.leaseTakeovers.WithLabelValues(name),
		replayed:  i.replayed.WithLabelValues(name),
		discarded: i.discarded.WithLabelValues(name),
	}
}
