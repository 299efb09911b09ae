package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Flow is a workflow's access to the engine: the calls on it are what is kept. It belongs to the goroutine that runs
// the workflow and must not be used from another. It is no context.Context, so that I/O in a workflow does not compile
// by accident.
type Flow struct {
	run   *run
	scope taskScope
	own   scopedContext   // of the task
	base  context.Context //nolint:containedctx // the task's
	ctx   context.Context //nolint:containedctx // handed out by Context: base, or what the middleware made of it for this turn

	ordinals map[string]int // calls so far, by name
	alone    [1]*step       // what it waits for, where that is one
	effects  int            // changes of counters and state so far
	caughtUp bool           // the workflow has come to where it never was before
}

// newFlow makes the run's flow, which is part of it.
func newFlow(r *run) *Flow {
	f := &r.ownFlow
	f.run, f.caughtUp = r, r.unasked == 0
	f.scope.info, f.scope.replayer = r.info, f
	f.own = scopedContext{context.Background(), &f.scope}
	f.base, f.ctx = &f.own, &f.own
	return f
}

func (f *Flow) replays() bool { return !f.caughtUp }

// Context is for logging: it carries the task's identity. It is never cancelled and has no deadline.
func (f *Flow) Context() context.Context { return f.ctx }

// Info tells which execution this is.
func (f *Flow) Info() TaskInfo { return f.run.info }

// Counter is a sum that belongs to the execution and is shown with it. Each Add counts once, however often the
// workflow runs again.
func (f *Flow) Counter(name string) Counter { return Counter{f, name} }

// Counter adds to a named sum; see [Flow.Counter].
type Counter struct {
	flow *Flow
	name string
}

// Add adds delta, which may be negative, with the next write of the workflow. A bad name is a panic, which fails the
// workflow.
func (c Counter) Add(delta float64) {
	if err := checkName("counter", c.name); err != nil {
		panic(err)
	}
	c.flow.effect(backend.Effect{Counter: c.name, Delta: delta})
}

// State is a named value that belongs to the execution and is shown with it.
func (f *Flow) State(name string) CustomState { return CustomState{f, name} }

// CustomState sets a named value; see [Flow.State].
type CustomState struct {
	flow *Flow
	name string
}

