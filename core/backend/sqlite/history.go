package sqlite

import (
	"context"

	"github.com/stentgo/stent/core/backend"
)

// History reads executions with all that is needed to go on with them, in the order of the ids.
func (db *DB) History(ctx context.Context, ids []string) ([]backend.History, error) {
	var all []backend.History
	err := db.read(ctx, func(c *conn) error {
		all = make([]backend.History, 0, len(ids))
		now := db.now()
		for _, id := range ids {
			h := backend.History{Now: now}
			found, err := db.history(ctx, c, id, &h)
			if err != nil {
				return err
			}
			if found {
				all = append(all, h)
			}
		}
		return nil
	})
	return all, db.wrap(err, "read %d histories", len(ids))
}

func (db *DB) history(ctx context.Context, c *conn, id string, h *backend.History) (bool, error) {
	var n int64
	found, err := c.one(ctx, db.q.findExecution, func(r *row) { n = r.int() }, id)
	if err != nil || !found {
		return false, err
	}
	err = c.readExecutions(ctx, db.q, []int64{n}, func(_ int64, e *backend.Execution, _ bool) { h.Execution = *e })
	if err != nil {
		return false, err
	}
	err = c.each(ctx, db.q.historyTasks, func(r *row) error {
		r.next()
		h.Tasks = append(h.Tasks, scanTask(r))
		return nil
	}, n)
	if err != nil {
		return false, err
	}
	return true, db.signals(ctx, c, n, h)
}

// signals reads what an execution has not consumed.
func (db *DB) signals(ctx context.Context, c *conn, n int64, h *backend.History) error {
	return c.each(ctx, db.q.historySignals, func(r *row) error {
		h.Signals = append(h.Signals, backend.Signal{Seq: r.int(), ID: r.text(), Name: r.text(), Payload: r.bytes(), Sent: r.time()})
		return nil
	}, n)
}

// News reads what others may have written of executions, in their order.
func (db *DB) News(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	var all []backend.History
	err := db.read(ctx, func(c *conn) error {
		all = make([]backend.History, 0, len(of))
		for _, k := range of {
			h := backend.History{}
			found, err := db.news(ctx, c, k, &h)
			if err != nil {
				return err
			}
			if found {
				all = append(all, h)
			}
		}
		return nil
	})
	return all, db.wrap(err, "read news of %d executions", len(of))
}

func (db *DB) news(ctx context.Context, c *conn, k backend.Known, h *backend.History) (found bool, err error) {
	var n int64
	err = c.each(ctx, db.q.news, func(r *row) error {
		found, n = true, r.int()
		h.Execution = backend.Execution{
			ID: k.Execution, State: backend.State(r.text()), Priority: int(r.int()), Token: r.int(), Run: int(r.int()),
			Effects: int(r.int()), Wakes: int(r.int()),
		}
		t := backend.Task{
			ID: backend.TaskID{Execution: k.Execution, Seq: int(r.int())}, Kind: backend.Kind(r.text()), State: backend.State(r.text()),
			Attempt: int(r.int()), Result: r.bytes(), Failure: r.failure(),
		}
		if t.ID.Seq > 0 {
			h.Tasks = append(h.Tasks, t)
		}
		return nil
	}, k.Seq, k.Execution)
	if err != nil || !found {
		return false, err
	}
	return true, db.signals(ctx, c, n, h)
}

// Held lists the tasks that a worker holds according to the database.
func (db *DB) Held(ctx context.Context, worker string) ([]backend.Task, error) {
	var tasks []backend.Task
	err := db.read(ctx, func(c *conn) error {
		held, err := readHeld(ctx, c, db.q, worker)
		for _, h := range held {
			tasks = append(tasks, backend.Task{ID: h.id, Kind: h.kind(), Step: h.step, Queue: h.queue, Token: h.token})
		}
		return err
	})
	return tasks, db.wrap(err, "list what worker %s holds", worker)
}

// held is a task that a worker holds.
type held struct {
	n          int64
	id         backend.TaskID
	step       string
	queue      string
	token      int64
	crashes    int64
	cancelling bool          // of an orchestrator
	state      backend.State // of its execution
	parent     *backend.TaskID
}

func (h *held) kind() backend.Kind {
	if h.id.IsRoot() {
		return backend.Orchestrator
	}
	return backend.Activity
}

