package backendtest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// harness is a database under test, with what the tests do with it all the time.
type harness struct {
	t        *testing.T
	db       backend.Backend
	features Features
	ctx      context.Context //nolint:containedctx // of the one test that the harness serves
}

const (
	patience = 10 * time.Second       // how long something may take that has to happen
	long     = time.Minute            // a lease or a delay that does not end during a test
	short    = 50 * time.Millisecond  // a delay that is long enough to be seen
	brief    = 20 * time.Millisecond  // a lease that ends soon
	soon     = 150 * time.Millisecond // a delay that is not over while a few statements run
)

func (h *harness) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// is fails the test unless err is the sentinel; nil for no error.
func (h *harness) is(what string, err, sentinel error) {
	h.t.Helper()
	if !errors.Is(err, sentinel) || sentinel == nil && err != nil {
		h.t.Fatalf("%s: error is %v, want %v", what, err, sentinel)
	}
}

func equal[T any](h *harness, what string, got, want T) {
	h.t.Helper()
	if !reflect.DeepEqual(got, want) {
		h.t.Fatalf("%s: got %+v, want %+v", what, got, want)
	}
}

// after fails the test unless at is so long after from. Databases round to microseconds.
func (h *harness) after(what string, at, from time.Time, d time.Duration) {
	h.t.Helper()
	if got := at.Sub(from); (got - d).Abs() > time.Millisecond {
		h.t.Fatalf("%s: %v later, want %v", what, got, d)
	}
}

func (h *harness) that(what string, ok bool) {
	h.t.Helper()
	if !ok {
		h.t.Fatalf("not so: %s", what)
	}
}

// until looks again and again until ok, or fails.
func (h *harness) until(what string, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("did not happen in %v: %s", patience, what)
		}
	}
}

func (h *harness) register(w backend.Worker, lease time.Duration) {
	h.t.Helper()
	if w.State == "" {
		w.State = backend.WorkerReady
	}
	if w.Queues == nil {
		w.Queues = []string{"default"}
	}
	_, err := h.db.Register(h.ctx, w, lease)
	h.ok(err)
}

// worker registers a worker with a lease that outlives the test.
func (h *harness) worker(id string) string {
	h.t.Helper()
	h.register(backend.Worker{ID: id}, long)
	return id
}

// doomed registers a worker whose lease is soon over.
func (h *harness) doomed(id string) string {
	h.t.Helper()
	h.register(backend.Worker{ID: id}, brief)
	return id
}

// reap waits until the workers are declared dead, and says what was given back.
func (h *harness) reap(maxCrashes int, workers ...string) []backend.ReapedTask {
	h.t.Helper()
	var dead []string
	var tasks []backend.ReapedTask
	h.until("the workers are declared dead", func() bool {
		r, err := h.db.Reap(h.ctx, maxCrashes)
		h.ok(err)
		dead, tasks = append(dead, r.Workers...), append(tasks, r.Tasks...)
		return len(dead) >= len(workers)
	})
	return tasks
}

// commit applies commands in one batch, and leaves their errors to the caller.
func (h *harness) commit(worker string, commands ...backend.Command) {
	h.t.Helper()
	h.ok(h.db.Commit(h.ctx, &backend.Batch{Worker: worker, Commands: commands}))
}

func newStart(id string) *backend.Start {
	return &backend.Start{ID: id, Workflow: "wf", Queue: "default", Input: []byte(`{"of":"` + id + `"}`), InputHash: 7}
}

func (h *harness) start(ids ...string) {
	h.t.Helper()
	for _, id := range ids {
		s := newStart(id)
		h.commit("", s)
		h.ok(s.Err)
	}
}

// steps are the handlers that the suite's workers have.
func newClaim(max int) *backend.Claim {
	return &backend.Claim{Queues: []string{"default"}, Steps: []string{"wf", "act"}, Max: max}
}

func (h *harness) claim(worker string, max int) []backend.Claimed {
	h.t.Helper()
	c := newClaim(max)
	h.commit(worker, c)
	h.ok(c.Err)
	return c.Tasks
}

