package otel

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/recorder/budget"
)

var _ core.MetricsRecorder = (*Recorder)(nil)

// Recorder adds to instruments. It is safe for concurrent use, and several engines on one database can share it. Contexts
// of events go to the SDK, which takes exemplars from them.
type Recorder struct {
	core.NopRecorder

	budget       *budget.Budget
	registration metric.Registration
	*instruments

	tasks     *budget.Cache[task]
	attempts  *budget.Cache[attempt]
	workflows *budget.Cache[attributes]
	ends      *budget.Cache[attributes]
	queues    *budget.Cache[attributes]
	results   *budget.Cache[attributes]
	reasons   *budget.Cache[attributes]
	failures  *budget.Cache[attributes]

	mu      sync.Mutex
	sources []core.MetricsSource
	sample  atomic.Pointer[core.Sample]
}

// attributes are a set of attributes in the forms that instruments take, made once so that a call allocates nothing.
type attributes struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

type task struct {
	full  *attributes // with kind
	place *attributes // queue and step
	// By the conventions for messaging.
	consumed, processed, processFailed *attributes
}

type attempt struct{ retrying, failed *attributes }

// Close ends the observation of gauges. Nothing else needs closing.
func (r *Recorder) Close() error { return r.registration.Unregister() }

// TaskClaimed counts the task and how long it waited.
func (r *Recorder) TaskClaimed(ctx context.Context, e core.TaskClaimed) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	r.tasksClaimed.Add(ctx, 1, t.full.add...)
	r.scheduleToStart.Record(ctx, e.ScheduleToStart.Seconds(), r.queues.Get(e.Queue, "", "").record...)
	if r.consumed != nil {
		r.consumed.Add(ctx, 1, t.consumed.add...)
	}
}

// TaskCompleted counts the task and how long it took.
func (r *Recorder) TaskCompleted(ctx context.Context, e core.TaskCompleted) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	r.tasksCompleted.Add(ctx, 1, t.full.add...)
	r.taskDuration.Record(ctx, e.Duration.Seconds(), t.place.record...)
	if r.processed != nil {
		r.processed.Record(ctx, e.Duration.Seconds(), t.processed.record...)
	}
}

// TaskFailed counts the attempt.
func (r *Recorder) TaskFailed(ctx context.Context, e core.TaskFailed) {
	a := r.attempts.Get(e.Queue, e.Step, "")
	if e.Retrying {
		r.tasksFailed.Add(ctx, 1, a.retrying.add...)
	} else {
		r.tasksFailed.Add(ctx, 1, a.failed.add...)
	}
	if r.processed != nil {
		r.processed.Record(ctx, e.Duration.Seconds(), r.tasks.Get(e.Queue, e.Step, string(e.Kind)).processFailed.record...)
	}
}

// DeadLettered counts the dead letter.
func (r *Recorder) DeadLettered(ctx context.Context, e core.DeadLettered) {
	place := r.tasks.Get(e.Queue, e.Step, string(e.Kind)).place.add
	r.deadLetters.Add(ctx, 1, place...)
	if e.Poisoned {
		r.tasksPoisoned.Add(ctx, 1, place...)
	}
}

// LeaseRenewed counts the heartbeat.
func (r *Recorder) LeaseRenewed(ctx context.Context, e core.LeaseRenewed) {
	r.leaseRenewals.Add(ctx, 1, r.results.Get(string(e.Result), "", "").add...)
}

// LeaseTakenOver counts the task.
func (r *Recorder) LeaseTakenOver(ctx context.Context, e core.LeaseTakenOver) {
	r.leaseTakeovers.Add(ctx, 1, r.queues.Get(e.Queue, "", "").add...)
}

// WriteFenced counts the write.
func (r *Recorder) WriteFenced(ctx context.Context, _ core.WriteFenced) { r.fencedWrites.Add(ctx, 1) }

// ExecutionStarted counts the execution.
func (r *Recorder) ExecutionStarted(ctx context.Context, e core.ExecutionStarted) {
	r.executionsStarted.Add(ctx, 1, r.workflows.Get(e.Workflow, "", "").add...)
}

// ExecutionFinished counts the execution and how long it took.
func (r *Recorder) ExecutionFinished(ctx context.Context, e core.ExecutionFinished) {
	r.executionsFinished.Add(ctx, 1, r.ends.Get(e.Workflow, string(e.State), "").add...)
	r.executionDuration.Record(ctx, e.Duration.Seconds(), r.workflows.Get(e.Workflow, "", "").record...)
}

// DeadLetterReplayed counts the dead letter.
func (r *Recorder) DeadLetterReplayed(ctx context.Context, e core.DeadLetterReplayed) {
	r.replayed.Add(ctx, 1, r.queues.Get(e.Queue, "", "").add...)
}

// DeadLetterDiscarded counts the dead letter.
func (r *Recorder) DeadLetterDiscarded(ctx context.Context, e core.DeadLetterDiscarded) {
	r.discarded.Add(ctx, 1, r.queues.Get(e.Queue, "", "").add...)
}

// ClaimEnded counts the question and how long its answer took.
func (r *Recorder) ClaimEnded(ctx context.Context, e core.ClaimEnded) {
	r.claims.Add(ctx, 1, r.results.Get(string(e.Result), "", "").add...)
	r.claimDuration.Record(ctx, e.Duration.Seconds())
}

// BatchCommitted counts the transaction.
func (r *Recorder) BatchCommitted(ctx context.Context, e core.BatchCommitted) {
	r.commitDuration.Record(ctx, e.Duration.Seconds())
	r.commitBatchSize.Record(ctx, float64(e.Commands))
}

// BackendFailed counts the error.
func (r *Recorder) BackendFailed(ctx context.Context, e core.BackendFailed) {
	r.backendErrors.Add(ctx, 1, r.failures.Get(e.Operation, string(e.Fault), "").add...)
}

// EventsDropped counts what this recorder was not told.
func (r *Recorder) EventsDropped(ctx context.Context, e core.EventsDropped) {
	r.eventsDropped.Add(ctx, int64(e.Events), r.reasons.Get(string(e.Reason), "", "").add...)
}

// Sampled keeps the sample until the next one; it is observed when the SDK collects.
func (r *Recorder) Sampled(_ context.Context, s *core.Sample) { r.sample.Store(s) }

// Attach lets the recorder ask how an engine stands when the SDK collects. [core.New] calls it.
func (r *Recorder) Attach(source core.MetricsSource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, source)
}