func readHeld(ctx context.Context, c *conn, q *queries, worker string) ([]held, error) {
	var all []held
	err := c.each(ctx, q.heldExecutions, func(r *row) error {
		h := held{n: r.int(), id: backend.TaskID{Execution: r.text()}, step: r.text(), queue: r.text(), token: r.int(), crashes: r.int()}
		h.cancelling, h.state, h.parent = r.bool(), backend.State(r.text()), r.task()
		all = append(all, h)
		return nil
	}, worker)
	if err != nil {
		return nil, err
	}
	return all, c.each(ctx, q.heldTasks, func(r *row) error {
		h := held{n: r.int()}
		h.id = backend.TaskID{Execution: r.text(), Seq: int(r.int())}
		h.step, h.queue, h.token, h.crashes = r.text(), r.text(), r.int(), r.int()
		all = append(all, h)
		return nil
	}, worker)
}

// readExecutions reads executions by their numbers.
func (c *conn) readExecutions(ctx context.Context, q *queries, numbers []int64, fn func(n int64, e *backend.Execution, fresh bool)) error {
	return c.each(ctx, q.readExecutions, func(r *row) error {
		n := r.int()
		e := scanExecution(r)
		fn(n, &e, r.bool())
		return nil
	}, keyList(numbers))
}

// scanExecution reads the columns of read_executions.sql from the second on.
func scanExecution(r *row) backend.Execution {
	e := backend.Execution{
		ID: r.text(), Workflow: r.text(), Queue: r.text(), Priority: int(r.int()), Tags: r.list(),
		State: backend.State(r.text()), TaskState: backend.State(r.text()), Due: r.time(),
		Worker: r.text(), Token: r.int(), Attempt: int(r.int()), Crashes: int(r.int()),
		InputHash: r.int(), Result: r.bytes(), Failure: r.failure(), Cause: r.task(),
		Created: r.time(), Started: r.time(), Finished: r.time(), Deadline: r.time(), CancelRequested: r.time(),
		Wakes: int(r.int()), Effects: int(r.int()), HealedFrom: int(r.int()), HealedTo: int(r.int()),
		Parent: r.task(), Run: int(r.int()), Base: int(r.int()),
	}
	e.Policy, e.Metadata, e.Carrier, e.Input = r.bytes(), r.dict(), r.dict(), r.bytes()
	return e
}

// task reads the id of a task; NULL is nil.
func (r *row) task() *backend.TaskID {
	text := r.text()
	if text == "" {
		return nil
	}
	id, err := backend.ParseTaskID(text)
	if err != nil && r.err == nil {
		r.err = err
	}
	return &id
}

// scanTask reads the columns of read_tasks.sql from the second on.
func scanTask(r *row) backend.Task {
	return backend.Task{
		ID: backend.TaskID{Execution: r.text(), Seq: int(r.int())}, Key: r.text(), Kind: backend.Kind(r.text()),
		Step: r.text(), Workflow: r.text(), Queue: r.text(), Priority: int(r.int()), Tags: r.list(),
		State: backend.State(r.text()), Due: r.time(), Worker: r.text(),
		Token: r.int(), Attempt: int(r.int()), Crashes: int(r.int()), Policy: r.bytes(),
		Input: r.bytes(), InputHash: r.int(), Result: r.bytes(), Failure: r.failure(), Detail: r.bytes(),
		Created: r.time(), Started: r.time(), Finished: r.time(), Child: r.text(), Detached: r.bool(),
	}
}

// rootTask is an execution's orchestrator as a task.
func rootTask(e *backend.Execution) backend.Task {
	return backend.Task{
		ID: backend.TaskID{Execution: e.ID}, Kind: backend.Orchestrator, Step: e.Workflow, Workflow: e.Workflow,
		Queue: e.Queue, Priority: e.Priority, Tags: e.Tags, State: e.TaskState, Due: e.Due, Worker: e.Worker,
		Token: e.Token, Attempt: e.Attempt, Crashes: e.Crashes, Policy: e.Policy, Input: e.Input, InputHash: e.InputHash,
		Result: e.Result, Failure: e.Failure, Created: e.Created, Started: e.Started, Finished: e.Finished,
	}
}
