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

	mu        sync.RWMutex
	tasks     map[taskKey]*task
	workflows map[string]*workflow
	queues    map[string]*queue
	sources   []core.MetricsSource

	sample atomic.Pointer[core.Sample]
}

// taskKey and the structs below are what is found once for a task, a workflow or a queue, instead of with each event.
type taskKey struct {
	queue, step  string
	orchestrator bool
}

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
	scheduleToStart                prom.Observer
	takeovers, replayed, discarded prom.Counter
}

// task finds what belongs to a task; it is made, with zeros, where it is not there.
func (r *Recorder) task(queue, step string, kind backend.Kind) *task {
	key := taskKey{queue, step, kind == backend.Orchestrator}
	r.mu.RLock()
	t := r.tasks[key]
	r.mu.RUnlock()
	if t != nil {
		return t
	}
	folded := taskKey{r.budget.Fold(metrics.LabelQueue, queue), r.budget.Fold(metrics.LabelStep, step), key.orchestrator}
	inQueue := r.queue(folded.queue)
	r.mu.Lock()
	defer r.mu.Unlock()
	if t = r.tasks[folded]; t == nil {
		t = r.newTask(folded.queue, folded.step, kind)
		t.scheduleToStart = inQueue.scheduleToStart
		r.tasks[folded] = t
	}
	return t
}

func (r *Recorder) workflow(name string) *workflow {
	r.mu.RLock()
	w := r.workflows[name]
	r.mu.RUnlock()
	if w != nil {
		return w
	}
	folded := r.budget.Fold(metrics.LabelWorkflow, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if w = r.workflows[folded]; w == nil {
		w = r.newWorkflow(folded)
		r.workflows[folded] = w
	}
	return w
}

func (r *Recorder) queue(name string) *queue {
	r.mu.RLock()
	q := r.queues[name]
	r.mu.RUnlock()
	if q != nil {
		return q
	}
	folded := r.budget.Fold(metrics.LabelQueue, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if q = r.queues[folded]; q == nil {
		q = r.newQueue(folded)
		r.queues[folded] = q
	}
	return q
}

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
	r.leaseRenewals.WithLabelValues(string(e.Result)).Inc()
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
	r.claims.WithLabelValues(string(e.Result)).Inc()
	r.claimDuration.Observe(e.Duration.Seconds())
}

// BatchCommitted counts the transaction.
func (r *Recorder) BatchCommitted(_ context.Context, e core.BatchCommitted) {
	r.commitDuration.Observe(e.Duration.Seconds())
	r.commitBatchSize.Observe(float64(e.Commands))
}

// BackendFailed counts the error.
func (r *Recorder) BackendFailed(_ context.Context, e core.BackendFailed) {
	r.backendErrors.WithLabelValues(e.Operation).Inc()
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
