package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Reason is why an execution stands where it stands.
type Reason string

// The reasons that [Engine.Why] gives.
const (
	ReasonCompleted      Reason = "completed"
	ReasonCancelled      Reason = "cancelled"
	ReasonTimedOut       Reason = "timed_out"
	ReasonDeadLettered   Reason = "dead_lettered"    // Task failed for good
	ReasonNonDeterminism Reason = "non_determinism"  // the workflow's code no longer fits its history
	ReasonFailed         Reason = "failed"           // and there is no dead letter to replay any more
	ReasonCancelling     Reason = "cancelling"       // its workflow puts things right before it ends
	ReasonPaused         Reason = "queue_paused"     // an operator paused the queue
	ReasonNoWorker       Reason = "no_worker"        // no live worker serves the queue
	ReasonNoHandler      Reason = "no_handler"       // those that serve it do not know the step
	ReasonNoTag          Reason = "no_tag"           // those that know the step have none of its tags
	ReasonLimit          Reason = "concurrency"      // as many of the step run as MaxConcurrent allows
	ReasonBusy           Reason = "workers_busy"     // all slots are used, or other tasks are before it
	ReasonDeadWorker     Reason = "dead_worker"      // its worker no longer renews; others take over at Until
	ReasonDelayed        Reason = "delayed"          // its start was asked for later
	ReasonBackingOff     Reason = "backing_off"      // a failed attempt is repeated at Until
	ReasonSignal         Reason = "waits_for_signal" // named Step, until Until if that is not zero
	ReasonChild          Reason = "waits_for_child"  // Child
	ReasonSleeping       Reason = "sleeping"         // a durable timer
	ReasonRunning        Reason = "running"          // an activity, or the workflow itself, is at work
)

// Explanation is one cause, in fields for programs; Sentence says it to people.
type Explanation struct {
	Execution string
	Workflow  string
	Reason    Reason

	Task    backend.TaskID // what it is about: a task of the execution, or its orchestrator
	Step    string         // the activity's, signal's or workflow's name
	Kind    backend.Kind
	Queue   string
	Tags    []string
	Worker  string
	Attempt int       // of the task, from 1
	Since   time.Time // when the task began, or ended
	Until   time.Time // when something will happen by itself; zero if nothing will
	Child   string    // the execution that is waited for
	Limit   int       // of ReasonLimit: how many may run
	Known   []string  // of ReasonNoWorker the queues that are served, of ReasonNoHandler the steps that are known
	Detail  string    // the message of the failure that matters, if there is one
	Others  int       // how many more tasks of the execution have not ended
}

