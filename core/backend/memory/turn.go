package memory

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// turn applies a turn, or nothing of it. One that was applied before is not refused.
func (t *tx) turn(c *backend.Turn) error {
	e := t.find(c.Execution)
	if !t.alive || e == nil {
		return backend.ErrLeaseLost
	}
	fits := false
	if e.held(c.Token) {
		parts := t.parts(e, c)
		wrong := slices.Index(parts, false)
		if wrong > 0 {
			return backend.ErrLeaseLost
		}
		fits = wrong < 0
	}
	if !fits { // if its first part is in place, all of it is
		if !t.hasTurned(e, c) {
			return backend.ErrLeaseLost
		}
		c.State = e.State
		return nil
	}
	t.apply(e, c)
	return nil
}

// parts tells of each part of a turn, in the order in which they are applied, whether it finds what it changes.
func (t *tx) parts(e *execution, c *backend.Turn) (fit []bool) {
	var ended []int
	running := func(seq int, token int64) bool {
		s := e.task(seq)
		ok := s != nil && s.State == backend.Running && s.Token == token && !slices.Contains(ended, seq)
		ended = append(ended, seq)
		return ok
	}
	var taken []int64
	consumable := func(seq int64) {
		if seq != 0 {
			fit = append(fit, !slices.Contains(taken, seq) && slices.ContainsFunc(e.signals, func(s *signal) bool { return s.Seq == seq && !s.consumed }))
			taken = append(taken, seq)
		}
	}
	for _, x := range c.Completed {
		fit = append(fit, running(x.Task.Seq, x.Token))
	}
	for _, x := range c.Buried {
		fit = append(fit, running(x.Task.Seq, x.Token))
	}
	for _, x := range c.Settled {
		s := e.task(x.Seq)
		fit = append(fit, s != nil && s.State == backend.Waiting && !slices.Contains(ended, x.Seq))
		ended = append(ended, x.Seq)
		consumable(x.Signal)
	}
	var added []int
	for _, a := range c.Added {
		fit = append(fit, e.task(a.Seq) == nil && !slices.Contains(added, a.Seq))
		added = append(added, a.Seq)
		consumable(a.Signal)
	}
	if len(c.Effects) > 0 {
		fit = append(fit, e.Effects < c.EffectsSeen)
	}
	if c.Continue != nil {
		fit = append(fit, e.Run < c.Continue.Run)
	}
	for _, seq := range c.Stopped {
		s := e.task(seq)
		fit = append(fit, s != nil && (!s.State.Final() || s.State == backend.Cancelled) && !slices.Contains(ended, seq))
	}
	return fit
}

// hasTurned looks for the first thing that the turn would have changed.
func (t *tx) hasTurned(e *execution, c *backend.Turn) bool {
	switch {
	case c.Continue != nil:
		return e.Run >= c.Continue.Run
	case len(c.Completed) > 0:
		return e.isAt(c.Completed[0].Task.Seq, c.Completed[0].Token, backend.Completed)
	case len(c.Buried) > 0:
		return e.isAt(c.Buried[0].Task.Seq, c.Buried[0].Token, c.Buried[0].State)
	case len(c.Settled) > 0:
		return e.isAt(c.Settled[0].Seq, 0, c.Settled[0].State)
	case len(c.Added) > 0:
		s := e.task(c.Added[0].Seq)
		return s != nil && s.Key == c.Added[0].Key
	case len(c.Effects) > 0:
		return e.Token == c.Token && e.Effects >= c.EffectsSeen
	case c.Close != nil:
		return e.Token == c.Token && (e.TaskState == c.Close.State || e.TaskState == backend.Cancelled)
	case c.Yield != nil:
		return e.Token == c.Token && e.TaskState == backend.Waiting
	case c.Again != nil:
		return e.Token == c.Token && e.TaskState == backend.Pending
	}
	return false
}

// isAt tells whether a task is in a state with a token, so that a command that would bring it there has been applied.
func (e *execution) isAt(seq int, token int64, state backend.State) bool {
	s := e.task(seq)
	return s != nil && s.State == state && s.Token == token
}

func (t *tx) apply(e *execution, c *backend.Turn) {
	for _, x := range c.Completed {
		t.complete(e.task(x.Task.Seq), x)
	}
	for _, x := range c.Buried {
		t.bury(e.task(x.Task.Seq), x)
	}
	for _, x := range c.Settled {
		s := e.task(x.Seq)
		s.State, s.Result, s.Finished = x.State, payload(x.Result), t.now
		e.consume(x.Signal)
	}
	for i := range c.Added {
		t.add(e, &c.Added[i])
	}
	for _, seq := range c.Cancels() {
		t.forget(e.task(seq), t.worker)
	}
	for _, child := range c.Deserted {
		_, _ = t.cancel(backend.Desertion(e.ID, child)) // one that has ended is no error
	}
	for _, seq := range c.SetAside {
		if s := e.task(seq); s != nil {
			s.Key = ""
		}
	}
	for _, x := range c.Effects {
		e.effect(x)
	}
	if len(c.Effects) > 0 {
		e.Effects = c.EffectsSeen
	}
	if c.Again == nil && c.Close == nil {
		e.Crashes = 0 // a turn is a success, but for one that ends a failed attempt
	}
	t.last(e, c)
}

