package core

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Run is an execution that was started or looked up, with the type of its result.
type Run[O any] struct {
	engine *Engine
	id     string
	begun  bool // by this very Start, so that nobody has seen it end before Wait
	// Existed says that Start found the execution instead of making it.
	Existed bool
}

// ID is the execution's id.
func (r *Run[O]) ID() string { return r.id }

// Start begins an execution and returns when it is durable; it does not wait for the workflow. On an error it is
// unknown only after a broken connection or an ended context whether the execution was started; starting again with
// the same [ID] settles it.
func (w *Workflow[I, O]) Start(ctx context.Context, e *Engine, in I, opts ...StartOption) (*Run[O], error) {
	cmd, err := e.newStart(&w.callee, in, opts)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", w.name, err)
	}
	if e.middleware.any() {
		err = e.starting(ctx, func(ctx context.Context) error { return e.begin(ctx, cmd) }, cmd)
	} else {
		err = e.begin(ctx, cmd)
	}
	if err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", w.name, cmd.ID, err)
	}
	if cmd.Err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", w.name, cmd.ID, cmd.Err)
	}
	if cmd.Claimed.IsZero() {
		e.taskDue(cmd.Queue, cmd.Priority)
	}
	e.expiresIn(cmd.MaxDuration)
	return &Run[O]{engine: e, id: cmd.ID, begun: !cmd.Existed, Existed: cmd.Existed}, nil
}

// Input is one start of [Workflow.StartMany].
type Input[I any] struct {
	In      I
	Options []StartOption
}

// StartMany begins many executions with few writes and returns when all are durable. Nothing is started where an input
// or an option is bad. On another error some may have been started; with ids given, starting again settles it. The
// error joins those of single starts, such as ErrAlreadyExists, and the runs of the others are returned with it.
func (w *Workflow[I, O]) StartMany(ctx context.Context, e *Engine, inputs []Input[I]) ([]*Run[O], error) {
	commands := make([]*backend.Start, len(inputs))
	for i, in := range inputs {
		cmd, err := e.newStart(&w.callee, in.In, in.Options)
		if err != nil {
			return nil, fmt.Errorf("start %s, input %d: %w", w.name, i, err)
		}
		commands[i] = cmd
	}
	var err error
	if e.middleware.any() {
		err = e.starting(ctx, nil, commands...)
	} else {
		err = e.commitAll(ctx, commands)
	}
	if err != nil {
		return nil, fmt.Errorf("start %d executions of %s: %w", len(inputs), w.name, err)
	}
	var (
		runs   = make([]*Run[O], 0, len(inputs))
		failed error
	)
	for _, cmd := range commands {
		if cmd.Err != nil {
			failed = errors.Join(failed, fmt.Errorf("start %s as %s: %w", w.name, cmd.ID, cmd.Err))
			continue
		}
		runs = append(runs, &Run[O]{engine: e, id: cmd.ID, begun: !cmd.Existed, Existed: cmd.Existed})
		e.measureStarted(cmd)
		e.taskDue(cmd.Queue, cmd.Priority)
		e.expiresIn(cmd.MaxDuration)
	}
	return runs, failed
}

// StartTx begins an execution as part of the caller's own transaction: it is there if and when that commits, and leaves
// nothing if it is rolled back. Which types tx may have is said by the backend: a pgx.Tx for PostgreSQL, a *sql.Tx on
// the same file for SQLite. An id that exists with another workflow or input is ErrAlreadyExists; the transaction can
// go on after it.
func (w *Workflow[I, O]) StartTx(ctx context.Context, e *Engine, tx any, in I, opts ...StartOption) (*Run[O], error) {
	starter, ok := e.db.(backend.TxStarter)
	if !ok {
		return nil, fmt.Errorf("start %s in a transaction: %s cannot do that", w.name, e.db.Name())
	}
	cmd, err := e.newStart(&w.callee, in, opts)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", w.name, err)
	}
	if e.middleware.any() {
		err = e.starting(ctx, func(ctx context.Context) error { return starter.StartTx(ctx, tx, cmd) }, cmd)
	} else {
		err = starter.StartTx(ctx, tx, cmd)
	}
	if err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", w.name, cmd.ID, err)
	}
	if cmd.Err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", w.name, cmd.ID, cmd.Err)
	}
	return &Run[O]{engine: e, id: cmd.ID, Existed: cmd.Existed}, nil
}

// Attach returns a handle to an execution of this workflow that was started elsewhere, without looking whether it
// exists.
func (w *Workflow[I, O]) Attach(e *Engine, id string) *Run[O] { return &Run[O]{engine: e, id: id} }

