package backend

import (
	"encoding/json"
	"time"
)

// State is where a task or an execution stands.
type State string

const (
	Pending    State = "pending"    // in its queue, due now or later
	Running    State = "running"    // leased to a worker
	Waiting    State = "waiting"    // an orchestrator without a lease, until something it waits for happens; a timer, signal or child's end that is not there yet
	Cancelling State = "cancelling" // an execution that is asked to stop and has not yet; never a task's state
	Completed  State = "completed"  // it has a result
	Failed     State = "failed"     // for good; there is a dead letter
	Cancelled  State = "cancelled"  // it was asked to stop, and has
	TimedOut   State = "timed_out"  // its time was over
)

// States lists every state, in the order of a life.
var States = []State{Pending, Running, Waiting, Cancelling, Completed, Failed, Cancelled, TimedOut}

// Final tells whether nothing follows the state by itself.
func (s State) Final() bool {
	return s == Completed || s == Failed || s == Cancelled || s == TimedOut
}

// Kind is what a task does. Only orchestrators and activities are leased to workers; the other kinds are entries of
// an execution's history.
type Kind string

const (
	Orchestrator Kind = "orchestrator" // the workflow itself
	Activity     Kind = "activity"     // a call of an activity
	Timer        Kind = "timer"        // a durable sleep
	SignalWait   Kind = "signal"       // a wait for one signal
	SideEffect   Kind = "side_effect"  // a recorded value: time, id, random number, choice
	Child        Kind = "child"        // a call of a workflow, which is an execution of its own
	Cancellation Kind = "cancel"       // the place at which the workflow was told that it is to stop
)

// Execution is one run of a workflow together with its orchestrator task: they begin and end with the same write, so
// they are one row.
type Execution struct {
	ID       string
	Workflow string
	Queue    string
	Priority int
	Tags     []string

	State     State // pending, running, cancelling or final: what a user calls the execution's state
	TaskState State // the orchestrator's own: pending, running, waiting or final
	Due       time.Time
	Worker    string // who holds the orchestrator, or held it last
	Token     int64
	Attempt   int // of the orchestrator, from 1
	Crashes   int // lost leases since the last success
	Policy    []byte

	Input     []byte
	InputHash int64
	Result    []byte
	Failure   *Failure
	Cause     *TaskID // the dead letter that made the execution fail, where it was another task's

	Created  time.Time
	Started  time.Time // zero until the first claim
	Finished time.Time // zero until it ends
	Deadline time.Time // zero without a maximal duration

	CancelRequested time.Time // when it was asked to stop; zero if it was not

	Metadata map[string]string
	Carrier  map[string]string // trace context and baggage

	// Wakes counts what happened to the execution while a worker held its orchestrator; see Yield.Seen.
	Wakes int

	Effects int // counter and state changes that are already in the database

	// Parent is the entry of another execution's history that this execution is the call of; nil where it was started by
	// itself. That execution may have been deleted since.
	Parent *TaskID

	Run  int // how often it has begun anew, from 1; see Continue
	Base int // the place after which the history of this run begins; 0 for the first

	// Healed is the part of the history, as places (from, to], that was written after a failure that a replay has
	// since taken back. An entry there that no longer fits the workflow is set aside and is no non-determinism.
	HealedFrom, HealedTo int
}

// Task is one entry of an execution's history, or its orchestrator.
type Task struct {
	ID       TaskID
	Key      string
	Kind     Kind
	Step     string // the activity's, signal's or workflow's name
	Workflow string // of the execution
	Queue    string
	Priority int
	Tags     []string

	State   State
	Due     time.Time // when it may be claimed; of a timer or a wait with a timeout: when it fires; zero for never
	Worker  string
	Token   int64
	Attempt int // from 1
	Crashes int
	Policy  []byte

	Input     []byte
	InputHash int64
	Result    []byte
	Failure   *Failure
	Detail    []byte // of an activity: what it last said of how far it is; see Beat

	Created  time.Time
	Started  time.Time
	Finished time.Time

	Child    string // of a Child: the id of its execution
	Detached bool   // of a Child: it goes on when this execution ends

	LeaseUntil time.Time // of a running task: until when its worker's lease holds; only from Inspector.Tasks
}

