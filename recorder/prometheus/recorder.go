package prometheus

import (
	"context"
	"sync"
	"sync/atomic"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
)

var (
	_ core.MetricsRecorder = (*Recorder)(nil)
	_ prom.Collector       = (*Recorder)(nil)
)

// Recorder counts in memory and is read when it is scraped. It is safe for concurrent use, and several engines on one
// database can share it; for two databases make two, with a label of [WithConstLabels] that tells them apart. It embeds
// core's NopRecorder, so that an event it does not know is no error.
type Recorder struct {
	core.NopRecorder

	samplesOnly bool
	exemplar    Exemplar
	budget      *budget.Budget
	gatherer    prom.Gatherer
	*instruments

	tasks     *budget.Cache[task]
	workflows *budget.Cache[workflow]
	queues    *budget.Cache[queue]
	renewals  *budget.Cache[series]
	asked     *budget.Cache[series]

	mu      sync.RWMutex
	sources []core.MetricsSource

	sample atomic.Pointer[core.Sample]
}

// The structs below are what is found once for a task, a workflow or a queue, instead of with each event.
type task struct {
	claimed, completed, retrying, failed, dead, poisoned prom.Counter
	duration, scheduleToStart                            prom.Observer
}

type workflow struct {
	started  prom.Counter
	finished map[backend.State]prom.Counter
	duration prom.Observer
}

type queue struct {
	takeovers, replayed, discarded prom.Counter
}

type series struct{ prom.Counter }

// makeCaches prepares what finds them; they are made, with zeros, where they are not there.
func (r *Recorder) makeCaches() {
	r.tasks = budget.NewCache(r.budget, [3]string{metrics.LabelQueue, metrics.LabelStep}, r.newTask)
	r.workflows = budget.NewCache(r.budget, [3]string{metrics.LabelWorkflow}, func(name, _, _ string) *workflow { return r.newWorkflow(name) })
	r.queues = budget.NewCache(r.budget, [3]string{metrics.LabelQueue}, func(name, _, _ string) *queue { return r.newQueue(name) })
	one := func(vec *prom.CounterVec) *budget.Cache[series] {
		return budget.NewCache(r.budget, [3]string{}, func(value, _, _ string) *series { return &series{vec.WithLabelValues(value)} })
	}
	r.renewals, r.asked = one(r.leaseRenewals), one(r.claims)
}

func (r *Recorder) task(queue, step string, kind backend.Kind) *task {
	return r.tasks.Get(queue, step, string(kind))
}

func (r *Recorder) workflow(name string) *workflow { return r.workflows.Get(name, "", "") }

func (r *Recorder) queue(name string) *queue { return r.queues.Get(name, "", "") }

// observe adds an observation, with an exemplar if there is a trace to point to.
func (r *Recorder) observe(ctx context.Context, o prom.Observer, seconds float64) {
	if r.exemplar != nil {
		if trace, span, ok := r.exemplar(ctx); ok {
			if o, ok := o.(prom.ExemplarObserver); ok {
				o.ObserveWithExemplar(seconds, prom.Labels{"trace_id": trace, "span_id": span})
				return
			}
		}
	}
	o.Observe(seconds)
}

// TaskClaimed counts the task and how long it waited.
func (r *Recorder) TaskClaimed(ctx context.Context, e core.TaskClaimed) {
	t := r.task(e.Queue, e.Step, e.Kind)
	t.claimed.Inc()
	r.observe(ctx, t.scheduleToStart, e.ScheduleToStart.Seconds())
}

// TaskCompleted counts the task and how long it took.
func (r *Recorder) TaskCompleted(ctx context.Context, e core.TaskCompleted) {
	t := r.task(e.Queue, e.Step, e.Kind)
	t.completed.Inc()
	r.observe(ctx, t.duration, e.Duration.Seconds())
}

// TaskFailed counts the attempt.
func (r *Recorder) TaskFailed(_ context.Context, e core.TaskFailed) {
	t := r.task(e.Queue, e.Step, e.Kind)
	if e.Retrying {
		t.retrying.Inc()
	} else {
		t.failed.Inc()
	}
}

// DeadLettered counts the dead letter.
func (r *Recorder) DeadLettered(_ context.Context, e core.DeadLettered) {
	t := r.task(e.Queue, e.Step, e.Kind)
	t.dead.Inc()
	if e.Poisoned {
		t.poisoned.Inc()
	}
}

// LeaseRenewed counts the heartbeat.
func (r *Recorder) LeaseRenewed(_ context.Context, e core.LeaseRenewed) {
	r.renewals.Get(string(e.Result), "", "").Inc()
}

// LeaseTakenOver counts the task.
func (r *Recorder) LeaseTakenOver(_ context.Context, e core.LeaseTakenOver) {
	r.queue(e.Queue).takeovers.Inc()
}

// WriteFenced counts the write.
func (r *Recorder) WriteFenced(context.Context, core.WriteFenced) { r.fencedWrites.Inc() }

// ExecutionStarted counts the execution.
func (r *Recorder) ExecutionStarted(_ context.Context, e core.ExecutionStarted) {
	r.workflow(e.Workflow).started.Inc()
}

// ExecutionFinished counts the execution and how long it took.
func (r *Recorder) ExecutionFinished(ctx context.Context, e core.ExecutionFinished) {
	w := r.workflow(e.Workflow)
	if c := w.finished[e.State]; c != nil {
		c.Inc()
	}
	r.observe(ctx, w.duration, e.Duration.Seconds())
}

// DeadLetterReplayed counts the dead letter.
func (r *Recorder) DeadLetterReplayed(_ context.Context, e core.DeadLetterReplayed) {
	r.queue(e.Queue).replayed.Inc()
}

// DeadLetterDiscarded counts the dead letter.
func (r *Recorder) DeadLetterDiscarded(_ context.Context, e core.DeadLetterDiscarded) {
	r.queue(e.Queue).discarded.Inc()
}

// ClaimEnded counts the question and how long its answer took.
func (r *Recorder) ClaimEnded(_ context.Context, e core.ClaimEnded) {
	r.asked.Get(string(e.Result), "", "").Inc()
	r.claimDuration.Observe(e.Duration.Seconds())
}

// BatchCommitted counts the transaction.
func (r *Recorder) BatchCommitted(_ context.Context, e core.BatchCommitted) {
	r.commitDuration.Observe(e.Duration.Seconds())
	r.commitBatchSize.Observe(float64(e.Commands))
}

// BackendFailed counts the error.
func (r *Recorder) BackendFailed(_ context.Context, e core.BackendFailed) {
	r.backendErrors.WithLabelValues(e.Operation, string(e.Fault)).Inc()
}

// EventsDropped counts what this recorder was not told.
func (r *Recorder) EventsDropped(_ context.Context, e core.EventsDropped) {
	r.eventsDropped.WithLabelValues(string(e.Reason)).Add(float64(e.Events))
}

// Sampled keeps the sample until the next one.
func (r *Recorder) Sampled(_ context.Context, s *core.Sample) { r.sample.Store(s) }

// Attach lets the recorder ask how an engine stands when it is scraped. [core.New] calls it.
func (r *Recorder) Attach(source core.MetricsSource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, source)
}