// Set makes v, as JSON, the value, with the next write of the workflow. The limit of payloads holds for it too. It is not
// passed through the [Codec], so that consoles can show it.
func (s CustomState) Set(v any) error {
	if err := checkName("custom state", s.name); err != nil {
		return NonRetryable(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return payloadError("custom state %s: %T does not encode: %w", s.name, v, err)
	}
	if err := s.flow.run.w.e.payloads.fits("custom state ", s.name, data); err != nil {
		return err
	}
	s.flow.effect(backend.Effect{Custom: s.name, Value: data})
	return nil
}

// effect is dropped where the database has it already: effects are counted, and the first ones of a workflow that runs
// again are those that were written before.
func (f *Flow) effect(x backend.Effect) {
	f.mustLive()
	f.effects++
	if f.effects > f.run.effects {
		f.catchUp()
		f.run.draft.Effects = append(f.run.draft.Effects, x)
		f.run.draft.EffectsSeen = f.effects
	}
}

// callActivity finds or schedules a call. What is wrong with it is told when its result is asked for.
func (f *Flow) callActivity(c *callee, in any, opts []CallOption) *step {
	settings := &c.settings
	if len(opts) > 0 {
		own := c.settings
		settings = &own
		for _, opt := range opts {
			opt.toCall(settings)
		}
	}
	data, sum, err := f.run.w.e.payloads.encodeInput("input of activity ", c.name, in)
	if err == nil {
		err = settings.err
	}
	if err != nil {
		f.key(c.name, settings.key) // the call has its place among the others, whatever is wrong with it
		return &step{name: c.name, refused: NonRetryable(err)}
	}
	s, added, err := f.enter(backend.Activity, c.name, settings.key, sum)
	if err != nil {
		return &step{name: c.name, refused: err}
	}
	if !added {
		return s
	}
	queue := orDefault(settings.queue, f.run.info.Queue)
	if err := f.run.w.knows(c, queue); err != nil {
		f.abort(err)
	}
	policy := taskPolicy{
		retry: settings.retry, startToClose: settings.startToClose, scheduleToStart: settings.scheduleToStart, heartbeat: settings.heartbeat,
	}
	if settings.sharing.on {
		if policy.shareKey, err = settings.sharing.keyFor(c.name, in); err != nil {
			f.abort(NonRetryable(err))
		}
		policy.shareFor = settings.sharing.ttl
	}
	s.state, s.input, s.policy = backend.Pending, data, policy
	s.free = settings.maxConcurrent == 0
	f.add(s, backend.Add{
		Queue:     queue,
		Priority:  orDefault(settings.priority, f.run.priority),
		Tags:      settings.tags,
		Policy:    policy.encode(),
		Input:     data,
		InputHash: sum,
		State:     backend.Pending,

		StartWithin: settings.scheduleToStart,
	})
	return s
}

// key gives a call its place: the key that it was given, or its name and ordinal.
func (f *Flow) key(name, key string) string {
	if key != "" {
		return key
	}
	if f.ordinals == nil {
		f.ordinals = map[string]int{}
	}
	f.ordinals[name]++
	return name + "#" + strconv.Itoa(f.ordinals[name])
}

// recalls tells whether the history holds the next call of that name.
func (f *Flow) recalls(name string) bool {
	s := f.run.byKey[name+"#"+strconv.Itoa(f.ordinals[name]+1)]
	return s != nil && !s.asked
}

// enter finds the step of a call in the history, or makes a new one, which the caller completes and passes to add.
func (f *Flow) enter(kind backend.Kind, name, key string, sum int64) (s *step, added bool, err error) {
	f.mustLive()
	key = f.key(name, key)
	r := f.run
	if s := r.byKey[key]; s != nil {
		switch {
		case s.asked:
			return nil, false, NonRetryable(fmt.Errorf("the key %q is used by two calls of workflow %s; a key names one call", key, r.info.Workflow))
		case s.fits(kind, name, sum):
			s.asked = true
			r.unasked--
			if kind == backend.SideEffect && r.unasked == 0 {
				f.catchUp() // nothing of this is waited for
			}
			return s, false, nil
		case !s.healed:
			f.abort(&NonDeterminismError{
				Execution: r.info.ExecutionID, Key: key,
				Recorded: describe(s.kind, s.name, s.kind == kind && s.name == name),
				Asked:    describe(kind, name, s.kind == kind && s.name == name),
			})
		default: // it was written on a way that a replay has taken back
			r.draft.SetAside = append(r.draft.SetAside, s.id.Seq)
			s.forgotten = true
		}
	}
	f.lengthen()
	s = &step{id: backend.TaskID{Execution: r.info.ExecutionID, Seq: r.base + len(r.steps) + 1}, key: key, kind: kind, name: name, hash: sum, asked: true}
	if r.steps == nil {
		r.steps = make([]*step, 0, 8)
	}
	r.steps = append(r.steps, s)
	r.keep(s)
	f.catchUp()
	return s, true, nil
}

// keep makes a step known by its key.
func (r *run) keep(s *step) {
	if r.byKey == nil {
		r.byKey = map[string]*step{}
	}
	r.byKey[s.key] = s
}

func describe(kind backend.Kind, name string, input bool) string {
	text := fmt.Sprintf("%s %q", kind, name)
	if input {
		text += " with another input"
	}
	return text
}

// add has a new step written with the turn.
func (f *Flow) add(s *step, a backend.Add) {
	a.Seq, a.Key, a.Kind, a.Step = s.id.Seq, s.key, s.kind, s.name
	f.run.draft.Added = append(f.run.draft.Added, a)
}

// await returns when at least one of the steps is resolved; meanwhile other goroutines have the run.
func (f *Flow) await(steps []*step) {
	for {
		f.mustLive()
		if isToldOf(steps) {
			f.run.seeCancellation()
		}
		if anyResolved(steps) {
			break
		}
		f.run.park(steps)
	}
	if f.run.unasked == 0 {
		f.catchUp()
	}
}

// awaitOne returns when a step is resolved.
func (f *Flow) awaitOne(s *step) {
	f.alone[0] = s
	f.await(f.alone[:])
}

// catchUp is called where the workflow has done all that its history holds, and what it does from here on is new.
func (f *Flow) catchUp() {
	if f.caughtUp {
		return
	}
	f.caughtUp = true
	if r := f.run; r.stops {
		r.atNews = true
		r.baton <- struct{}{}
		<-r.baton
		f.mustLive()
	}
}

// mustLive ends the workflow's goroutine where the run was put aside. Goexit, unlike a panic, cannot be recovered from,
// and runs what the workflow deferred.
func (f *Flow) mustLive() {
	if f.run.killed || f.run.aborted != nil {
		runtime.Goexit()
	}
}

// abort fails the execution with an error that the workflow's own code does not get to see.
func (f *Flow) abort(err error) {
	f.run.aborted = err
	runtime.Goexit()
}

// step is an entry of the history as a run knows it.
type step struct {
	id   backend.TaskID
	key  string
	kind backend.Kind
	name string
	hash int64

	state   backend.State
	attempt int
	result  []byte
	failure *backend.Failure
	refused error // the call was never made

	asked     bool // the workflow has come to it since it was brought into memory
	healed    bool // see backend.Execution.HealedFrom
	forgotten bool // set aside

	// Of an activity that is not resolved.
	here   bool // it runs on this worker
	free   bool // it may begin on this worker without having been in a queue
	queue  string
	input  []byte
	policy taskPolicy

	// Of a call of a workflow.
	child    string // the id of its execution
	detached bool

	// Of a timer or a wait that is not resolved.
	timeout  time.Duration // until it fires, from when it is written; negative for never
	deadline time.Time     // when it fires, by the worker's clock
	timer    ClockTimer
}

func (s *step) fits(kind backend.Kind, name string, sum int64) bool {
	return s.kind == kind && s.name == name && (s.hash == sum || s.hash == 0 || sum == 0)
}

func (s *step) resolved() bool { return s.refused != nil || s.state.Final() }

func (s *step) failed() bool { return s.refused != nil || s.resolved() && s.state != backend.Completed }

func (s *step) err() error {
	switch {
	case s.refused != nil:
		return s.refused
	case s.state == backend.Completed:
		return nil
	case s.cancelled() && s.kind != backend.Child:
		return fmt.Errorf("%s %s: %w", s.kind, s.name, ErrCancelled)
	case s.kind == backend.SignalWait:
		return fmt.Errorf("signal %s: %w", s.name, ErrSignalTimeout)
	case s.kind == backend.Child:
		return s.childError()
	case s.failure == nil:
		return errors.New(s.name + ": " + stateVerb(s.state))
	default:
		return &ActivityError{Activity: s.name, Task: s.id, Attempts: s.attempt, State: s.state, Failure: *s.failure}
	}
}

func anyResolved(steps []*step) bool {
	for _, s := range steps {
		if s.resolved() {
			return true
		}
	}
	return len(steps) == 0
}
