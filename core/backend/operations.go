package backend

import (
	"context"
	"time"
)

// Queues is the switches of queues.
type Queues interface {
	// PauseQueue lets no claim that begins later take anything from a queue, until it is resumed. Watchers are told, so
	// that each worker soon learns of it by a claim's Paused. The queue need not hold anything. Pausing one that is paused
	// changes nothing, also not who paused it, and leaves no trace in the audit.
	PauseQueue(ctx context.Context, queue, actor string) error

	// ResumeQueue undoes it, and tells watchers. A queue that is not paused stays as it is.
	ResumeQueue(ctx context.Context, queue, actor string) error

	// PausedQueues lists the queues that are paused, by name.
	PausedQueues(ctx context.Context) ([]PausedQueue, error)
}

// PausedQueue is a queue that nothing is claimed from.
type PausedQueue struct {
	Name  string
	At    time.Time
	Actor string
}

// Auditor keeps what people did.
type Auditor interface {
	// Audit lists what people did, newest first.
	Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, error)

	// Note adds an entry: Actor, Action, Task, Subject and Detail; N and At are the database's.
	Note(ctx context.Context, e AuditEntry) error
}

// Actions that are audited. Those with a comment are about a subject, the others about a task.
const (
	ActionReplay      = "replay"
	ActionDiscard     = "discard"
	ActionCancel      = "cancel"       // of an execution: its orchestrator
	ActionPauseQueue  = "pause_queue"  // the queue
	ActionResumeQueue = "resume_queue" // the queue
	ActionCleanup     = "cleanup"      // no subject

	ActionPutSchedule     = "put_schedule" // the schedule, as in the following
	ActionPauseSchedule   = "pause_schedule"
	ActionResumeSchedule  = "resume_schedule"
	ActionTriggerSchedule = "trigger_schedule"
	ActionDeleteSchedule  = "delete_schedule"
)

// AuditEntry is one thing that somebody did.
type AuditEntry struct {
	N       int64 // grows with every entry
	At      time.Time
	Actor   string
	Action  string
	Task    TaskID // zero where it is not about a task
	Subject string // what else it is about: see the actions
	Detail  string // for people
}

// AuditFilter chooses entries. Zero fields choose all.
type AuditFilter struct {
	Actor     string
	Action    string
	Execution string
	Task      TaskID
	Subject   string
	Since     time.Time // then or later
	Limit     int       // 0 means 100
	Before    int64     // N of the last entry of the page before
}
