package core

import (
	"context"

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
	return ok && s.replaying != nil && s.replaying()
}

// taskScope is what a task's context carries.
type taskScope struct {
	info      TaskInfo
	replaying func() bool // nil in activities
}

func withScope(ctx context.Context, s *taskScope) context.Context {
	return context.WithValue(ctx, infoKey{}, s)
}
