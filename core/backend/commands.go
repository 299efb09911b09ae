package backend

import (
	"encoding/json"
	"slices"
	"time"
)

// Command is one atomic transition. The types are [Start], [Signalled], [Cancel], [Turn], [Complete], [Retry], [Bury],
// [Release], [Beat], [Trim] and [Claim]. Each has fields that Commit sets; they follow the comment "Set by Commit".
type Command interface{ command() }

func (*Start) command()     {}
func (*Signalled) command() {}
func (*Cancel) command()    {}
func (*Turn) command()      {}
func (*Complete) command()  {}
func (*Retry) command()     {}
func (*Bury) command()      {}
func (*Release) command()   {}
func (*Trim) command()      {}
func (*Beat) command()      {}
func (*Claim) command()     {}

// Batch is what one transaction holds.
//
// The commands are independent of each other: the engine never puts two that change the same task into one batch, so
// a backend may apply them in any order and grouped into set-based statements, as long as claims come last. A command
// that is refused sets its Err, has no effect, and harms no other command.
type Batch struct {
	// Worker is the worker on whose lease the batch stands. If it was declared dead, or is not registered, then every
	// command but Start, Signalled, Cancel and Trim is refused with ErrLeaseLost. "" for a program that has only these.
	Worker   string
	Commands []Command

	// Set by Commit.
	Now time.Time // the database's clock in this transaction
}

// Start begins an execution: one row, pending, or running with Claim.
type Start struct {
	ID          string
	Workflow    string
	Queue       string
	Priority    int // higher first
	Tags        []string
	Policy      []byte
	Input       []byte
	InputHash   int64
	Delay       time.Duration // due so long after now; not negative
	At          time.Time     // due then, if not zero; Delay is ignored
	MaxDuration time.Duration // from now; 0 for none
	Metadata    map[string]string
	Carrier     map[string]string

	// Claim has the batch's worker claim the execution as it begins: it is running with token 1 and was never in its
	// queue. Where the worker's lease is lost, or the queue paused, it begins like any other. Without Delay and At only.
	Claim bool

	// Set by Commit.
	Claimed time.Time // when it was claimed, which is when it was created; zero if it was not, or had been before
	Existed bool      // an execution with this id, workflow and input hash was there already
	Err     error     // ErrAlreadyExists
}

// Signalled delivers a signal to an execution that has not ended. A waiting orchestrator becomes due; the holder of a
// running one is told through [Claim.Woken]. A second signal with the same ID to the same execution changes nothing
// and is no error.
type Signalled struct {
	Execution string
	ID        string // unique within the execution
	Name      string
	Payload   []byte

	// Set by Commit.
	Err error // ErrNotFound, ErrFinished
}

// Cancel asks an execution to stop. One that no worker has ever begun is cancelled at once. Any other is cancelling from
// now on: its workflow is to see it and to put right what it has done, so it is woken as by a signal, and is due at once
// if it waits for anything, even for its next attempt. When it closes it is cancelled, whatever the turn says.
//
// Its activities that wait in queues are cancelled. So are those that run, where no worker has the orchestrator; who has
// it ends them with a turn. Their workers are told with [Renewal.Recalled]. Timers and waits are left to the workflow.
//
// Who asked is kept, once. An execution that is cancelling or cancelled stays as it is, without an error.
type Cancel struct {
	Execution string
	Actor     string
	Reason    string

	// Set by Commit.
	State State // the execution's state after it: Cancelling or Cancelled
	Ended bool  // it has ended with this command
	Err   error // ErrNotFound, or ErrFinished for one that has completed, failed or timed out
}

// Turn is what happened to an execution between two moments at which its workflow waited: which of its calls ended,
// which it made, and how it stands now. All of it is applied, or nothing.
//
// It is fenced by the orchestrator's token, and the tasks in it by theirs. A turn that an earlier Commit of unknown
// outcome did apply is recognised (its first task is there, or its first end is in place with that token) and reported
// as applied.
type Turn struct {
	Execution string
	Token     int64

	Completed []*Complete // activities that ran on this worker; they wake nobody, the workflow knows
	Buried    []*Bury
	Settled   []Settle
	Added     []Add
	// Forgotten are unfinished entries that nobody waits for any more: cancelled. Other workers that run one are told with
	// Renewal.Recalled.
	Forgotten []int
	// Stopped are activities and calls of children that the workflow was told are cancelled. They are cancelled as those
	// that are forgotten; but where one has come to another end meanwhile the turn is refused with ErrLeaseLost, since the workflow, when
	// it runs again, will be told of that end.
	Stopped  []int
	SetAside []int    // entries of the healed part of the history that no longer fit: their key is freed
	Deserted []string // executions of children that nobody waits for any more: asked to stop, as with Desertion

	Effects     []Effect
	EffectsSeen int // the execution's number of effects after this turn; written only with Effects

	// At most one of these; with none the orchestrator stays in the worker's memory, running.
	Close    *Close
	Yield    *Yield
	Again    *Again
	Continue *Continue // it stays running, with another history

	// Set by Commit.
	State State // the execution's state after it: of a Close, what it ended as
	Err   error // ErrLeaseLost
}

