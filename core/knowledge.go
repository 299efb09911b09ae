package core

import (
	"github.com/stentgo/stent/core/backend"
)

// takeInAll takes in what has happened since the last turn.
func (r *run) takeInAll(t *backend.Turn) {
	r.mu.Lock()
	events := r.events
	r.events, r.spare = r.spare, nil
	r.mu.Unlock()
	for _, ev := range events {
		r.takeIn(t, ev)
	}
	clear(events)
	known := max(r.known, r.base) // nobody else writes it
	for known-r.base < len(r.steps) && !r.steps[known-r.base].isElsewhere() {
		known++
	}
	r.mu.Lock()
	r.spare, r.known = events[:0], known
	r.mu.Unlock()
}

// isElsewhere tells whether others may end a step.
func (s *step) isElsewhere() bool {
	return s != nil && (s.kind == backend.Activity || s.kind == backend.Child) && !s.resolved()
}

// asks is what the worker asks for when it was told that there is news of the run.
func (r *run) asks() backend.Known {
	r.mu.Lock()
	defer r.mu.Unlock()
	return backend.Known{Execution: r.info.ExecutionID, Seq: r.known}
}

// takeIn makes an event part of the run's knowledge and of the turn.
func (r *run) takeIn(t *backend.Turn, ev event) {
	switch {
	case ev.completed != nil:
		s := r.at(ev.completed.Task.Seq)
		if s.resolved() { // it was cancelled meanwhile
			r.w.finished(ev.completed.Task, ev.completed.Token)
			return
		}
		s.here, s.state, s.result = false, backend.Completed, ev.completed.Result
		t.Completed = append(t.Completed, ev.completed)
	case ev.buried != nil:
		s := r.at(ev.buried.Task.Seq)
		if s.resolved() {
			r.w.finished(ev.buried.Task, ev.buried.Token)
			return
		}
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
	case ev.news != nil:
		r.hear(ev.news)
	case ev.evict:
		r.evict = true
	case ev.returned != 0:
		if ev.returned > r.base { // and not of the run before
			r.at(ev.returned).here = false
		}
	}
}

// at is the step at a place of the history.
func (r *run) at(seq int) *step { return r.steps[seq-r.base-1] }

func (r *run) settle(t *backend.Turn, s *step, x backend.Settle) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.state, s.result = x.State, x.Result
	x.Seq = s.id.Seq
	t.Settled = append(t.Settled, x)
}

// learn takes in what the database holds of a run that was just claimed.
func (r *run) learn(h *backend.History) {
	r.reopened = r.reopened || h.Execution.HealedTo > 0
	for i := range h.Tasks {
		r.learnTask(h, &h.Tasks[i])
	}
	r.hearExecution(h)
}

// hear takes in what others have written since.
func (r *run) hear(h *backend.History) {
	for i := range h.Tasks {
		if seq := h.Tasks[i].ID.Seq; seq > r.base && seq <= r.base+len(r.steps) {
			r.at(seq).hear(&h.Tasks[i])
		}
	}
	r.hearExecution(h)
}

func (r *run) hearExecution(h *backend.History) {
	r.cancelling = r.cancelling || h.Execution.State == backend.Cancelling
	r.effects, r.wakes = max(r.effects, h.Execution.Effects), max(r.wakes, h.Execution.Wakes)
	for _, sig := range h.Signals {
		if !r.knowsSignal(sig.Seq) {
			r.signals = append(r.signals, sig)
		}
	}
}

// hear takes in that a step has ended elsewhere.
func (s *step) hear(task *backend.Task) {
	if s.isElsewhere() && !s.here && task.State.Final() {
		s.state, s.attempt, s.result, s.failure = task.State, task.Attempt, task.Result, task.Failure
	}
}

func (r *run) learnTask(h *backend.History, task *backend.Task) {
	if task.ID.Seq <= r.base || task.ID.Seq > backend.MaxSeq {
		return // a row that the engine has not written
	}
	for len(r.steps) < task.ID.Seq-r.base {
		r.steps = append(r.steps, nil)
	}
	s := &step{
		id: task.ID, key: task.Key, kind: task.Kind, name: task.Step, hash: task.InputHash,
		state: task.State, attempt: task.Attempt, result: task.Result, failure: task.Failure,
		healed: task.ID.Seq > h.Execution.HealedFrom && task.ID.Seq <= h.Execution.HealedTo,
		input:  task.Input,
		child:  task.Child, detached: task.Detached,
	}
	r.steps[task.ID.Seq-r.base-1] = s
	switch {
	case task.Key == "":
		s.forgotten = true // set aside before
		return
	case task.Kind == backend.Cancellation:
		s.asked, r.cancelSeen = true, true
		return
	}
	r.keep(s)
	r.unasked++
	if !s.resolved() && (s.kind == backend.Timer || s.kind == backend.SignalWait) {
		s.timeout = -1
		if !task.Due.IsZero() {
			s.timeout = max(task.Due.Sub(h.Now), 0)
		}
		r.arm(s)
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

// arm starts the timer of a step that is in the database.
func (r *run) arm(s *step) {
	if s.timeout < 0 {
		return
	}
	s.deadline = r.w.e.clock.Now().Add(s.timeout)
	s.timer = r.w.e.clock.AfterFunc(s.timeout, func() { r.deliver(event{fired: s}) })
}
