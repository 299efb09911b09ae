package core

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// MetricsRecorder is told what an engine does, one method an event. [WithMetrics] installs it; embed [NopRecorder], so
// that a new event breaks nobody.
//
// An event is told after the fact was committed: what a crash took back is never told, and an attempt whose result was
// refused is a [WriteFenced] and no [TaskCompleted]. What an event says of a task is what the database holds of it.
//
// Each recorder has a goroutine of its own that calls it, one event at a time, in the order in which they happened as far
// as there is one. It may be called by several engines at once. A recorder that panics loses that event; one that is too
// slow loses the events that do not fit into its queue (16,384). Both are logged and told by [EventsDropped], and
// neither costs a task anything.
//
// The context carries what the task's did, for exemplars; it may have ended, and no call is to be made with it. For
// events of no task it is empty.
type MetricsRecorder interface {
	// TaskClaimed tells that a worker began to work on a task.
	TaskClaimed(ctx context.Context, e TaskClaimed)
	// TaskCompleted tells that a task ended with a result.
	TaskCompleted(ctx context.Context, e TaskCompleted)
	// TaskFailed tells that an attempt at a task failed, or that its time was over.
	TaskFailed(ctx context.Context, e TaskFailed)
	// DeadLettered tells that a task was moved to the dead letters. A TaskFailed came before it.
	DeadLettered(ctx context.Context, e DeadLettered)
	// LeaseRenewed tells how a heartbeat went.
	LeaseRenewed(ctx context.Context, e LeaseRenewed)

	// LeaseTakenOver tells that a task is due again because its worker's lease ran out.
	LeaseTakenOver(ctx context.Context, e LeaseTakenOver)
	// WriteFenced tells that a write of a worker changed nothing, since its task was no longer its own.
	WriteFenced(ctx context.Context, e WriteFenced)
	// ExecutionStarted tells that an execution was started. One of Workflow.StartTx is not told: whether its transaction
	// was committed is the caller's knowledge.
	ExecutionStarted(ctx context.Context, e ExecutionStarted)
	// ExecutionFinished tells that an execution ended, once.
	ExecutionFinished(ctx context.Context, e ExecutionFinished)
	// DeadLetterReplayed tells that a dead letter was put back to work.
	DeadLetterReplayed(ctx context.Context, e DeadLetterReplayed)
	// DeadLetterDiscarded tells that a dead letter was removed.
	DeadLetterDiscarded(ctx context.Context, e DeadLetterDiscarded)

	// ClaimEnded tells how a question for work went.
	ClaimEnded(ctx context.Context, e ClaimEnded)
	// BatchCommitted tells of a transaction that the engine wrote.
	BatchCommitted(ctx context.Context, e BatchCommitted)
	// BackendFailed tells of an error of the database.
	BackendFailed(ctx context.Context, e BackendFailed)
	// EventsDropped tells of events that this recorder was not told.
	EventsDropped(ctx context.Context, e EventsDropped)
	// Sampled hands over what the sampler read from the database, or that it could not.
	Sampled(ctx context.Context, s *Sample)
}

// TaskClaimed is an attempt at an activity, or an orchestrator that was taken into memory, which may happen several
// times in its life.
type TaskClaimed struct {
	Queue           string
	Step            string // the activity's name, or, of an orchestrator, the workflow's
	Kind            backend.Kind
	ScheduleToStart time.Duration // from when the task was due, by the database's clock
}

// TaskCompleted is a task that ended with a result.
type TaskCompleted struct {
	Queue    string
	Step     string
	Kind     backend.Kind
	Duration time.Duration // of the attempt; of an orchestrator: since it was last taken into memory
}

// TaskFailed is an attempt that failed.
type TaskFailed struct {
	Queue    string
	Step     string
	Kind     backend.Kind
	Reason   string        // one line; never fit for a label
	Retrying bool          // the task is tried again; else it has failed for good
	Duration time.Duration // as of TaskCompleted; 0 where no attempt was under way
}

// DeadLettered is a task that will not be tried again by itself.
type DeadLettered struct {
	Queue    string
	Step     string
	Kind     backend.Kind
	Reason   string // one line; never fit for a label
	Poisoned bool   // workers died of it too often
}

// LeaseRenewed is a heartbeat of a worker.
type LeaseRenewed struct {
	Worker string
	Result RenewalResult
}

// RenewalResult is how a heartbeat went.
type RenewalResult string

const (
	Renewed      RenewalResult = "renewed" // the lease goes on
	RenewalLost  RenewalResult = "lost"    // the lease was not the worker's any more, or it is over and could not be renewed
	RenewalError RenewalResult = "error"   // it is tried again
)

// LeaseTakenOver is a task whose worker died.
type LeaseTakenOver struct {
	Queue  string
	Step   string
	Kind   backend.Kind
	Worker string // that died
}