// Why finds the one cause for which an execution has not gone further, or has ended as it did. What keeps it from going
// on comes before what it merely waits for, and that before what is at work. An unknown id is ErrNotFound. It reads, and
// changes nothing.
func (e *Engine) Why(ctx context.Context, id string) (Explanation, error) {
	if err := checkID(id); err != nil {
		return Explanation{}, err
	}
	x, err := e.db.Execution(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	w := &inquiry{ctx: ctx, db: e.db, x: x}
	if x.State.Final() {
		return w.ended()
	}
	return w.open()
}

// inquiry is one search for a cause.
type inquiry struct {
	ctx     context.Context //nolint:containedctx // of the one call that it lives for
	db      backend.Backend
	x       backend.Execution
	now     time.Time
	stats   backend.Stats
	workers []backend.Worker // live ones
	running map[string]int   // activities, by step; read when it matters
}

func (w *inquiry) about(r Reason) Explanation {
	return Explanation{
		Execution: w.x.ID, Workflow: w.x.Workflow, Reason: r, Task: backend.TaskID{Execution: w.x.ID}, Step: w.x.Workflow,
		Kind: backend.Orchestrator, Queue: w.x.Queue, Tags: w.x.Tags, Attempt: w.x.Attempt,
	}
}

// ended explains a final state.
func (w *inquiry) ended() (Explanation, error) {
	x := w.x
	because := w.about(map[backend.State]Reason{
		backend.Completed: ReasonCompleted, backend.Cancelled: ReasonCancelled, backend.TimedOut: ReasonTimedOut, backend.Failed: ReasonFailed,
	}[x.State])
	because.Since = x.Finished
	if x.Failure != nil {
		because.Detail = x.Failure.Message
	}
	if x.State != backend.Failed {
		return because, nil
	}
	task := because.Task
	if x.Cause != nil {
		task = *x.Cause
	}
	letter, err := w.db.DeadLetter(w.ctx, task)
	if errors.Is(err, backend.ErrNotFound) {
		return because, nil
	}
	if err != nil {
		return Explanation{}, err
	}
	if x.Failure != nil && x.Failure.Code == CodeNonDeterminism {
		because.Reason = ReasonNonDeterminism
		return because, nil
	}
	because.Reason, because.Task, because.Step, because.Kind, because.Queue = ReasonDeadLettered, task, letter.Step, letter.Kind, letter.Queue
	because.Attempt, because.Since, because.Detail = letter.Attempts, letter.Moved, letter.Reason
	return because, nil
}

// open explains an execution that has not ended.
func (w *inquiry) open() (Explanation, error) {
	var err error
	if w.stats, err = w.db.Stats(w.ctx); err != nil {
		return Explanation{}, err
	}
	w.now = w.stats.Now
	all, err := w.db.Workers(w.ctx)
	if err != nil {
		return Explanation{}, err
	}
	for _, worker := range all {
		if worker.State == backend.WorkerReady && worker.LeaseEnd.After(w.now) {
			w.workers = append(w.workers, worker)
		}
	}
	tasks, err := w.db.Tasks(w.ctx, backend.TaskFilter{
		Execution: w.x.ID, States: []backend.State{backend.Pending, backend.Running, backend.Waiting}, Limit: openTasks,
	})
	if err != nil {
		return Explanation{}, err
	}
	var causes []Explanation
	for i := range tasks {
		because, err := w.task(&tasks[i])
		if err != nil {
			return Explanation{}, err
		}
		causes = append(causes, because)
	}
	if len(causes) == 0 {
		return w.about(ReasonRunning), nil // it went on between two reads
	}
	slices.SortStableFunc(causes, func(a, b Explanation) int { return a.rank() - b.rank() })
	because := causes[0]
	for _, other := range causes[1:] {
		if other.Kind != backend.Orchestrator {
			because.Others++
		}
	}
	return because, nil
}

// openTasks is how many open tasks of an execution are looked at; a cause that keeps more from going on is among them.
const openTasks = 1000

// rank is the order in which a person at three in the morning wants to hear of causes.
func (because *Explanation) rank() int {
	order := []Reason{
		ReasonDeadWorker, ReasonPaused, ReasonNoWorker, ReasonNoHandler, ReasonNoTag, ReasonLimit, ReasonBusy, ReasonCancelling,
		ReasonBackingOff, ReasonDelayed, ReasonSignal, ReasonChild, ReasonSleeping, ReasonRunning,
	}
	i := slices.Index(order, because.Reason)
	if because.Kind == backend.Orchestrator && because.Reason == ReasonRunning {
		return len(order) // it runs while what it called does
	}
	return i
}

// task explains an open task.
func (w *inquiry) task(t *backend.Task) (Explanation, error) {
	because := Explanation{
		Execution: w.x.ID, Workflow: w.x.Workflow, Task: t.ID, Step: t.Step, Kind: t.Kind, Queue: t.Queue, Tags: t.Tags,
		Worker: t.Worker, Attempt: t.Attempt, Since: t.Started, Until: t.Due,
	}
	if t.Failure != nil {
		because.Detail = t.Failure.Message
	}
	switch {
	case t.Kind == backend.SignalWait:
		because.Reason = ReasonSignal
	case t.Kind == backend.Timer:
		because.Reason = ReasonSleeping
	case t.Kind == backend.Child:
		because.Reason, because.Child = ReasonChild, t.Child
	case t.State == backend.Running && !t.LeaseUntil.After(w.now):
		because.Reason, because.Until = ReasonDeadWorker, t.LeaseUntil
	case t.State == backend.Running || t.State == backend.Waiting && t.Due.After(w.now) || t.State == backend.Waiting && t.Due.IsZero():
		because.Reason, because.Until = ReasonRunning, time.Time{}
		if w.x.State == backend.Cancelling {
			because.Reason = ReasonCancelling
		}
	case t.Due.After(w.now) && t.Attempt > 1:
		because.Reason = ReasonBackingOff
	case t.Due.After(w.now):
		because.Reason = ReasonDelayed
	default:
		return w.due(because)
	}
	return because, nil
}

// due explains a task that is due and that no worker has taken.
func (w *inquiry) due(because Explanation) (Explanation, error) {
	because.Until = time.Time{}
	for _, q := range w.stats.Queues {
		if q.Queue == because.Queue && q.Paused {
			because.Reason = ReasonPaused
			return because, nil
		}
	}
	serving := slices.DeleteFunc(slices.Clone(w.workers), func(o backend.Worker) bool { return !slices.Contains(o.Queues, because.Queue) })
	if len(serving) == 0 {
		because.Reason, because.Known = ReasonNoWorker, each(w.workers, func(o backend.Worker) []string { return o.Queues })
		return because, nil
	}
	able := slices.DeleteFunc(slices.Clone(serving), func(o backend.Worker) bool { return !slices.Contains(o.Steps, because.Step) })
	if len(able) == 0 {
		because.Reason, because.Known = ReasonNoHandler, each(serving, func(o backend.Worker) []string { return o.Steps })
		return because, nil
	}
	if len(because.Tags) > 0 && !slices.ContainsFunc(able, func(o backend.Worker) bool {
		return slices.ContainsFunc(because.Tags, func(tag string) bool { return slices.Contains(o.Tags, tag) })
	}) {
		because.Reason, because.Known = ReasonNoTag, each(able, func(o backend.Worker) []string { return o.Tags })
		return because, nil
	}
	because.Reason = ReasonBusy
	for _, o := range able {
		if limit := o.Limits[because.Step]; limit > 0 {
			running, err := w.runs(because.Step)
			if err != nil {
				return because, err
			}
			if running >= limit {
				because.Reason, because.Limit = ReasonLimit, limit
			}
		}
	}
	return because, nil
}

// runs counts the running activities of a step.
func (w *inquiry) runs(step string) (int, error) {
	if w.running != nil {
		return w.running[step], nil
	}
	w.running = map[string]int{}
	const page = 1000
	for f := (backend.TaskFilter{States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}, Limit: page}); ; {
		tasks, err := w.db.Tasks(w.ctx, f)
		if err != nil {
			return 0, err
		}
		for _, t := range tasks {
			w.running[t.Step]++
		}
		if len(tasks) < page {
			return w.running[step], nil
		}
		f.After = tasks[page-1].ID
	}
}

// each joins the lists of all workers, sorted, each value once.
func each(workers []backend.Worker, list func(backend.Worker) []string) []string {
	var all []string
	for _, o := range workers {
		all = append(all, list(o)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
