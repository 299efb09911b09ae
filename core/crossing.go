package core

import (
	"context"
	"errors"
	"maps"

	"github.com/stentgo/stent/core/backend"
)

// crossing is something that the engine does within the middleware, with what the middleware is told of it, in one piece
// of memory.
type crossing interface {
	// call calls the method of m that stands around it.
	call(ctx context.Context, m Middleware, next Next) error
	// arrive does it.
	arrive(ctx context.Context) error
}

// starting has commands written within the middleware: by write, or if that is nil by the committer.
func (e *Engine) starting(ctx context.Context, write Next, commands ...*backend.Start) error {
	s := &starts{e: e, write: write}
	s.commands, s.infos = append(s.room.commands[:0], commands...), s.room.infos[:0]
	for i, cmd := range commands {
		info := &s.room.info
		if i > 0 {
			info = new(StartInfo)
		}
		*info = StartInfo{ExecutionID: cmd.ID, Workflow: cmd.Workflow, Queue: cmd.Queue, Carrier: map[string]string{}}
		s.infos = append(s.infos, info)
	}
	return e.middleware.around(ctx, s)
}

type starts struct {
	e        *Engine
	write    Next
	commands []*backend.Start
	infos    []*StartInfo
	room     struct { // for one, which is the usual
		commands [1]*backend.Start
		infos    [1]*StartInfo
		info     StartInfo
	}
}

func (s *starts) call(ctx context.Context, m Middleware, next Next) error {
	return m.Start(ctx, s.infos, next)
}

func (s *starts) arrive(ctx context.Context) error {
	for i, cmd := range s.commands {
		if len(s.infos[i].Carrier) > 0 {
			cmd.Carrier = s.infos[i].Carrier
		}
	}
	var err error
	if s.write == nil {
		err = s.e.commitAll(ctx, s.commands)
	} else {
		err = s.write(ctx)
	}
	for i, cmd := range s.commands {
		s.infos[i].Existed, s.infos[i].Err, s.infos[i].Withdrawn = cmd.Existed, cmd.Err, errors.Is(err, errTicked)
	}
	if err == nil && len(s.commands) == 1 {
		err = s.commands[0].Err
	}
	return err
}

// startingChild shows the middleware a start that is written with a turn.
func (e *Engine) startingChild(ctx context.Context, cmd *backend.Start, parent string) {
	if !e.middleware.any() {
		return
	}
	s := &childStart{cmd: cmd, info: StartInfo{
		ExecutionID: cmd.ID, Workflow: cmd.Workflow, Queue: cmd.Queue, Parent: parent, Carrier: map[string]string{},
	}}
	maps.Copy(s.info.Carrier, cmd.Carrier)
	_ = e.middleware.always(ctx, s)
}

type childStart struct {
	cmd  *backend.Start
	info StartInfo
}

func (s *childStart) call(ctx context.Context, m Middleware, next Next) error {
	return m.Start(ctx, []*StartInfo{&s.info}, next)
}

func (s *childStart) arrive(context.Context) error {
	if len(s.info.Carrier) > 0 {
		s.cmd.Carrier = s.info.Carrier
	}
	return nil
}

// attemptWithin is an attempt within the middleware, and returns the context that the middleware made, for the log. The
// middleware can change an error, but not make one a result.
func (w *worker) attemptWithin(ctx context.Context, a *activityTask) (within context.Context, result []byte, err error) {
	if !a.middleware.any() {
		result, err = w.attempt(ctx, a)
		return ctx, result, err
	}
	x := &attempted{w: w, a: a, within: ctx, info: ExecuteInfo{TaskInfo: a.info, Token: a.token, Crashes: a.crashes, Carrier: a.carrier}}
	if err = a.middleware.around(ctx, x); err == nil {
		err = x.err
	}
	return x.within, x.result, err
}

type attempted struct {
	w      *worker
	a      *activityTask
	info   ExecuteInfo
	within context.Context //nolint:containedctx // on its way to the log
	result []byte
	err    error
}

func (x *attempted) call(ctx context.Context, m Middleware, next Next) error {
	return m.Execute(ctx, &x.info, next)
}

func (x *attempted) arrive(ctx context.Context) error {
	x.within = ctx
	x.result, x.err = x.w.attempt(ctx, x.a)
	return x.err
}

