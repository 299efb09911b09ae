package core

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// run is an execution in a worker's memory: its workflow's goroutine, and what is known of its history.
//
// It moves in turns. A turn takes in what has happened (an activity ended, a timer fired, a signal came), lets the
// workflow go on until it waits again, and hands everything that changed to the committer as one command. So the end
// of one activity and the beginning of the next are one write. The workflow sees a result a moment before it is
// committed; nothing that it does then reaches the world before its turn has been committed, and if that is refused
// the run is dropped and another worker starts from what the database holds.
//
// The workflow's goroutine and the turn alternate and never run at once, so they share the fields below without a lock.
// At most one turn is under way, from taking in to commit; what happens meanwhile waits in events.
type run struct {
	w        *worker
	info     TaskInfo
	token    int64
	attempt  int
	crashes  int
	policy   taskPolicy
	input    []byte
	priority int
	handler  Handler

	steps    []*step // by Seq - 1
	byKey    map[string]*step
	signals  []backend.Signal // not consumed, in order
	consumed map[int64]bool   // signals that turns have consumed; a history that is read meanwhile may still show them
	unasked  int              // steps of the history that the workflow has not come to
	effects  int              // in the database
	wakes    int              // as of the last history that was taken in
	slot     bool             // it holds one of the worker's slots, from its claim to its first wait
	parked   time.Time        // since when it waits
	evict    bool             // it is to leave memory with the next turn that finds it waiting

	// Between the turn and the workflow's goroutine.
	draft   *backend.Turn // what the workflow adds to the turn
	waiting []*step       // what it waits for
	resume  chan struct{}
	yielded chan struct{} // it waits, or has ended
	begun   bool
	ended   bool
	killed  bool
	output  []byte
	failure error
	aborted error // a fault that the engine found; counts before failure

	mu     sync.Mutex
	events []event
	loaded bool // its history has been read, or there is none
	busy   bool // a turn is under way
	gone   bool // no longer in the worker's memory
}

// event is something that happened to a run. Exactly one field is set; attempt goes with buried.
type event struct {
	completed *backend.Complete // by an activity on this worker
	buried    *backend.Bury
	attempt   int              // of the activity that was buried
	fired     *step            // a timer, or the timeout of a wait
	history   *backend.History // something was written by somebody else
	evict     bool             // leave memory, if it only waits
	returned  int              // Seq of an activity that is back in its queue
}

// flushAfter is how long a workflow may compute before the results that it was given are committed without it.
const flushAfter = 20 * time.Millisecond

// deliver hands an event to the run and, unless a turn is under way, makes a turn of it. false if the run is gone.
func (r *run) deliver(ev event) bool {
	r.mu.Lock()
	if r.gone {
		r.mu.Unlock()
		return false
	}
	r.events = append(r.events, ev)
	turn := !r.busy
	r.busy = true
	r.mu.Unlock()
	if turn {
		r.turn()
	}
	return true
}

// first makes the history that a run begins with its first event. false if it has one already.
func (r *run) first(h *backend.History) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded || r.gone {
		return false
	}
	r.loaded = true
	r.events = append([]event{{history: h}}, r.events...)
	return true
}

// seize makes the caller the one who has the turn, to end the run. false if a turn is under way, whose commit will end
// it, or the run is gone.
func (r *run) seize() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone || r.busy && r.loaded {
		return false
	}
	r.busy, r.loaded = true, true
	return true
}

// waitsSince tells whether the run has been waiting since before a time.
func (r *run) waitsSince(limit time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.busy && !r.gone && r.parked.Before(limit)
}