// newStart checks and encodes everything that can be wrong before the database is asked.
func (e *Engine) newStart(c *callee, in any, opts []StartOption) (*backend.Start, error) {
	s := c.settings
	for _, opt := range opts {
		opt.toStart(&s)
	}
	if s.err != nil {
		return nil, s.err
	}
	if err := e.knows(c); err != nil {
		return nil, err
	}
	data, sum, err := e.payloads.encodeInput("input of workflow ", c.name, in)
	if err != nil {
		return nil, err
	}
	return &backend.Start{
		ID:          orDefault(s.id, newID(e.clock.Now())),
		Workflow:    c.name,
		Queue:       orDefault(s.queue, DefaultQueue),
		Priority:    s.priority,
		Tags:        s.tags,
		Policy:      workflowPolicy(s.retry),
		Input:       data,
		InputHash:   sum,
		Delay:       s.delay,
		At:          s.at,
		MaxDuration: s.maxDuration,
		Metadata:    s.metadata,
	}, nil
}

// workflowPolicy leaves out the default, which for workflows is a single attempt.
func workflowPolicy(p RetryPolicy) []byte {
	if p.MaxAttempts == once.MaxAttempts {
		return nil
	}
	if data := (taskPolicy{retry: p}).encode(); data != nil {
		return data
	}
	return []byte("{}")
}

// Wait blocks until the execution has ended and returns its result. For one that failed, timed out or was cancelled
// the error is an [*ExecutionError]; for an unknown id it is ErrNotFound.
//
// It is told at once when the execution ends in this process, and soon when it ends in another and the backend can
// watch; besides, it asks the database every second.
func (r *Run[O]) Wait(ctx context.Context) (O, error) {
	var out O
	end, err := r.engine.waitFor(ctx, r.id, r.begun)
	if err != nil {
		return out, fmt.Errorf("wait for %s: %w", r.id, err)
	}
	if end.state != backend.Completed {
		failure := &ExecutionError{ID: r.id, Workflow: end.workflow, State: end.state, Cause: end.cause}
		if end.failure != nil {
			failure.Failure = *end.failure
		}
		return out, failure
	}
	return out, r.engine.payloads.decode("result of execution ", r.id, end.result, &out)
}

// ending is how an execution ended.
type ending struct {
	workflow string
	state    backend.State
	result   []byte
	failure  *backend.Failure
	cause    *backend.TaskID
}

// Wait asks the database when it is told of a change, but no sooner after the last time than a pause that doubles from
// waitFirst to waitPoll: a short wait ends soon, and a thousand long ones are no load. An execution that is in the
// memory of a worker here is not asked for at all, since its end is told.
const (
	waitFirst = 10 * time.Millisecond
	waitPoll  = time.Second
)

func (e *Engine) waitFor(ctx context.Context, id string, begun bool) (ending, error) {
	told := e.waits.add(id)
	defer e.waits.remove(id, told)
	e.watch.enter()
	defer e.watch.leave()

	for pause := waitFirst; ; pause = min(2*pause, waitPoll) {
		changed := e.watch.next()
		if begun = begun && len(e.serving()) > 0; !begun && !e.holds(id) {
			x, err := e.asking.ask(ctx, id)
			if err != nil {
				return ending{}, err
			}
			if x.State.Final() {
				return ending{x.Workflow, x.State, x.Result, x.Failure, x.Cause}, nil
			}
		}
		end, ended, err := e.waitOnce(ctx, told, changed, begun, pause)
		begun = false
		if ended || err != nil {
			return end, err
		}
	}
}

// tellsAll is an optional ability of a backend that watches: to miss no change, so that nobody need ask.
type tellsAll interface{ TellsAll() bool }

// askEvery is how long a wait goes on without asking when nothing is told.
func (e *Engine) askEvery() time.Duration {
	if t, ok := e.db.(tellsAll); ok && t.TellsAll() {
		return time.Hour
	}
	return waitPoll
}

// holds tells whether a worker of this process has the execution in memory.
func (e *Engine) holds(id string) bool {
	for _, w := range e.serving() {
		w.mu.Lock()
		_, ok := w.runs[id]
		w.mu.Unlock()
		if ok {
			return true
		}
	}
	return false
}

// waitOnce returns when it is time to ask again, or the execution has ended here. news says that a change need not be
// waited for.
func (e *Engine) waitOnce(ctx context.Context, told <-chan ending, changed <-chan struct{}, news bool, pause time.Duration) (ending, bool, error) {
	alarm := make(chan struct{}, 1)
	timer := e.clock.AfterFunc(pause, func() { alarm <- struct{}{} })
	defer timer.Stop()

	for ready := false; !ready || !news; {
		select {
		case end := <-told:
			return end, true, nil
		case <-ctx.Done():
			return ending{}, false, ctx.Err()
		case <-alarm:
			if ready {
				return ending{}, false, nil
			}
			ready = true
			timer.Reset(max(e.askEvery()-pause, 0))
		case <-changed:
			news, changed = true, nil
		}
	}
	return ending{}, false, nil
}
