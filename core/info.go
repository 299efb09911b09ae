package core

import (
	"context"
	"sync/atomic"

	"github.com/stentgo/stent/core/backend"
)

// TaskInfo is what the code that runs in a task may know of it.
type TaskInfo struct {
	ExecutionID string
	TaskID      string // the same for all attempts: fit as an idempotency key for other systems
	WorkerID    string
	Workflow    string
	Step        string // the activity's name, or the workflow's in its orchestrator
	Kind        backend.Kind
	Queue       string
	Attempt     int // from 1

	// Of a workflow, in its orchestrator.
	Run      int    // from 1: how often it has begun anew with ContinueAsNew
	ParentID string // of the execution that called it, "" where it was started by itself
}

type infoKey struct{}

// InfoFrom tells which task a context belongs to: that of an activity, or [Flow.Context]. false outside a task.
func InfoFrom(ctx context.Context) (TaskInfo, bool) {
	if s, ok := ctx.Value(infoKey{}).(*taskScope); ok {
		return s.info, true
	}
	return TaskInfo{}, false
}

// Replaying tells whether the context is that of a workflow which only repeats what its history holds, so that what it
// logs has been logged before.
func Replaying(ctx context.Context) bool {
	s, ok := ctx.Value(infoKey{}).(*taskScope)
	return ok && s.replayer != nil && s.replayer.replays()
}

// WithTaskInfo makes a context that looks like a task's, for tests of what reads one: activities, log injectors, spans.
// replaying answers [Replaying]; nil, as in activities, means never.
func WithTaskInfo(ctx context.Context, info TaskInfo, replaying func() bool) context.Context {
	s := &taskScope{info: info}
	if replaying != nil {
		s.replayer = replayerFunc(replaying)
	}
	return withScope(ctx, s)
}

// replayer tells whether a workflow only repeats what its history holds.
type replayer interface{ replays() bool }

type replayerFunc func() bool

func (f replayerFunc) replays() bool { return f() }

// PerTask is what an adapter makes of a task's identity once and needs often, such as the fields of its log records. The
// values live as long as the task's context. It is safe for concurrent use; NewPerTask makes it.
type PerTask[T any] struct{ derive func(TaskInfo) *T }

// NewPerTask takes the function that makes the value. Of goroutines that ask at the same time several may call it, and
// all get the same value.
func NewPerTask[T any](derive func(TaskInfo) *T) *PerTask[T] { return &PerTask[T]{derive} }

// Get returns the value for the task of a context; nil outside a task. It allocates nothing but the value.
func (p *PerTask[T]) Get(ctx context.Context) *T {
	s, ok := ctx.Value(infoKey{}).(*taskScope)
	if !ok {
		return nil
	}
	if v := s.find(p); v != nil {
		return v.(*T)
	}
	return s.keep(p, p.derive(s.info)).(*T)
}

// taskScope is what a task's context carries.
type taskScope struct {
	info     TaskInfo
	replayer replayer    // nil in activities
	beats    *heartbeats // of an activity; nil elsewhere
	derived  atomic.Pointer[derived]
}

// derived is the list of a task's PerTask values. It has as many as the program has adapters, so it is short.
type derived struct {
	of    any // the *PerTask
	value any
	next  *derived
}

func (s *taskScope) find(of any) any {
	for d := s.derived.Load(); d != nil; d = d.next {
		if d.of == of {
			return d.value
		}
	}
	return nil
}

// keep returns the value that is kept: this one, or that of another goroutine which was faster.
func (s *taskScope) keep(of, value any) any {
	for {
		next := s.derived.Load()
		if v := s.find(of); v != nil {
			return v
		}
		if s.derived.CompareAndSwap(next, &derived{of, value, next}) {
			return value
		}
	}
}

func withScope(ctx context.Context, s *taskScope) context.Context { return &scopedContext{ctx, s} }

// scopedContext is a task's context: what context.WithValue would make, within the memory of something else.
type scopedContext struct {
	context.Context //nolint:containedctx // the parent
	scope           *taskScope
}

func (c *scopedContext) Value(key any) any {
	if _, ok := key.(infoKey); ok {
		return c.scope
	}
	return c.Context.Value(key)
}