// turn does one turn up to its commit; busy is set. Where nothing changes there is nothing to commit.
func (r *run) turn() {
	r.mu.Lock()
	events := r.events
	r.events = nil
	r.mu.Unlock()

	t := &backend.Turn{Execution: r.info.ExecutionID, Token: r.token}
	r.draft = &backend.Turn{}
	r.evict = false
	for _, ev := range events {
		r.takeIn(t, ev)
	}
	r.matchSignals(t)
	if !r.begun || !r.ended && anyResolved(r.waiting) {
		t = r.advance(t)
	}
	if t == nil {
		r.lose() // its results were refused
		return
	}
	t.Added, t.SetAside = r.draft.Added, r.draft.SetAside
	t.Effects, t.EffectsSeen = r.draft.Effects, r.draft.EffectsSeen

	if r.slot {
		r.slot = false
		r.w.release()
	}
	var begin []*step
	if r.ended {
		r.conclude(t)
	} else {
		begin = r.lease(t)
		r.parked = r.w.e.clock.Now()
		r.mayYield(t)
	}
	if isEmpty(t) {
		r.turned()
		return
	}
	r.w.submit(t, func(err error) { r.committed(t, begin, err) })
}

func isEmpty(t *backend.Turn) bool {
	return len(t.Completed)+len(t.Buried)+len(t.Settled)+len(t.Added)+len(t.SetAside)+len(t.Effects) == 0 &&
		t.Close == nil && t.Yield == nil && t.Again == nil
}

// takeIn makes an event part of the run's knowledge and of the turn.
func (r *run) takeIn(t *backend.Turn, ev event) {
	switch {
	case ev.completed != nil:
		s := r.steps[ev.completed.Task.Seq-1]
		s.here, s.state, s.result = false, backend.Completed, ev.completed.Result
		t.Completed = append(t.Completed, ev.completed)
	case ev.buried != nil:
		s := r.steps[ev.buried.Task.Seq-1]
		s.here, s.state, s.failure, s.attempt = false, ev.buried.State, &ev.buried.Failure, ev.attempt
		t.Buried = append(t.Buried, ev.buried)
	case ev.fired != nil:
		if s := ev.fired; !s.resolved() {
			state := backend.Completed
			if s.kind == backend.SignalWait {
				state = backend.TimedOut
			}
			r.settle(t, s, backend.Settle{State: state})
		}
	case ev.history != nil:
		r.learn(ev.history)
	case ev.evict:
		r.evict = true
	case ev.returned != 0:
		r.steps[ev.returned-1].here = false
	}
}

func (r *run) settle(t *backend.Turn, s *step, x backend.Settle) {
	if s.stop != nil {
		s.stop()
	}
	s.state, s.result = x.State, x.Result
	x.Seq = s.id.Seq
	t.Settled = append(t.Settled, x)
}

// learn takes in what the database holds: at first everything, later what others have written since.
func (r *run) learn(h *backend.History) {
	r.effects, r.wakes = max(r.effects, h.Execution.Effects), max(r.wakes, h.Execution.Wakes)
	for i := range h.Tasks {
		r.learnTask(h, &h.Tasks[i])
	}
	for _, sig := range h.Signals {
		if !r.knowsSignal(sig.Seq) {
			r.signals = append(r.signals, sig)
		}
	}
}

func (r *run) learnTask(h *backend.History, task *backend.Task) {
	for len(r.steps) < task.ID.Seq {
		r.steps = append(r.steps, nil)
	}
	s := r.steps[task.ID.Seq-1]
	if s == nil {
		s = &step{
			id: task.ID, key: task.Key, kind: task.Kind, name: task.Step, hash: task.InputHash,
			state: task.State, attempt: task.Attempt, result: task.Result, failure: task.Failure,
			healed: task.ID.Seq > h.Execution.HealedFrom && task.ID.Seq <= h.Execution.HealedTo,
			input:  task.Input,
		}
		r.steps[task.ID.Seq-1] = s
		if task.Key == "" {
			s.forgotten = true // set aside before
			return
		}
		r.byKey[task.Key] = s
		r.unasked++
		if !s.resolved() && (s.kind == backend.Timer || s.kind == backend.SignalWait) {
			s.timeout = -1
			if !task.Due.IsZero() {
				s.timeout = max(task.Due.Sub(h.Now), 0)
			}
			r.arm(s)
		}
		return
	}
	if !s.resolved() && !s.here && task.State.Final() && s.kind == backend.Activity {
		s.state, s.attempt, s.result, s.failure = task.State, task.Attempt, task.Result, task.Failure
	}
}