// WriteFenced is a write that was refused.
type WriteFenced struct {
	Execution string
	Worker    string // that wrote
}

// ExecutionStarted is a new execution.
type ExecutionStarted struct {
	Workflow string
	Queue    string
}

// ExecutionFinished is an execution that has ended.
type ExecutionFinished struct {
	Workflow string
	State    backend.State // a final one
	Duration time.Duration // since its start, by the database's clock
}

// DeadLetterReplayed is a dead letter that is at work again.
type DeadLetterReplayed struct {
	Queue string // where it was dead
	Step  string
}

// DeadLetterDiscarded is a dead letter that was removed.
type DeadLetterDiscarded struct {
	Queue string
	Step  string
}

// ClaimEnded is the answer to a question for work.
type ClaimEnded struct {
	Result   ClaimResult
	Tasks    int
	Duration time.Duration // with the wait for the transaction before it
}

// ClaimResult is how a question for work went.
type ClaimResult string

const (
	ClaimTasks ClaimResult = "tasks" // there were some
	ClaimEmpty ClaimResult = "empty" // nothing was due
	ClaimError ClaimResult = "error" // the database did not answer
)

// BatchCommitted is a transaction.
type BatchCommitted struct {
	Commands int
	Duration time.Duration
}

// BackendFailed is an error of the database.
type BackendFailed struct {
	Operation string // commit, history, held, register, renew, reap, retire, sample
	Fault     backend.Fault
}

// EventsDropped are events that a recorder was not told.
type EventsDropped struct {
	Events int
	Reason DropReason
}

// DropReason is why a recorder was not told of an event.
type DropReason string

const (
	QueueFull DropReason = "full"  // it did not keep up
	Panicked  DropReason = "panic" // it panicked
)

// MetricsSource is how this process stands, to be asked at any time, as when the metrics are scraped. A recorder with a
// method Attach(MetricsSource) is given it by [New].
type MetricsSource interface {
	ProcessGauges() ProcessGauges
	// KnownTasks are the tasks that the workers of this process may work on, so that their counters can be shown as zero
	// before the first one counts.
	KnownTasks() []KnownTask
}

// ProcessGauges are how the workers of this process stand.
type ProcessGauges struct {
	Slots        int // of all workers
	SlotsUsed    int // activities that run
	Ready        bool
	LastProgress time.Time // when a task last began or ended; zero if none has
	Version      string    // of Stent; "unknown" if the program was built without modules
	Backend      string    // its name
}

// KnownTask is a step in a queue.
type KnownTask struct {
	Queue string
	Step  string
	Kind  backend.Kind
	SLO   float64 // the objective that it declares, see [SLO]; 0 where it declares none
}

// NopRecorder ignores everything.
type NopRecorder struct{}

var _ MetricsRecorder = NopRecorder{}

// TaskClaimed does nothing.
func (NopRecorder) TaskClaimed(context.Context, TaskClaimed) {}

// TaskCompleted does nothing.
func (NopRecorder) TaskCompleted(context.Context, TaskCompleted) {}

// TaskFailed does nothing.
func (NopRecorder) TaskFailed(context.Context, TaskFailed) {}

// DeadLettered does nothing.
func (NopRecorder) DeadLettered(context.Context, DeadLettered) {}

// LeaseRenewed does nothing.
func (NopRecorder) LeaseRenewed(context.Context, LeaseRenewed) {}

// LeaseTakenOver does nothing.
func (NopRecorder) LeaseTakenOver(context.Context, LeaseTakenOver) {}

// WriteFenced does nothing.
func (NopRecorder) WriteFenced(context.Context, WriteFenced) {}

// ExecutionStarted does nothing.
func (NopRecorder) ExecutionStarted(context.Context, ExecutionStarted) {}

// ExecutionFinished does nothing.
func (NopRecorder) ExecutionFinished(context.Context, ExecutionFinished) {}

// DeadLetterReplayed does nothing.
func (NopRecorder) DeadLetterReplayed(context.Context, DeadLetterReplayed) {}

// DeadLetterDiscarded does nothing.
func (NopRecorder) DeadLetterDiscarded(context.Context, DeadLetterDiscarded) {}

// ClaimEnded does nothing.
func (NopRecorder) ClaimEnded(context.Context, ClaimEnded) {}

// BatchCommitted does nothing.
func (NopRecorder) BatchCommitted(context.Context, BatchCommitted) {}

// BackendFailed does nothing.
func (NopRecorder) BackendFailed(context.Context, BackendFailed) {}

// EventsDropped does nothing.
func (NopRecorder) EventsDropped(context.Context, EventsDropped) {}

// Sampled does nothing.
func (NopRecorder) Sampled(context.Context, *Sample) {}
