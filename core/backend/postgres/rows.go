package postgres

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// executionRow is a row of read_executions.sql.
type executionRow struct {
	id, workflow, queue, state, taskState, worker, cause, parent                   pgtype.Text
	rank, token, attempt, crashes, wakes, effects, healedFrom, healedTo, run, base pgtype.Int4
	hash                                                                           pgtype.Int8
	tags                                                                           []string
	policy, input, result, failure                                                 []byte
	metadata, carrier                                                              pgtype.Text
	due, created, started, finished, deadline, cancel, lease                       pgtype.Timestamptz
}

// scanExecution reads a row of read_executions.sql.
func scanExecution(rows pgx.Rows) (e backend.Execution, lease time.Time, err error) {
	var r executionRow
	if err := rows.Scan(&r.id, &r.workflow, &r.queue, &r.rank, &r.tags, &r.state, &r.taskState, &r.due, &r.worker, &r.token, &r.attempt,
		&r.crashes, &r.policy, &r.input, &r.hash, &r.result, &r.failure, &r.cause, &r.created, &r.started, &r.finished, &r.deadline, &r.cancel,
		&r.metadata, &r.carrier, &r.wakes, &r.effects, &r.healedFrom, &r.healedTo,
		&r.parent, &r.run, &r.base, &r.lease); err != nil {
		return e, lease, err
	}
	e = backend.Execution{
		ID: r.id.String, Workflow: r.workflow.String, Queue: r.queue.String, Priority: priority(r.rank), Tags: r.tags,
		State: backend.State(r.state.String), TaskState: backend.State(r.taskState.String), Due: at(r.due),
		Worker: r.worker.String, Token: int64(r.token.Int32), Attempt: or1(r.attempt), Crashes: int(r.crashes.Int32),
		Policy: r.policy, Input: r.input, InputHash: r.hash.Int64, Result: r.result,
		Created: at(r.created), Started: at(r.started), Finished: at(r.finished), Deadline: at(r.deadline), CancelRequested: at(r.cancel),
		Wakes: int(r.wakes.Int32), Effects: int(r.effects.Int32), HealedFrom: int(r.healedFrom.Int32), HealedTo: int(r.healedTo.Int32),
		Run: or1(r.run), Base: int(r.base.Int32),
	}
	if e.Cause, err = taskID(r.cause); err != nil {
		return e, lease, err
	}
	if e.Parent, err = taskID(r.parent); err != nil {
		return e, lease, err
	}
	err = errors.Join(decode(r.failure, &e.Failure), decodeDict(r.metadata, &e.Metadata), decodeDict(r.carrier, &e.Carrier))
	return e, at(r.lease), err
}

// rootTask is an execution's orchestrator as a task.
func rootTask(e *backend.Execution, lease time.Time) backend.Task {
	return backend.Task{
		ID: backend.TaskID{Execution: e.ID}, Kind: backend.Orchestrator, Step: e.Workflow, Workflow: e.Workflow,
		Queue: e.Queue, Priority: e.Priority, Tags: e.Tags, State: e.TaskState, Due: e.Due, Worker: e.Worker,
		Token: e.Token, Attempt: e.Attempt, Crashes: e.Crashes, Policy: e.Policy, Input: e.Input, InputHash: e.InputHash,
		Result: e.Result, Failure: e.Failure, Created: e.Created, Started: e.Started, Finished: e.Finished, LeaseUntil: lease,
	}
}

// taskRow is a row of read_tasks.sql and of history_tasks.sql.
type taskRow struct {
	execution, key, kind, step, workflow, queue, state, worker, child pgtype.Text
	seq, rank, token, attempt, crashes                                pgtype.Int4
	detached                                                          pgtype.Bool
	hash                                                              pgtype.Int8
	tags                                                              []string
	policy, input, result, failure, detail                            []byte
	due, created, started, finished, lease                            pgtype.Timestamptz
}

func scanTask(rows pgx.Rows) (t backend.Task, err error) {
	var r taskRow
	if err := rows.Scan(&r.execution, &r.seq, &r.key, &r.kind, &r.step, &r.workflow, &r.queue, &r.rank, &r.tags, &r.state, &r.due,
		&r.worker, &r.token, &r.attempt, &r.crashes, &r.policy, &r.input, &r.hash, &r.result, &r.failure, &r.created, &r.started,
		&r.finished, &r.lease, &r.child, &r.detached, &r.detail); err != nil {
		return t, err
	}
	t = backend.Task{
		ID: backend.TaskID{Execution: r.execution.String, Seq: int(r.seq.Int32)}, Key: unpackKey(r.step.String, r.key.String),
		Kind: backend.Kind(r.kind.String), Step: r.step.String, Workflow: r.workflow.String, Queue: r.queue.String,
		Priority: priority(r.rank), Tags: r.tags, State: backend.State(r.state.String), Due: at(r.due), Worker: r.worker.String,
		Token: int64(r.token.Int32), Attempt: or1(r.attempt), Crashes: int(r.crashes.Int32), Policy: r.policy,
		Input: r.input, InputHash: r.hash.Int64, Result: r.result, Detail: r.detail,
		Created: at(r.created), Started: at(r.started), Finished: at(r.finished), LeaseUntil: at(r.lease),
		Child: r.child.String, Detached: r.detached.Bool,
	}
	return t, decode(r.failure, &t.Failure)
}

// scanNews reads a row of news.sql: which of the executions asked for it is of, and what may be new of it and of a task,
// which has no place where there is none.
func scanNews(rows pgx.Rows) (n int64, e backend.Execution, t backend.Task, err error) {
	var (
		execution executionRow
		task      taskRow
	)
	if err := rows.Scan(&n, &execution.state, &execution.rank, &execution.token, &execution.run, &execution.effects, &execution.wakes,
		&task.seq, &task.kind, &task.state, &task.attempt, &task.result, &task.failure); err != nil {
		return n, e, t, err
	}
	e = backend.Execution{
		State: backend.State(execution.state.String), Priority: priority(execution.rank), Token: int64(execution.token.Int32),
		Run: or1(execution.run), Effects: int(execution.effects.Int32), Wakes: int(execution.wakes.Int32),
	}
	t = backend.Task{
		ID: backend.TaskID{Seq: int(task.seq.Int32)}, Kind: backend.Kind(task.kind.String), State: backend.State(task.state.String),
		Attempt: or1(task.attempt), Result: task.result,
	}
	return n, e, t, decode(task.failure, &t.Failure)
}

// decode reads JSON; NULL leaves to as it is.
func decode(data []byte, to any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal(data, to)
}

// decodeDict reads a map; NULL leaves to as it is.
func decodeDict(text pgtype.Text, to *map[string]string) (err error) {
	if text.Valid {
		*to, err = backend.DecodeDict(text.String)
	}
	return err
}

func at(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

func priority(rank pgtype.Int4) int { return -int(rank.Int32) }

// taskID reads the id of a task; NULL is nil.
func taskID(t pgtype.Text) (*backend.TaskID, error) {
	if !t.Valid {
		return nil, nil //nolint:nilnil // there is none
	}
	id, err := backend.ParseTaskID(t.String)
	return &id, err
}

// or1 reads an attempt or a run, of which the first is not stored.
func or1(n pgtype.Int4) int {
	if !n.Valid {
		return 1
	}
	return int(n.Int32)
}

// collect reads all rows.
func collect[T any](rows pgx.Rows, scan func(pgx.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, rows.Err()
}