// turning has a workflow go on within the middleware, which has no say in whether and how.
func (r *run) turning(ctx context.Context, goOn Next) {
	_ = r.middleware.always(ctx, &turning{goOn, ExecuteInfo{TaskInfo: r.info, Token: r.token, Crashes: r.crashes, Carrier: r.carrier}})
}

type turning struct {
	goOn Next
	info ExecuteInfo
}

func (x *turning) call(ctx context.Context, m Middleware, next Next) error {
	return m.Execute(ctx, &x.info, next)
}

func (x *turning) arrive(ctx context.Context) error { return x.goOn(ctx) }

// signalling has a signal sent within the middleware.
func (e *Engine) signalling(ctx context.Context, cmd *backend.Signalled) error {
	if !e.middleware.any() {
		return e.send(ctx, cmd)
	}
	return e.middleware.around(ctx, &signalling{e, cmd, SignalInfo{ExecutionID: cmd.Execution, Name: cmd.Name}})
}

type signalling struct {
	e    *Engine
	cmd  *backend.Signalled
	info SignalInfo
}

func (x *signalling) call(ctx context.Context, m Middleware, next Next) error {
	return m.Signal(ctx, &x.info, next)
}

func (x *signalling) arrive(ctx context.Context) error { return x.e.send(ctx, x.cmd) }

// replaying has a dead letter put back to work within the middleware; queue is "" for the one that it was in.
func (e *Engine) replaying(ctx context.Context, letter *backend.DeadLetter, queue, actor string) error {
	if !e.middleware.any() {
		return e.db.Replay(ctx, letter.Task, queue, actor)
	}
	return e.middleware.around(ctx, &replaying{e, queue, ReplayInfo{Letter: *letter, Queue: orDefault(queue, letter.Queue), Actor: actor}})
}

type replaying struct {
	e     *Engine
	queue string // as it was asked for
	info  ReplayInfo
}

func (x *replaying) call(ctx context.Context, m Middleware, next Next) error {
	return m.Replay(ctx, &x.info, next)
}

func (x *replaying) arrive(ctx context.Context) error {
	return x.e.db.Replay(ctx, x.info.Letter.Task, x.queue, x.info.Actor)
}

// endedHere tells the middleware of the end of an execution whose last turn was here.
func (r *run) endedHere(t *backend.Turn) {
	if !r.middleware.any() {
		return
	}
	x := &ended{EndInfo{TaskInfo: r.info, State: t.State, Created: r.created, Started: r.started, Carrier: r.carrier, Reopened: r.reopened}}
	if t.State == backend.Failed || t.State == backend.TimedOut {
		x.info.Failure = t.Close.Failure
	}
	r.w.goroutines.Go(func() { _ = r.middleware.around(r.context(), x) })
}

// endedElsewhere tells the middleware of an execution that this worker ended in the database.
func (w *worker) endedElsewhere(id string) {
	if w.e.middleware.any() {
		w.goroutines.Go(func() { w.e.endedElsewhere(w.ctx, id) })
	}
}

func (e *Engine) endedElsewhere(ctx context.Context, id string) {
	if !e.middleware.any() {
		return
	}
	x, err := e.db.Execution(ctx, id)
	if err != nil {
		e.log.WarnContext(ctx, "an execution that has ended cannot be read and no middleware is told", "stent_execution_id", id, "error", err)
		return
	}
	info := EndInfo{
		TaskInfo: TaskInfo{
			ExecutionID: x.ID, TaskID: backend.TaskID{Execution: x.ID}.String(), WorkerID: x.Worker,
			Workflow: x.Workflow, Step: x.Workflow, Kind: backend.Orchestrator, Queue: x.Queue, Attempt: x.Attempt, Run: x.Run,
		},
		State: x.State, Failure: x.Failure, Created: x.Created, Started: x.Started, Carrier: x.Carrier, Reopened: x.HealedTo > 0,
	}
	if x.Parent != nil {
		info.ParentID = x.Parent.Execution
	}
	_ = e.middleware.around(withScope(ctx, &taskScope{info: info.TaskInfo}), &ended{info})
}

// ended is told to the middleware, which may take its time.
type ended struct{ info EndInfo }

func (x *ended) call(ctx context.Context, m Middleware, next Next) error {
	m.Ended(ctx, &x.info)
	return next(ctx)
}

func (x *ended) arrive(context.Context) error { return nil }
