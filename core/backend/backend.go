package backend

import (
	"context"
	"time"
)

// Backend is a whole storage backend. All methods are safe for concurrent use, honour the context's end, and return
// errors that begin with the backend's name and say what was tried: "sqlite: commit 12 commands: disk is full". One whose
// [Fault] is known wraps a [FaultError].
type Backend interface {
	Committer
	Leases
	Inspector
	DeadLetters
	Queues
	Auditor
	Cleaner
	Results
	Schedules

	// Name is "sqlite", "postgres", ...
	Name() string
	// Close waits for what is under way and closes what the backend itself opened.
	Close() error
}

// Committer is the engine's way in.
type Committer interface {
	// Commit applies a batch in one transaction. On success each command's "Set by Commit" fields tell its fate. On an
	// error nothing was applied, or, where the connection broke, it is unknown whether all or nothing was; the engine
	// then calls Commit again with the same batch, and commands that had been applied report success again. Only what
	// a Claim told may be lost that way: the engine finds its tasks with Held and releases them, and reads again the
	// history of whatever may have been woken. A command whose values the database does not take is refused with
	// ErrRejected, as its own fate.
	Commit(ctx context.Context, b *Batch) error

	// History reads executions with all that is needed to go on with them, in the order of the ids; ids that are not
	// known are left out.
	History(ctx context.Context, ids []string) ([]History, error)

	// News reads what others may have written of executions that a worker has in its memory, in the order in which they
	// are asked for; ids that are not known are left out. Of an execution it gives ID, State, Priority, Token, Run, Effects
	// and Wakes, of the tasks of its present run those beyond what is known that have ended, with ID, Kind, State, Attempt,
	// Result and Failure, and the signals that are not consumed. It may be read at several moments: what has happened since
	// the first of them is told with a later claim.
	News(ctx context.Context, of []Known) ([]History, error)

	// Held lists the tasks that a worker holds according to the database: ID, Kind, Step, Queue and Token are set.
	Held(ctx context.Context, worker string) ([]Task, error)
}

// Leases is how workers say that they live.
type Leases interface {
	// Register adds a worker in the state that it names, with a lease from now.
	Register(ctx context.Context, w Worker, lease time.Duration) (now time.Time, err error)

	// Renew extends the lease and stores the worker's state and used slots. It says ErrLeaseLost when the worker was
	// declared dead, retired, or is not there: it must stop all it does and register anew under another id.
	Renew(ctx context.Context, worker string, state WorkerState, used int, lease time.Duration) (Renewal, error)

	// Reap declares dead every worker whose lease ran out and gives back all tasks it held, due now, each with one
	// crash more; but an orchestrator of which the worker also held an activity is not blamed: it only waited. A task that has crashed maxCrashes times goes to the dead letters instead (and its orchestrator is
	// woken, or, if it is the orchestrator, its execution fails and its children are asked to stop as with Desertion). It also forgets workers that ended over a day ago.
	Reap(ctx context.Context, maxCrashes int) (Reaped, error)

	// Retire ends a worker by its own wish and gives back all tasks it still holds, due now, without a crash.
	Retire(ctx context.Context, worker string) error

	// Expire ends what has used up its time, also where no worker holds it:
	//   - executions past their maximal duration time out, with a failure and as dead letters; one that is cancelling is
	//     cancelled. What is unfinished of them is cancelled, and workers that have any of it are told with
	//     Renewal.Recalled. An execution that has ended is never touched.
	//   - activities that were due in their queue for longer than Add.StartWithin are buried as timed out, and wake
	//     their orchestrator.
	// Children of executions that end, but for detached ones, are asked to stop as with Desertion.
	// It does a part where there is much, and leaves what others are writing at this moment; Next is 0 then.
	Expire(ctx context.Context) (Expired, error)
}

// Renewal is what a heartbeat learns.
type Renewal struct {
	Now   time.Time     // the database's clock
	Until time.Time     // when the lease ends
	Next  time.Duration // until the earliest end of another worker's lease, 0 if it is over; negative if there is no other

	// Expiry is how long it is until Expire has something to do, 0 if it has now; negative if nothing is limited.
	Expiry time.Duration

	// Tick is how long it is until a schedule's Next, 0 if it has come; negative if no schedule has one.
	Tick time.Duration

	// Recalled are tasks that were taken from this worker while it ran them, since their execution has ended or is
	// cancelling: it is to stop them and to write nothing. Each is told more than once, and one that has come to its end
	// on the worker meanwhile is told as well.
	Recalled []Recall
}

// Recall is a task that a worker is to stop; an orchestrator where its execution has ended.
type Recall struct {
	Task  TaskID
	Token int64
	State State         // of the execution now
	Limit time.Duration // the execution's maximal duration; 0 without one
}

// Expired is what used up its time.
type Expired struct {
	Executions []ExpiredExecution
	Tasks      []ExpiredTask
	Next       time.Duration // until there is more to do, 0 if there is now; negative if nothing is limited
}

// ExpiredExecution is an execution that took longer than its maximal duration.
type ExpiredExecution struct {
	ID       string
	Workflow string
	Queue    string
	State    State // TimedOut, or Cancelled
	Failure  *Failure
}

// ExpiredTask is an activity that no worker took in time.
type ExpiredTask struct {
	Task    TaskID
	Step    string
	Queue   string
	Failure Failure
}

// Reaped is what a reaping did.
type Reaped struct {
	Workers []string     // declared dead
	Tasks   []ReapedTask // given back or buried
}