// Failure is why a task failed, as it is kept.
type Failure struct {
	Type    string `json:"type,omitempty"` // the Go type of the innermost error, for people and for grouping
	Message string `json:"message"`
	Stack   string `json:"stack,omitempty"` // of a panic
	Code    string `json:"code,omitempty"`  // set by the engine: see the Code constants of the core package
	Cause   string `json:"cause,omitempty"` // text form of the id of the task whose failure this is in truth

	Limit time.Duration `json:"limit_ns,omitempty"` // of a timeout, whose kind is the code
}

// Attempt is a failed try at a task.
type Attempt struct {
	Task    TaskID
	Attempt int
	Worker  string
	Failure Failure
	At      time.Time
	Retried bool // false for the try that ended the task

	Token   int64     // the task's at that time; 0 where that was not kept
	Started time.Time // zero where that was not kept
}

// Signal is a message to an execution that has not been consumed.
type Signal struct {
	Seq     int64 // order of arrival within the execution
	ID      string
	Name    string
	Payload []byte
	Sent    time.Time
}

// History is all that a worker needs to bring an execution into its memory.
type History struct {
	Execution Execution
	Tasks     []Task   // by Seq; of the present run, without the orchestrator
	Signals   []Signal // by Seq; not consumed
	Now       time.Time
}

// Known is how much is known of an execution of which news is asked for.
type Known struct {
	Execution string
	Seq       int // of every task up to this place no news is wanted: it has ended, or is not for others to end
}

// DeadLetter is a task that will not be tried again by itself.
type DeadLetter struct {
	N        int64 // grows with every dead letter
	Task     TaskID
	Workflow string
	Step     string
	Kind     Kind
	Queue    string
	Tags     []string
	Attempts int
	Crashes  int
	Reason   string // one line
	Failure  Failure
	TraceID  string
	Moved    time.Time

	Errors []Attempt // oldest first; only from DeadLetters.DeadLetter
}

// Worker is one Serve of one process.
type Worker struct {
	ID       string
	Host     string
	PID      int
	Queues   []string
	Tags     []string
	Steps    []string       // the names that it has handlers for
	Limits   map[string]int // the most of an activity that run at once on all workers, by name; see Claim.Limits
	Slots    int
	Used     int
	State    WorkerState
	Version  string
	Started  time.Time
	Renewed  time.Time
	LeaseEnd time.Time
}

// WorkerState is where a worker stands.
type WorkerState string

const (
	WorkerStarting WorkerState = "starting" // it is registered and claims nothing yet
	WorkerReady    WorkerState = "ready"    // it claims
	WorkerDraining WorkerState = "draining" // it ends what it has, and claims no more
	WorkerStopped  WorkerState = "stopped"  // it has ended, or was declared dead
	WorkerDead     WorkerState = "dead"     // its lease ran out; said by another worker
)

// QueueStats are the counts of one queue at one moment.
type QueueStats struct {
	Queue     string
	Depth     int64 // due and not claimed
	Scheduled int64 // due later: delayed, backing off or sleeping
	Running   int64 // activities and orchestrators with a lease
	Dead      int64 // dead letters
	Workers   int64 // that serve it and whose lease stands
	Paused    bool

	OldestDue     time.Time // of those in Depth; zero where there is none
	OldestRunning time.Time // when the activity began that has been running longest; zero where none runs
	OldestDead    time.Time // of the dead letters; zero where there is none
}

// Stats are the counts of a whole database at one moment.
type Stats struct {
	Now        time.Time
	Executions map[State]int64
	Queues     []QueueStats // by name; every queue that has tasks, dead letters or live workers, or was paused

	// Workers are those that are registered, but for stopped ones. One whose lease is over counts as dead, whether or not
	// others have declared it so.
	Workers map[WorkerState]int64
}

// DatabaseStats are how the database itself stands. What a database does not have is negative.
type DatabaseStats struct {
	Size              int64         // bytes of Stent's tables and indexes, or of the file
	WAL               int64         // bytes of the write-ahead log beside the file
	DeadTuples        int64         // in Stent's tables, not yet vacuumed; an estimate
	OldestTransaction time.Duration // how long the oldest transaction on the database has been open; 0 where there is none
}

// Progress is what an execution told about itself.
type Progress struct {
	Counters []Counter    // by name
	Custom   []CustomItem // by name
}

// Counter is a named sum.
type Counter struct {
	Name  string
	Value float64
}

// CustomItem is a named value of an execution's custom state.
type CustomItem struct {
	Name  string
	Value json.RawMessage
}
