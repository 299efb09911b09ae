package memory

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// store is the database.
type store struct {
	clock func() time.Time

	mu         sync.Mutex
	serial     int64 // of whatever was written last
	executions map[string]*execution
	order      []*execution        // oldest first
	live       map[*execution]bool // those that have not ended
	due        map[*claimable]bool // what may be claimed, now or later
	claimed    map[*task]bool      // activities that stand on a lease of their own
	attempts   map[backend.TaskID][]backend.Attempt
	recalls    map[string][]backend.TaskID // by worker: what was taken from it while it ran it
	letters    []*letter                   // oldest first
	gone       map[backend.TaskID]int64    // numbers of dead letters that were replayed or discarded
	workers    []*worker                   // oldest first
	paused     map[string]backend.PausedQueue
	audit      []backend.AuditEntry // oldest first
	chores     map[string]chore
	schedules  map[string]backend.Schedule
	results    map[string]*result
	used       map[backend.TaskID]backend.TaskID // whose result a task got
	watchers   map[*watcher]bool
}

func newStore() *store {
	return &store{
		clock: time.Now, executions: map[string]*execution{}, live: map[*execution]bool{}, due: map[*claimable]bool{},
		claimed: map[*task]bool{}, recalls: map[string][]backend.TaskID{}, attempts: map[backend.TaskID][]backend.Attempt{}, paused: map[string]backend.PausedQueue{},
		gone: map[backend.TaskID]int64{}, chores: map[string]chore{}, schedules: map[string]backend.Schedule{}, results: map[string]*result{}, used: map[backend.TaskID]backend.TaskID{}, watchers: map[*watcher]bool{},
	}
}

// time is the clock's, in the precision of the other backends.
func (s *store) time() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

func (s *store) next() int64 {
	s.serial++
	return s.serial
}

// claimable is what an orchestrator and an activity have in common: at has a value exactly while it may be claimed.
type claimable struct {
	execution *execution
	task      *task // nil for the orchestrator
	serial    int64
	at        time.Time
}

func (s *store) setDue(c *claimable, at time.Time) {
	if c.at = at; at.IsZero() {
		delete(s.due, c)
	} else {
		s.due[c] = true
	}
	if x := c.task; x != nil {
		x.startBy = time.Time{}
		if x.startWithin > 0 && !at.IsZero() {
			x.startBy = at.Add(x.startWithin)
		}
	}
}

// execution is an execution and its orchestrator. Due of the record is not used.
type execution struct {
	backend.Execution
	claimable

	lasts         time.Duration // its maximal duration; 0 for none
	woken         bool          // something happened that the holder has not been told
	startedToken  int64         // the token of the claim that started it
	reopenedToken int64         // the token when a replay reopened it; -1 for never
	tasks         []*task
	signals       []*signal
	counters      map[string]float64
	custom        map[string]json.RawMessage
}

// task is an entry of a history. Due of the record is not used.
type task struct {
	backend.Task
	claimable

	fires     time.Time     // of a timer, or a wait with a timeout
	claimedBy string        // the worker, while it stands on a lease of its own and not on its orchestrator's
	before    backend.State // of one that was cancelled by its execution's end: its state before
	beforeDue time.Time     // and when it was due
	place     int           // of a call of a workflow: the last place of the history when it ended

	startWithin time.Duration // for how long it may be due in its queue; 0 for no limit
	startBy     time.Time     // until when it has to be claimed, while it is due
}

type signal struct {
	backend.Signal
	consumed bool
}

// letter is a dead letter with the place of the history at which it was moved.
type letter struct {
	backend.DeadLetter
	place int
}

type worker struct {
	backend.Worker
	ended time.Time
}

// record is the execution as it is read.
func (e *execution) record() backend.Execution {
	x := e.Execution
	x.Due = e.at
	x.Tags, x.Metadata, x.Carrier = slices.Clone(x.Tags), maps.Clone(x.Metadata), maps.Clone(x.Carrier)
	x.Failure, x.Cause, x.Parent = copied(x.Failure), copied(x.Cause), copied(x.Parent)
	return x
}

// root is the orchestrator as a task.
func (e *execution) root() backend.Task {
	x := e.record()
	return backend.Task{
		ID: backend.TaskID{Execution: x.ID}, Kind: backend.Orchestrator, Step: x.Workflow, Workflow: x.Workflow,
		Queue: x.Queue, Priority: x.Priority, Tags: x.Tags, State: x.TaskState, Due: x.Due, Worker: x.Worker,
		Token: x.Token, Attempt: x.Attempt, Crashes: x.Crashes, Policy: x.Policy, Input: x.Input, InputHash: x.InputHash,
		Result: x.Result, Failure: x.Failure, Created: x.Created, Started: x.Started, Finished: x.Finished,
	}
}

// record is the task as it is read.
func (t *task) record() backend.Task {
	x := t.Task
	if x.Due = t.at; x.Due.IsZero() {
		x.Due = t.fires
	}
	x.Tags, x.Failure = slices.Clone(x.Tags), copied(x.Failure)
	return x
}

// task is an entry of a history; nil if there is none.
func (e *execution) task(seq int) *task {
	if e == nil || seq < 1 || seq > len(e.tasks) {
		return nil
	}
	return e.tasks[seq-1]
}

// held tells whether the orchestrator is leased with a token.
func (e *execution) held(token int64) bool {
	return e != nil && e.TaskState == backend.Running && e.Token == token
}

// holder is the worker that an activity which runs is leased to, "" for one that does not.
func (t *task) holder() string {
	switch {
	case t.State != backend.Running:
		return ""
	case t.claimedBy != "":
		return t.claimedBy
	case t.execution.TaskState == backend.Running:
		return t.execution.Worker
	}
	return ""
}

func (s *store) claim(t *task, worker string) {
	if t.claimedBy = worker; worker == "" {
		delete(s.claimed, t)
	} else {
		s.claimed[t] = true
	}
}

func (s *store) find(id string) *execution { return s.executions[id] }

// traceID is the second part of a W3C traceparent.
func traceID(carrier map[string]string) string {
	if parts := strings.Split(carrier["traceparent"], "-"); len(parts) == 4 && len(parts[1]) == 32 {
		return parts[1]
	}
	return ""
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// payload keeps bytes; nothing and nil are the same.
func payload(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}