// claimOne claims the only task that is due, as soon as one is.
func (h *harness) claimOne(worker string) backend.Claimed {
	h.t.Helper()
	var got []backend.Claimed
	h.until("a task is due", func() bool {
		got = append(got, h.claim(worker, 10)...)
		return len(got) > 0
	})
	equal(h, "tasks claimed", ids(got), ids(got[:1]))
	return got[0]
}

// begin starts an execution and claims its orchestrator. It gives its token.
func (h *harness) begin(worker, id string) int64 {
	h.t.Helper()
	h.start(id)
	got := h.claimOne(worker)
	equal(h, "task", got.ID, root(id))
	return got.Token
}

// turn commits a turn that must succeed.
func (h *harness) turn(worker string, turn *backend.Turn) {
	h.t.Helper()
	h.commit(worker, turn)
	h.is("turn", turn.Err, nil)
}

// add adds entries to the history of an execution that the worker holds.
func (h *harness) add(worker, id string, token int64, adds ...backend.Add) {
	h.t.Helper()
	h.turn(worker, &backend.Turn{Execution: id, Token: token, Added: adds})
}

// yield gives an orchestrator back that waits until it is woken.
func (h *harness) yield(worker, id string, token int64) {
	h.t.Helper()
	h.turn(worker, &backend.Turn{Execution: id, Token: token, Yield: &backend.Yield{WakeIn: -1, Seen: h.execution(id).Wakes}})
}

// queued begins an execution with one activity in the queue, lets its orchestrator wait, and has the activity claimed.
func (h *harness) queued(worker, id string) backend.Claimed {
	h.t.Helper()
	token := h.begin(worker, id)
	h.add(worker, id, token, activity(1, backend.Pending))
	h.yield(worker, id, token)
	got := h.claimOne(worker)
	equal(h, "task", got.ID, task(id, 1))
	return got
}

func activity(seq int, state backend.State) backend.Add {
	return backend.Add{
		Seq: seq, Key: keyOf(seq), Kind: backend.Activity, Step: "act", Queue: "default", State: state, Input: []byte(`1`), InputHash: 9,
	}
}

func timer(seq int, d time.Duration) backend.Add {
	return backend.Add{Seq: seq, Key: keyOf(seq), Kind: backend.Timer, Step: "sleep", Queue: "default", State: backend.Waiting, Delay: d}
}

func keyOf(seq int) string { return "key-" + string(rune('a'+seq-1)) }

func root(execution string) backend.TaskID { return backend.TaskID{Execution: execution} }

func task(execution string, seq int) backend.TaskID {
	return backend.TaskID{Execution: execution, Seq: seq}
}

func ids(claimed []backend.Claimed) []string {
	list := make([]string, len(claimed))
	for i, c := range claimed {
		list[i] = c.ID.String()
	}
	return list
}

func (h *harness) history(id string) backend.History {
	h.t.Helper()
	all, err := h.db.History(h.ctx, []string{id})
	h.ok(err)
	if len(all) != 1 {
		h.t.Fatalf("there are %d histories of %s", len(all), id)
	}
	return all[0]
}

func (h *harness) execution(id string) backend.Execution {
	h.t.Helper()
	return h.history(id).Execution
}

// entry is the task at a place of an execution's history.
func (h *harness) entry(id string, seq int) backend.Task {
	h.t.Helper()
	for _, t := range h.history(id).Tasks {
		if t.ID.Seq == seq {
			return t
		}
	}
	h.t.Fatalf("%s has no task %d", id, seq)
	return backend.Task{}
}

// state fails the test unless the execution and its orchestrator are in these states.
func (h *harness) state(id string, execution, orchestrator backend.State) {
	h.t.Helper()
	e := h.execution(id)
	equal(h, "state of "+id, [2]backend.State{e.State, e.TaskState}, [2]backend.State{execution, orchestrator})
}

func oops() backend.Failure {
	return backend.Failure{Type: "*errors.errorString", Message: "oops", Code: "code", Stack: "stack", Cause: "x.1"}
}