// Cancels are the entries that the turn cancels, whatever for.
func (t *Turn) Cancels() []int { return slices.Concat(t.Forgotten, t.Stopped) }

// Desertion is how a child is asked to stop that its parent no longer waits for. It is no error where it has ended.
func Desertion(parent, child string) *Cancel {
	return &Cancel{Execution: child, Actor: "execution " + parent, Reason: "the execution that called it no longer waits for it"}
}

// Add is a new entry of the history.
type Add struct {
	Seq       int
	Key       string
	Kind      Kind
	Step      string
	Queue     string
	Priority  int
	Tags      []string
	Policy    []byte
	Input     []byte
	InputHash int64

	// State is Running for an activity that begins on this worker as soon as the turn is committed: its token is 1,
	// its attempt 1, and it stands on the orchestrator's lease; it is never in a queue. Pending for an activity that
	// goes to its queue. Waiting for a timer, a wait for a signal or a child. Completed for a recorded value. Cancelled for
	// a call that was never made, because the execution was asked to stop.
	State  State
	Delay  time.Duration // Pending: due so long after now. Waiting: fires so long after now; negative for never
	Result []byte        // Completed
	Signal int64         // Completed wait for a signal: the Seq of the one it consumes; 0 for none

	// Of a Child, which is Waiting: its execution, which is begun with the turn and whose Parent is this entry. Where an
	// execution has that id already, the entry has failed with CodeChildExists, and the orchestrator is woken.
	Child    *Start
	Detached bool // it goes on when this execution ends

	// StartWithin is the longest that an activity may be due in its queue, each time that it goes there, before Expire
	// buries it; 0 for no limit.
	StartWithin time.Duration
}

// CodeChildExists is the code of the failure of a child that was not begun, since its id is another execution's.
const CodeChildExists = "child_exists"

// Settle ends a timer or a wait for a signal.
type Settle struct {
	Seq    int
	State  State // Completed; TimedOut for a wait that got no signal in time; Cancelled
	Result []byte
	Signal int64 // the Seq of the signal it consumes; 0 for none
}

// Effect is one change of a counter or of custom state.
type Effect struct {
	Counter string  // name of the counter to which Delta is added; "" for a change of custom state
	Delta   float64 //
	Custom  string  // name of the custom state that becomes Value
	Value   json.RawMessage
}

// Close ends the execution. An execution that is asked to cancel ends as Cancelled whatever State says, without
// result, failure or dead letter.
type Close struct {
	State   State
	Result  []byte
	Failure *Failure
	Reason  string // if not "", the orchestrator goes to the dead letters with this reason
	Cause   *TaskID

	// Parent is the execution's own, if it has one. That entry, if it waits, ends as the execution does, with its result or
	// with ChildFailure, and its orchestrator is woken as by Complete.
	Parent *TaskID
}

// ChildFailure is what an ended execution leaves in the history of its parent: its failure, with the dead letter that a
// replay would heal it by as the cause.
func ChildFailure(execution string, end *Close) *Failure {
	if end.Failure == nil {
		return nil
	}
	f := *end.Failure
	switch f.Stack = ""; {
	case end.Cause != nil:
		f.Cause = end.Cause.String()
	case end.Reason != "":
		f.Cause = TaskID{Execution: execution}.String()
	}
	return &f
}

// Continue ends one run of the execution and begins the next: with another input, which is what Execution.Input says
// from then on, without a history, at attempt 1. Signals that were not consumed, counters and custom state stay; effects
// are counted from 0 again. The execution's InputHash stays that of its first input.
//
// Places go on after those of the run before, so that a task's id means one task. The old entries count no more; at most
// TrimMost of them are deleted at once, and the rest with Trim. Where Base is 0 all are deleted at once: when the places
// come to their end, which is after a million of entries, they begin with the first again.
type Continue struct {
	Run   int // the run that begins: one more than the Execution's
	Base  int // the last place of the history so far; what is added next comes after it
	Input []byte

	// Set by Commit.
	Left bool // there is more to Trim
}

// TrimMost is the most old entries of a history that one command deletes.
const TrimMost = 1000

// Trim deletes entries of the runs before the execution's present one, with their failed attempts, but for those that
// are dead letters, and signals that were consumed in these runs and sent over an hour ago. It does not matter who
// holds the execution, and an unknown one is no error.
type Trim struct {
	Execution string

	// Set by Commit.
	Left bool // there is more
}