func (e *execution) consume(seq int64) {
	for _, s := range e.signals {
		if s.Seq == seq {
			s.consumed = true
		}
	}
}

func (t *tx) add(e *execution, a *backend.Add) {
	for len(e.tasks) < a.Seq {
		e.tasks = append(e.tasks, nil)
	}
	s := &task{Task: backend.Task{
		ID: backend.TaskID{Execution: e.ID, Seq: a.Seq}, Key: a.Key, Kind: a.Kind, Step: a.Step, Workflow: e.Workflow,
		Queue: a.Queue, Priority: a.Priority, Tags: slices.Clone(a.Tags), State: a.State, Attempt: 1, Policy: payload(a.Policy),
		Input: payload(a.Input), InputHash: a.InputHash, Result: payload(a.Result), Created: t.now,
		Detached: a.Detached,
	}}
	s.claimable, s.startWithin = claimable{execution: e, task: s, serial: t.next()}, a.StartWithin
	e.tasks[a.Seq-1] = s
	if a.Child != nil {
		t.call(e, s, a.Child)
		return
	}
	switch a.State {
	case backend.Running:
		s.Started, s.Worker, s.Token = t.now, t.worker, 1
	case backend.Pending:
		t.setDue(&s.claimable, t.in(a.Delay))
	case backend.Waiting:
		if a.Delay >= 0 {
			s.fires = t.in(a.Delay)
		}
	default:
		s.Finished = t.now
	}
	e.consume(a.Signal)
}

// forget cancels an unfinished task that nobody waits for any more, because its execution ends or is to stop, and keeps
// how it was. A worker that runs it is told, unless it knows: told.
func (t *tx) forget(s *task, told string) {
	if s == nil || s.State.Final() {
		return
	}
	s.before, s.beforeDue = s.State, s.at
	if holder := s.holder(); holder != "" && holder != told {
		t.recall(holder, s.ID)
	}
	if s.State == backend.Running {
		s.before, s.beforeDue = backend.Pending, t.now
	}
	s.State, s.Finished = backend.Cancelled, t.now
	t.setDue(&s.claimable, time.Time{})
	t.claim(s, "")
}

func (e *execution) effect(x backend.Effect) {
	if x.Counter != "" {
		e.counters[x.Counter] += x.Delta
		return
	}
	value := slices.Clone(x.Value)
	if !json.Valid(value) {
		value, _ = json.Marshal(string(value)) // a string always encodes
	}
	e.custom[x.Custom] = value
}

// last is how the orchestrator stands after the turn.
func (t *tx) last(e *execution, c *backend.Turn) {
	switch {
	case c.Close != nil:
		t.close(e, c.Close)
	case c.Yield != nil:
		due := time.Time{}
		if c.Yield.WakeIn >= 0 {
			due = t.in(c.Yield.WakeIn)
		}
		if e.Wakes > c.Yield.Seen {
			due = t.now
		}
		e.TaskState, e.woken = backend.Waiting, false
		t.setDue(&e.claimable, due)
		t.standAlone(e)
	case c.Again != nil:
		t.keepAttempt(attemptAtRoot(e), c.Again.Failure, true)
		e.TaskState, e.woken = backend.Pending, false
		e.Attempt++
		due := t.in(c.Again.Delay)
		if !e.CancelRequested.IsZero() {
			due = t.now
		}
		t.setDue(&e.claimable, due)
		t.standAlone(e)
	case c.Continue != nil:
		t.anew(e, c.Continue)
	}
	c.State = e.State
}

// standAlone gives activities that stood on their orchestrator's lease one of their own, as it leaves its worker.
func (t *tx) standAlone(e *execution) {
	for _, s := range e.tasks {
		if s != nil && s.State == backend.Running && s.claimedBy == "" {
			t.claim(s, s.Worker)
		}
	}
}

// close ends an execution. One that is asked to cancel ends as cancelled, whatever its workflow says.
func (t *tx) close(e *execution, end *backend.Close) {
	e.State, e.Result, e.Failure, e.Cause = end.State, payload(end.Result), copied(end.Failure), copied(end.Cause)
	cancelled := !e.CancelRequested.IsZero()
	if cancelled {
		e.State, e.Result, e.Failure, e.Cause = backend.Cancelled, nil, nil, nil
	}
	e.TaskState, e.Finished, e.woken = e.State, t.now, false
	t.setDue(&e.claimable, time.Time{})
	delete(t.live, e)
	t.settleParent(e, end)
	if end.Reason == "" || cancelled {
		return
	}
	failure := backend.Failure{Message: end.Reason}
	if end.Failure != nil {
		failure = *end.Failure
	}
	t.buryRoot(e, failure, end.Reason)
}