// ReapedTask is a task whose worker died.
type ReapedTask struct {
	Task   TaskID
	Kind   Kind
	Step   string
	Queue  string
	Worker string
	Buried bool
}

// Inspector answers questions. Nothing it does holds up the engine's writes for long.
type Inspector interface {
	// Execution reads one execution, or says ErrNotFound.
	Execution(ctx context.Context, id string) (Execution, error)

	// Executions lists executions, newest first, or those of given ids.
	Executions(ctx context.Context, f ExecutionFilter) ([]Execution, error)

	// Tasks lists tasks, by execution and Seq, orchestrators included.
	Tasks(ctx context.Context, f TaskFilter) ([]Task, error)

	// Progress reads an execution's counters and custom state.
	Progress(ctx context.Context, id string) (Progress, error)

	// Stats counts.
	Stats(ctx context.Context) (Stats, error)

	// Workers lists the workers that are registered, newest first, also the stopped and dead ones of the last day.
	Workers(ctx context.Context) ([]Worker, error)
}

// ExecutionFilter chooses executions. Zero fields choose all.
type ExecutionFilter struct {
	// IDs asks for these alone, in their order; those that are not known are left out, and no other field counts.
	IDs []string

	IDPrefix string
	States   []State // as of Execution.State
	Workflow string
	Queue    string
	Tag      string
	Since    time.Time // created then or later
	Limit    int       // 0 means 20
	After    string    // id of the last execution of the page before
}

// TaskFilter chooses tasks. Zero fields choose all.
type TaskFilter struct {
	Execution string
	States    []State
	Kinds     []Kind
	Limit     int    // 0 means 1000
	After     TaskID // last of the page before
}

// DeadLetters is the care for tasks that will not be tried again by themselves.
type DeadLetters interface {
	// DeadLetters lists, newest first.
	DeadLetters(ctx context.Context, f DeadLetterFilter) ([]DeadLetter, error)

	// DeadLetter reads one with its attempts, or says ErrNotFound.
	DeadLetter(ctx context.Context, id TaskID) (DeadLetter, error)

	// Replay puts the task back to its queue, or to another one if queue is not "", due now, with attempt 1 and no
	// crashes, removes the dead letter, and, if the execution has failed or timed out, reopens it: its orchestrator is
	// waiting (due, where it is itself the dead letter), tasks that were cancelled because it ended are put back as they
	// were before, and history written after the failure is marked as healed (see Execution.HealedFrom). It says
	// ErrNotFound, or ErrNotReplayable where the execution goes on without it, has completed or was cancelled. An
	// execution that another replay has reopened does not go on before its orchestrator is claimed: until then more of
	// its dead letters can be replayed.
	//
	// Where the reopened execution is a child whose failure ended up in its parent's history, and the parent has failed
	// or timed out too, or another replay has reopened it, the entry waits for the child again and the parent is
	// reopened likewise; and so on up. A parent that went on keeps what it was told. Of a reopened execution, calls of
	// children that were asked to stop when it ended are set aside, so that the workflow makes them anew.
	Replay(ctx context.Context, id TaskID, queue, actor string) error

	// Discard removes the dead letter and changes nothing else. It says ErrNotFound.
	Discard(ctx context.Context, id TaskID, actor string) error
}

// DeadLetterFilter chooses dead letters. Zero fields choose all.
type DeadLetterFilter struct {
	Execution   string
	Workflow    string
	Step        string
	Queue       string
	MovedSince  time.Time // then or later
	MovedBefore time.Time // earlier than that
	Limit       int       // 0 means 100
	After       TaskID    // the last of the page before, also if it has been replayed or discarded since
	Before      int64     // N of the last of the page before; unlike After it stays where it is when that task fails again
}

// Watcher is an optional ability: to tell at once that another process has written, instead of being asked.
type Watcher interface {
	// Watch calls changed once it hears of what others commit from then on (something may have been written just before), soon
	// after another connection's commit that may concern the worker (new tasks in the queues, woken executions, or a schedule
	// that was put) or any waiter, and blocks until the context ends. Calls may be merged and may be spurious; after one that
	// was missed (a lost connection) it calls once more. It returns nil when the context ends.
	Watch(ctx context.Context, worker string, queues []string, changed func(News)) error
}

// News is what a [Watcher] tells. What is false is known not to be so.
type News struct {
	Woken bool // an execution that the worker holds may have been woken
	Due   bool // something may be due in the queues, now or later
	At    Left // where, so that a claim from there finds all of it that is due; nil where that is not known
}

// Attempts is an optional ability: to tell what went wrong with tasks that are not, or no longer, dead letters.
type Attempts interface {
	// Attempts lists the failed attempts at an execution's tasks, oldest first; none where it is not known.
	Attempts(ctx context.Context, execution string) ([]Attempt, error)
}

// Diagnoser is an optional ability: to tell how the database itself stands. It is asked every few seconds.
type Diagnoser interface {
	Diagnose(ctx context.Context) (DatabaseStats, error)
}

// TxStarter is an optional ability: to start an execution within a transaction of the caller's.
type TxStarter interface {
	// StartTx carries out s in tx, of a type that the backend names, and sets s.Existed and s.Err as Commit does. Workers
	// are told when tx commits, where the database can do that. The transaction is as usable afterwards as before.
	StartTx(ctx context.Context, tx any, s *Start) error
}