func (r *run) knowsSignal(seq int64) bool {
	for _, s := range r.signals {
		if s.Seq == seq {
			return true
		}
	}
	return r.consumed[seq]
}

// takeSignal removes the first signal of a name.
func (r *run) takeSignal(name string) (backend.Signal, bool) {
	for i, sig := range r.signals {
		if sig.Name == name {
			r.signals = append(r.signals[:i:i], r.signals[i+1:]...)
			if r.consumed == nil {
				r.consumed = map[int64]bool{}
			}
			r.consumed[sig.Seq] = true
			return sig, true
		}
	}
	return backend.Signal{}, false
}

// matchSignals gives signals to the waits that were there before them, the first to the first.
func (r *run) matchSignals(t *backend.Turn) {
	if len(r.signals) == 0 {
		return
	}
	for _, s := range r.steps {
		if s == nil || s.kind != backend.SignalWait || s.resolved() || s.forgotten {
			continue
		}
		if sig, ok := r.takeSignal(s.name); ok {
			r.settle(t, s, backend.Settle{State: backend.Completed, Result: sig.Payload, Signal: sig.Seq})
		}
	}
}

// advance lets the workflow run until it waits or ends. Where that takes long, the results in t are committed first,
// so that a crash in a long computation does not repeat the activities before it; what is left of the turn is
// returned, or nil if the commit was refused.
func (r *run) advance(t *backend.Turn) *backend.Turn {
	if !r.begun {
		r.begun = true
		r.w.goroutines.Go(r.body)
	} else {
		r.resume <- struct{}{}
	}
	if len(t.Completed)+len(t.Buried)+len(t.Settled) == 0 {
		<-r.yielded
		return t
	}
	late := make(chan struct{})
	stop := r.w.e.clock.AfterFunc(flushAfter, func() { close(late) })
	defer stop()
	select {
	case <-r.yielded:
		return t
	case <-late:
	}
	done := make(chan error, 1)
	r.w.submit(t, func(err error) {
		r.finish(t)
		done <- errors.Join(err, t.Err)
	})
	err := <-done
	<-r.yielded
	if err != nil {
		return nil
	}
	return &backend.Turn{Execution: t.Execution, Token: t.Token}
}

// body is the workflow's goroutine.
func (r *run) body() {
	defer func() { r.yielded <- struct{}{} }() // also when the goroutine is made to end in the middle
	defer func() { r.ended = true }()
	defer func() {
		if v := recover(); v != nil {
			r.failure = recovered(v)
		}
	}()
	flow := &Flow{run: r, ordinals: map[string]int{}}
	flow.ctx = withScope(context.Background(), &taskScope{info: r.info, replaying: func() bool {
		return !flow.news && r.unasked > 0
	}})
	r.output, r.failure = r.handler.workflow(flow, r.w.e.payloads, r.input)
}

// park is called by the workflow's goroutine to wait for one of the steps.
func (r *run) park(steps []*step) {
	r.waiting = steps
	r.yielded <- struct{}{}
	<-r.resume
	r.waiting = nil
}

