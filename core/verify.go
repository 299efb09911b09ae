package core

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// VerifyHistory runs the workflow of an exported history once more, up to where the history ends, and tells whether
// today's code makes the calls that it holds. It touches no database and runs no activity. The error is a
// [*NonDeterminismError] where the code asks for something else than the history holds, leaves out what it holds, or
// asks for more than a completed execution did. The workflow must be registered; its activities need not be.
//
// It calls the workflow's code in a goroutine of its own and returns when that has stopped.
func (e *Engine) VerifyHistory(history []byte) error {
	h, err := readHistory(history)
	if err == nil {
		err = e.verify(h)
	}
	if err != nil {
		return fmt.Errorf("verify history: %w", err)
	}
	return nil
}

// still is a clock that stands.
type still struct{ at time.Time }

func (c still) Now() time.Time { return c.at }

func (still) AfterFunc(time.Duration, func()) ClockTimer { return stillTimer{} }

type stillTimer struct{}

func (stillTimer) Stop() bool               { return true }
func (stillTimer) Reset(time.Duration) bool { return true }

func (e *Engine) verify(h *backend.History) error {
	x := &h.Execution
	handler, ok := e.handler(x.Workflow)
	if !ok || handler.workflow == nil {
		return fmt.Errorf("workflow %q is not registered with this engine (registered: %s)", x.Workflow, names(e.handlers))
	}
	alone := &Engine{db: e.db, payloads: e.payloads, log: slog.New(slog.DiscardHandler), clock: still{h.Now}, handlers: e.handlers}
	cfg, err := WorkerConfig{}.withDefaults()
	if err != nil {
		return err
	}
	policy, err := decodePolicy(x.Policy)
	if err != nil {
		return err
	}
	r := &run{
		w: &worker{e: alone, cfg: cfg, id: "verify", runs: map[string]*run{}, activities: map[backend.TaskID]*activityTask{}},
		info: TaskInfo{
			ExecutionID: x.ID, TaskID: backend.TaskID{Execution: x.ID}.String(), WorkerID: "verify", Workflow: x.Workflow, Step: x.Workflow,
			Kind: backend.Orchestrator, Queue: x.Queue, Attempt: x.Attempt, Run: x.Run,
		},
		number: x.Run, base: x.Base, parent: x.Parent, most: backend.MaxSeq,
		attempt: x.Attempt, policy: policy, input: x.Input, metadata: x.Metadata, handler: handler, loaded: true,
		baton: make(chan struct{}), draft: &backend.Turn{},
	}
	if x.Parent != nil {
		r.info.ParentID = x.Parent.Execution
	}
	r.learn(h)
	r.matchSignals(&backend.Turn{})
	r.flow = newFlow(r)
	r.goOn()
	<-r.baton
	ended := r.ended
	r.kill()
	r.w.goroutines.Wait()
	return r.compare(h, ended)
}

// compare tells how the workflow's calls differ from the history's.
func (r *run) compare(h *backend.History, ended bool) error {
	if r.aborted != nil {
		return r.aborted
	}
	for _, s := range r.steps {
		if s != nil && s.isLeftOut() {
			return r.differs(s.key, describe(s.kind, s.name, false), asksNothing)
		}
	}
	x := &h.Execution
	byItself := x.State == backend.Completed ||
		x.State == backend.Failed && (x.Failure == nil || x.Failure.Code != CodeNonDeterminism && x.Failure.Code != CodePoison)
	if !byItself {
		return nil // it was under way, or was ended from outside
	}
	for _, a := range r.draft.Added {
		if s := r.at(a.Seq); !ended || s.resolved() || s.detached { // what nobody waits for at the end is never written
			return r.differs(a.Key, "nothing: the execution is "+string(x.State), describe(a.Kind, a.Step, false))
		}
	}
	switch {
	case !ended:
		return fmt.Errorf("execution %s is %s, and its workflow now still waits", x.ID, x.State)
	case x.State == backend.Completed && r.failure != nil:
		return fmt.Errorf("execution %s has completed, and its workflow now fails: %w", x.ID, r.failure)
	case x.State == backend.Failed && r.failure == nil:
		return fmt.Errorf("execution %s has failed, and its workflow now completes", x.ID)
	}
	return nil
}

func (r *run) differs(key, recorded, asked string) error {
	return &NonDeterminismError{Execution: r.info.ExecutionID, Key: key, Recorded: recorded, Asked: asked}
}