// Yield gives the lease back because the workflow waits: the orchestrator is Waiting, due after WakeIn (negative:
// when woken). If something woke it that the worker has not seen, it is due at once: no wake is lost, whatever the
// worker was told meanwhile and has not read yet.
type Yield struct {
	WakeIn time.Duration
	Seen   int // Execution.Wakes as the worker last read it, together with the history
}

// Again gives the lease back because the workflow's attempt failed and is to be repeated: attempt + 1, due after
// Delay, and Failure is kept among the attempts.
type Again struct {
	Failure Failure
	Delay   time.Duration
}

// Complete ends an activity with a result. Outside a turn it wakes the orchestrator: one that is Waiting becomes due
// now; the holder of a Running one is told through [Claim.Woken].
type Complete struct {
	Task   TaskID
	Token  int64
	Result []byte

	// Set by Commit.
	Held bool  // a worker holds the orchestrator, so that this has made nothing due; false also where that is not known
	Err  error // ErrLeaseLost
}

// Retry ends an attempt at an activity that is to be repeated: it goes to its queue with attempt + 1, due after
// Delay, and Failure is kept among the attempts.
type Retry struct {
	Task    TaskID
	Token   int64
	Failure Failure
	Delay   time.Duration
	Detail  []byte // as of Beat; nil leaves what is there

	// Set by Commit.
	Err error // ErrLeaseLost
}

// Bury ends an activity for good and moves it to the dead letters: Failure is kept among the attempts and with the
// dead letter. It wakes as Complete does.
type Bury struct {
	Task    TaskID
	Token   int64
	State   State // Failed or TimedOut
	Failure Failure
	Reason  string // one line

	// Set by Commit.
	Held bool  // as of Complete
	Err  error // ErrLeaseLost
}

// Release gives a claimed task back to its queue, due now, as if it had not been claimed.
type Release struct {
	Task   TaskID
	Token  int64
	Detail []byte // as of Beat; nil leaves what is there

	// Set by Commit.
	Err error // ErrLeaseLost
}

// Beat keeps what a running activity said of how far it is, for its next attempt: [Task.Detail]. A second one with the
// same contents changes nothing.
type Beat struct {
	Task   TaskID
	Token  int64
	Detail []byte

	// Set by Commit.
	Err error // ErrLeaseLost
}

// Claim takes due tasks for the batch's worker, highest priority first, then the earliest due, then the first
// written; orchestrators and activities alike. It never waits for another worker's claim, and a task that it must
// leave (no handler, other tags, limit reached, queue paused) never hides one behind it.
type Claim struct {
	Queues []string
	Tags   []string       // a task with tags is taken if it has one of these
	Steps  []string       // names of workflows and activities that the worker has handlers for
	Limits map[string]int // most running at once on all workers together, by activity; exact
	Max    int            // may be 0: then only Woken and NextDue are wanted

	// From, if not nil, is the Left of an earlier claim that was the same but for Max, or the At of news for its worker. The
	// claim may look only there, and miss what has come since in front of that or elsewhere.
	From Left

	// OnlyWoken says that nothing is to be taken or looked for: of what Commit sets, only Woken is wanted. NextDue is
	// negative then.
	OnlyWoken bool

	// OnlyDue says that nothing held by the worker is known to be woken, so that Woken need not be looked for.
	OnlyDue bool

	// Set by Commit.
	Tasks   []Claimed
	More    bool          // there may be more that is due
	Left    Left          // where, for a claim to go on from; nil where the backend does not tell
	NextDue time.Duration // until the next task of these queues is due; negative if there is none that waits for a time
	Woken   []string      // executions held by this worker to which something happened; told once
	Paused  []string      // of Queues, those that are paused, in no order
	Err     error         // ErrLeaseLost
}

// Left is where a claim has left tasks, or where news tell of some, in a form that only the backend knows. Not to look at
// what was before is faster: where rows that were taken stay in an index for a while, a claim walks over more of them the more
// there were.
type Left any

// Claimed is a task that now belongs to the worker: its state is running, its token new.
type Claimed struct {
	Task

	// Fresh says, of an orchestrator, that it has no history and no signals yet, so that nothing need be read.
	Fresh bool

	// Expiry is, of an orchestrator, how long it is until its execution times out, or 1 us if it should have; 0 if it does not.
	Expiry time.Duration

	// Of the execution.
	Metadata map[string]string
	Carrier  map[string]string
	Parent   *TaskID // of an orchestrator, as the following
	Run      int
	Base     int
}

// Refuse sets a command's Err, if it has one; for backends.
func Refuse(c Command, err error) {
	switch c := c.(type) {
	case *Start:
		c.Err = err
	case *Signalled:
		c.Err = err
	case *Cancel:
		c.Err = err
	case *Turn:
		c.Err = err
	case *Complete:
		c.Err = err
	case *Retry:
		c.Err = err
	case *Bury:
		c.Err = err
	case *Release:
		c.Err = err
	case *Beat:
		c.Err = err
	case *Claim:
		c.Err = err
	}
}