// conclude makes the end of the workflow part of the turn.
func (r *run) conclude(t *backend.Turn) {
	err := r.failure
	if r.aborted != nil {
		err = r.aborted
	}
	// What was asked for in this very turn and nobody waits for does not begin at all.
	kept := t.Added[:0]
	for _, a := range t.Added {
		if r.steps[a.Seq-1].resolved() {
			kept = append(kept, a)
		} else {
			r.steps[a.Seq-1].forgotten = true
		}
	}
	t.Added = kept

	if err != nil && r.aborted == nil {
		if delay, again := r.policy.retry.next(r.attempt, err, r.w.random()); again {
			if !r.anyHere() { // they stand on the lease that this would give back; each brings another turn
				t.Again = &backend.Again{Failure: failureOf(err), Delay: delay}
			}
			return
		}
	}
	for _, s := range r.steps {
		if s != nil && !s.resolved() && !s.forgotten {
			t.Forgotten = append(t.Forgotten, s.id.Seq)
		}
	}
	if err == nil {
		t.Close = &backend.Close{State: backend.Completed, Result: r.output}
		return
	}
	failure := failureOf(err)
	t.Close = &backend.Close{State: backend.Failed, Failure: &failure}
	var activity *ActivityError
	if errors.As(err, &activity) && activity.Task.Execution == r.info.ExecutionID {
		t.Close.Cause = &activity.Task // it is in the dead letters; replaying it heals this execution
	} else {
		t.Close.Reason = reasonOf(failure)
	}
}

// anyHere tells whether an activity of the run is running on this worker.
func (r *run) anyHere() bool {
	for _, s := range r.steps {
		if s != nil && s.here {
			return true
		}
	}
	return false
}

// lease lets new activities begin on this worker as soon as the turn is committed, as far as there are slots.
func (r *run) lease(t *backend.Turn) []*step {
	var begin []*step
	for i := range t.Added {
		a := &t.Added[i]
		s := r.steps[a.Seq-1]
		if a.Kind == backend.Activity && s.free && r.w.mayBegin(a) {
			a.State, s.state, s.here, s.attempt = backend.Running, backend.Running, true, 1
			begin = append(begin, s)
		}
	}
	return begin
}

// mayYield decides whether the run leaves the worker's memory with this turn: when it is known to wait for long, when
// too many wait, or when the worker drains. One with an activity on this very worker stays, since that activity stands
// on its lease.
func (r *run) mayYield(t *backend.Turn) {
	wake := time.Duration(-1)
	for _, s := range r.steps {
		if s == nil || s.resolved() || s.forgotten {
			continue
		}
		if s.here {
			return
		}
		if s.timeout >= 0 && (s.kind == backend.Timer || s.kind == backend.SignalWait) {
			left := s.timeout
			if !s.deadline.IsZero() {
				left = max(s.deadline.Sub(r.w.e.clock.Now()), 0)
			}
			if wake < 0 || left < wake {
				wake = left
			}
		}
	}
	// Whoever took it over from a worker that died lets go of it as soon as it waits, so that it is not blamed for the
	// next death as well.
	long := wake > r.w.cfg.EvictAfter || r.crashes > 0
	for _, s := range r.waiting {
		long = long && (s.kind != backend.Activity || r.crashes > 0)
	}
	if long || r.evict || r.w.crowded() {
		t.Yield = &backend.Yield{WakeIn: wake, Seen: r.wakes}
	}
}

// committed is called by the committer.
func (r *run) committed(t *backend.Turn, begin []*step, err error) {
	r.finish(t)
	if err != nil || t.Err != nil {
		for range begin {
			r.w.release()
		}
		r.w.refused(r.info.ExecutionID, errors.Join(err, t.Err))
		r.w.goroutines.Go(r.lose)
		return
	}
	if t.EffectsSeen > 0 {
		r.effects = t.EffectsSeen
	}
	if t.Close != nil || t.Yield != nil || t.Again != nil {
		r.leave(t)
		return
	}
	for _, s := range begin {
		r.w.begin(r.activityOf(s))
	}
	for _, a := range t.Added {
		switch s := r.steps[a.Seq-1]; a.State {
		case backend.Waiting:
			r.arm(s)
		case backend.Pending:
			r.w.e.taskDue(a.Queue, a.Priority)
		}
	}
	r.turned()
}

// finish takes the activities that ended with a turn out of the worker's hands.
func (r *run) finish(t *backend.Turn) {
	for _, c := range t.Completed {
		r.w.finished(c.Task, c.Token)
	}
	for _, c := range t.Buried {
		r.w.finished(c.Task, c.Token)
	}
}

