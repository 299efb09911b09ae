package otel

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/recorder/budget"
)

var _ core.MetricsRecorder = (*Recorder)(nil)

// Recorder adds to instruments. It is safe for concurrent use, and several engines on one database can share it. Contexts
// of events go to the SDK's histograms, which take exemplars from them. Counters are kept here and told when the SDK collects.
type Recorder struct {
	core.NopRecorder

	budget *budget.Budget
	gauged metric.Registration
	*instruments

	tasks     *budget.Cache[task]
	workflows *budget.Cache[workflow]
	ends      *budget.Cache[count]
	queues    *budget.Cache[queue]
	claims    *budget.Cache[count]
	renewals  *budget.Cache[count]
	reasons   *budget.Cache[count]
	failures  *budget.Cache[count]
	fenced    *count

	mu      sync.Mutex
	sources []core.MetricsSource
	sample  atomic.Pointer[core.Sample]
	counts  map[countKey]*count // all that there are
}

// count is a counter's value for one set of attributes. An instrument of the SDK that counts by itself takes ten times as
// long for each event.
type count struct {
	n          atomic.Int64
	instrument metric.Int64ObservableCounter
	attributes metric.ObserveOption
}

type countKey struct {
	instrument metric.Int64ObservableCounter
	attributes attribute.Distinct
}

// recorded are a histogram's attributes in the form that it takes, made once so that a call allocates nothing.
type recorded []metric.RecordOption

type task struct {
	claimed, completed, retrying, failed, dead, poisoned *count
	duration                                             recorded
	// By the conventions for messaging; nil unless asked for.
	consumed                 *count
	processed, processFailed recorded
}

type workflow struct {
	started  *count
	duration recorded
}

type queue struct {
	scheduleToStart                recorded
	takeovers, replayed, discarded *count
}

// Close ends the observation of gauges. Counters and histograms stay with their provider until it is shut down.
func (r *Recorder) Close() error { return r.gauged.Unregister() }

// TaskClaimed counts the task and how long it waited.
func (r *Recorder) TaskClaimed(ctx context.Context, e core.TaskClaimed) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	t.claimed.n.Add(1)
	r.scheduleToStart.Record(ctx, e.ScheduleToStart.Seconds(), r.queues.Get(e.Queue, "", "").scheduleToStart...)
	if t.consumed != nil {
		t.consumed.n.Add(1)
	}
}

// TaskCompleted counts the task and how long it took.
func (r *Recorder) TaskCompleted(ctx context.Context, e core.TaskCompleted) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	t.completed.n.Add(1)
	r.taskDuration.Record(ctx, e.Duration.Seconds(), t.duration...)
	if r.processed != nil {
		r.processed.Record(ctx, e.Duration.Seconds(), t.processed...)
	}
}

// TaskFailed counts the attempt.
func (r *Recorder) TaskFailed(ctx context.Context, e core.TaskFailed) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	if e.Retrying {
		t.retrying.n.Add(1)
	} else {
		t.failed.n.Add(1)
	}
	if r.processed != nil {
		r.processed.Record(ctx, e.Duration.Seconds(), t.processFailed...)
	}
}

// DeadLettered counts the dead letter.
func (r *Recorder) DeadLettered(_ context.Context, e core.DeadLettered) {
	t := r.tasks.Get(e.Queue, e.Step, string(e.Kind))
	t.dead.n.Add(1)
	if e.Poisoned {
		t.poisoned.n.Add(1)
	}
}

// LeaseRenewed counts the heartbeat.
func (r *Recorder) LeaseRenewed(_ context.Context, e core.LeaseRenewed) {
	r.renewals.Get(string(e.Result), "", "").n.Add(1)
}

// LeaseTakenOver counts the task.
func (r *Recorder) LeaseTakenOver(_ context.Context, e core.LeaseTakenOver) {
	r.queues.Get(e.Queue, "", "").takeovers.n.Add(1)
}

// WriteFenced counts the write.
func (r *Recorder) WriteFenced(context.Context, core.WriteFenced) { r.fenced.n.Add(1) }

// ExecutionStarted counts the execution.
func (r *Recorder) ExecutionStarted(_ context.Context, e core.ExecutionStarted) {
	r.workflows.Get(e.Workflow, "", "").started.n.Add(1)
}

// ExecutionFinished counts the execution and how long it took.
func (r *Recorder) ExecutionFinished(ctx context.Context, e core.ExecutionFinished) {
	r.ends.Get(e.Workflow, string(e.State), "").n.Add(1)
	r.executionDuration.Record(ctx, e.Duration.Seconds(), r.workflows.Get(e.Workflow, "", "").duration...)
}

// DeadLetterReplayed counts the dead letter.
func (r *Recorder) DeadLetterReplayed(_ context.Context, e core.DeadLetterReplayed) {
	r.queues.Get(e.Queue, "", "").replayed.n.Add(1)
}

// DeadLetterDiscarded counts the dead letter.
func (r *Recorder) DeadLetterDiscarded(_ context.Context, e core.DeadLetterDiscarded) {
	r.queues.Get(e.Queue, "", "").discarded.n.Add(1)
}

// ClaimEnded counts the question and how long its answer took.
func (r *Recorder) ClaimEnded(ctx context.Context, e core.ClaimEnded) {
	r.claims.Get(string(e.Result), "", "").n.Add(1)
	r.claimDuration.Record(ctx, e.Duration.Seconds())
}

// BatchCommitted counts the transaction.
func (r *Recorder) BatchCommitted(ctx context.Context, e core.BatchCommitted) {
	r.commitDuration.Record(ctx, e.Duration.Seconds())
	r.commitBatchSize.Record(ctx, float64(e.Commands))
}

// BackendFailed counts the error.
func (r *Recorder) BackendFailed(_ context.Context, e core.BackendFailed) {
	r.failures.Get(e.Operation, string(e.Fault), "").n.Add(1)
}

// EventsDropped counts what this recorder was not told.
func (r *Recorder) EventsDropped(_ context.Context, e core.EventsDropped) {
	r.reasons.Get(string(e.Reason), "", "").n.Add(int64(e.Events))
}

// Sampled keeps the sample until the next one; it is observed when the SDK collects.
func (r *Recorder) Sampled(_ context.Context, s *core.Sample) { r.sample.Store(s) }

// Attach lets the recorder ask how an engine stands when the SDK collects. [core.New] calls it.
func (r *Recorder) Attach(source core.MetricsSource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, source)
}
