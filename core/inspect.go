package core

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Snapshot is an execution at one moment, as StateOf reads it.
type Snapshot struct {
	backend.Execution
	Progress []ProgressItem
	Counters []backend.Counter
	Custom   []backend.CustomItem
}

// ProgressItem is one line of an execution's progress: a task that began or ended.
type ProgressItem struct {
	At      time.Time
	Step    string
	TaskID  backend.TaskID
	Kind    backend.Kind
	State   backend.State // running where it began, otherwise how it ended
	Attempt int           // from 1
	Due     time.Time     // of a pending one: when it may be claimed
	Detail  string        // of a failure: its message
	Child   string        // of a call of a workflow: the id of its execution

	// ResultOf is whose result it is, of an Idempotent or Cached activity that did not run itself.
	ResultOf backend.TaskID
}

// StateOf reads one execution with its progress, or says ErrNotFound.
func (e *Engine) StateOf(ctx context.Context, id string) (Snapshot, error) {
	if err := checkID(id); err != nil {
		return Snapshot{}, err
	}
	x, err := e.db.Execution(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	tasks, err := e.allTasks(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	told, err := e.db.Progress(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	results, err := e.db.ResultsOf(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	items := progress(x, tasks)
	for i := range items {
		if items[i].State == backend.Completed {
			items[i].ResultOf = results[items[i].TaskID.Seq]
		}
	}
	return Snapshot{Execution: x, Progress: items, Counters: told.Counters, Custom: told.Custom}, nil
}

func (e *Engine) allTasks(ctx context.Context, id string) ([]backend.Task, error) {
	const page = 1000
	var all []backend.Task
	for f := (backend.TaskFilter{Execution: id, Limit: page}); ; f.After = all[len(all)-1].ID {
		tasks, err := e.db.Tasks(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, tasks...)
		if len(tasks) < page {
			return all, nil
		}
	}
}

// progress tells an execution's story: its orchestrator's beginning, each activity's and child's end, or beginning while it runs,
// and its own end. Entries of the history that do nothing in the world (timers, recorded values) are left out.
func progress(x backend.Execution, tasks []backend.Task) []ProgressItem {
	var items []ProgressItem
	if !x.Started.IsZero() {
		items = append(items, ProgressItem{At: x.Started, Step: x.Workflow, TaskID: backend.TaskID{Execution: x.ID}, Kind: backend.Orchestrator, State: backend.Running})
	}
	for _, t := range tasks {
		if t.Kind != backend.Activity && t.Kind != backend.Child {
			continue
		}
		item := ProgressItem{Step: t.Step, TaskID: t.ID, Kind: t.Kind, State: t.State, Attempt: t.Attempt, Due: t.Due, Child: t.Child}
		switch {
		case t.State.Final():
			item.At = t.Finished
		case t.State == backend.Running:
			item.At = t.Started
		case t.Kind == backend.Child:
			item.At, item.State = t.Created, backend.Running
		default:
			item.At = t.Created
		}
		if t.Failure != nil {
			item.Detail = t.Failure.Message
		}
		items = append(items, item)
	}
	if x.State.Final() {
		item := ProgressItem{At: x.Finished, Step: x.Workflow, TaskID: backend.TaskID{Execution: x.ID}, Kind: backend.Orchestrator, State: x.State}
		if x.Failure != nil {
			item.Detail = x.Failure.Message
		}
		items = append(items, item)
	}
	slices.SortStableFunc(items, func(a, b ProgressItem) int { return a.At.Compare(b.At) })
	return items
}

// QueueDepth counts the tasks of a queue that are due and not claimed; of all queues where queue is "". Tasks that are
// delayed, back off or sleep are not in it.
func (e *Engine) QueueDepth(ctx context.Context, queue string) (int64, error) {
	stats, err := e.db.Stats(ctx)
	if err != nil {
		return 0, err
	}
	var depth int64
	for _, q := range stats.Queues {
		if queue == "" || q.Queue == queue {
			depth += q.Depth
		}
	}
	return depth, nil
}

// ListExecutions lists executions, newest first, at most 20 if the filter names no Limit. The next page is had by its After,
// which is the id of the last one of a page.
func (e *Engine) ListExecutions(ctx context.Context, f backend.ExecutionFilter) ([]backend.Execution, error) {
	return e.db.Executions(ctx, f)
}

// Workers lists the workers of all processes, newest first, also those that stopped or died within the last day. One whose
// LeaseEnd is over has died, though nobody may have said so yet.
func (e *Engine) Workers(ctx context.Context) ([]backend.Worker, error) { return e.db.Workers(ctx) }

// Stats counts executions by state, what each queue holds, and workers by state.
func (e *Engine) Stats(ctx context.Context) (backend.Stats, error) { return e.db.Stats(ctx) }

// RunningActivities lists the activities that are leased to a worker now, on all workers.
func (e *Engine) RunningActivities(ctx context.Context) ([]backend.Task, error) {
	return e.db.Tasks(ctx, backend.TaskFilter{States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}})
}

// WorkerStatus is the workers of this process at one moment.
type WorkerStatus struct {
	Ready    bool // at least one takes work
	Draining bool // at least one drains
	Workers  []LocalWorker
}

// LocalWorker is one Serve of this process.
type LocalWorker struct {
	Name      string
	State     backend.WorkerState
	Slots     int
	SlotsUsed int
	Resident  int // workflows in memory
}

// WorkerStatus tells how the workers of this process stand. It asks nothing of the database, and so fits a readiness
// probe: Ready turns false the moment a drain begins.
func (e *Engine) WorkerStatus() WorkerStatus {
	var status WorkerStatus
	for _, w := range e.serving() {
		local := w.status()
		status.Ready = status.Ready || local.State == backend.WorkerReady
		status.Draining = status.Draining || local.State == backend.WorkerDraining
		status.Workers = append(status.Workers, local)
	}
	slices.SortFunc(status.Workers, func(a, b LocalWorker) int { return strings.Compare(a.Name, b.Name) })
	return status
}

func (w *worker) status() LocalWorker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return LocalWorker{Name: w.id, State: w.state, Slots: w.cfg.Slots, SlotsUsed: w.used, Resident: len(w.runs)}
}