// turned ends a turn, or begins the next if something has happened meanwhile.
func (r *run) turned() {
	r.mu.Lock()
	again := len(r.events) > 0
	r.busy = again
	r.mu.Unlock()
	if again {
		r.w.goroutines.Go(r.turn)
	}
}

// arm starts the timer of a step that is in the database.
func (r *run) arm(s *step) {
	if s.timeout < 0 {
		return
	}
	s.deadline = r.w.e.clock.Now().Add(s.timeout)
	s.stop = r.w.e.clock.AfterFunc(s.timeout, func() { r.deliver(event{fired: s}) })
}

func (r *run) activityOf(s *step) *activityTask {
	info := r.info
	info.TaskID, info.Step, info.Kind, info.Attempt = s.id.String(), s.name, backend.Activity, 1
	return &activityTask{id: s.id, info: info, token: 1, input: s.input, policy: s.policy}
}

// leave takes the run out of memory after its last turn here.
func (r *run) leave(t *backend.Turn) {
	left := r.remove()
	// An activity that came from a queue may have ended while the turn was being committed.
	for _, ev := range left {
		if ev.completed != nil {
			r.w.complete(ev.completed)
		}
		if ev.buried != nil {
			r.w.bury(ev.buried, ev.attempt)
		}
	}
	if t.Close != nil {
		r.w.closed(r, t)
	}
	if t.Again != nil {
		r.w.dueIn(t.Again.Delay)
	}
	if t.Yield != nil && t.Yield.WakeIn >= 0 {
		r.w.dueIn(t.Yield.WakeIn)
	}
	if !r.ended {
		r.w.goroutines.Go(r.kill)
	}
}

// lose drops the run because its lease is gone, or its turn was refused. No turn is under way but the caller's.
func (r *run) lose() {
	for _, ev := range r.remove() {
		if ev.completed != nil {
			r.w.finished(ev.completed.Task, ev.completed.Token)
		}
		if ev.buried != nil {
			r.w.finished(ev.buried.Task, ev.buried.Token)
		}
	}
	r.w.cancelActivities(r.info.ExecutionID, ErrLeaseLost)
	r.kill()
	if !isClosed(r.w.lostLease) {
		r.giveUp()
	}
}

// giveUp gives back what the run held, for somebody to begin again from what the database holds: a turn was refused
// although the worker's lease stands. What stands on the orchestrator's lease goes first.
func (r *run) giveUp() {
	left := int32(1)
	root := func(error) {
		if atomic.AddInt32(&left, -1) > 0 {
			return
		}
		cmd := &backend.Release{Task: backend.TaskID{Execution: r.info.ExecutionID}, Token: r.token}
		r.w.submit(cmd, func(error) { r.w.due(r.priority) })
	}
	for _, s := range r.steps {
		if s != nil && s.here {
			atomic.AddInt32(&left, 1)
			r.w.submit(&backend.Release{Task: s.id, Token: 1}, root)
		}
	}
	root(nil)
}

// remove forgets the run and returns the events that nobody has taken in.
func (r *run) remove() []event {
	r.mu.Lock()
	left := r.events
	r.events, r.gone = nil, true
	r.mu.Unlock()
	for _, s := range r.steps {
		if s != nil && s.stop != nil {
			s.stop()
		}
	}
	r.w.forget(r)
	return left
}

// kill ends the workflow's goroutine; what the workflow deferred runs. No turn is under way.
func (r *run) kill() {
	if !r.begun || r.ended {
		return
	}
	r.killed = true
	r.resume <- struct{}{}
	<-r.yielded
}

// unregistered says what is wrong with an activity that no handler here can do.
func unregistered(c *callee, queue, known string) error {
	return &codedError{CodeNotRegistered, fmt.Errorf("activity %q is not registered with the worker that serves its queue %q (registered: "+
		"%s): pass its Handle to engine.Register, or, if another program implements it, give it a queue of its own or say so with core.Elsewhere()",
		c.name, queue, known)}
}
