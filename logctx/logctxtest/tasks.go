package logctxtest

import (
	"context"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
)

// Outside a task an injector adds nothing.
func Outside(t *testing.T, injector Injector) {
	s := newScript(t, injector)
	s.log(context.Background(), "nothing else")
	s.log(t.Context(), "fields", "order", "42", "customer", "C-7")
	s.with(func(l Logger) Logger { return l.With("component", "billing") })
	s.log(t.Context(), "a logger with a field", "order", "42")
	if injector.Features.Groups {
		s.with(func(l Logger) Logger { return l.WithGroup("http").With("method", "GET") })
		s.log(t.Context(), "a logger with a group", "path", "/orders")
	}
	s.wantSame()
}

// InActivity tells who is writing.
func InActivity(t *testing.T, injector Injector) {
	s := newScript(t, injector)
	s.log(inActivity(t), "payment authorized")
	s.log(inActivity(t), "payment captured", "order", "42")
	s.log(inActivity(t), "many fields", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", "g", "7")
	s.want(fieldsOf(activity(1)))

	second := activity(1)
	second.Attempt = 2
	s.log(core.WithTaskInfo(t.Context(), second, nil), "payment authorized")
	s.want(fieldsOf(second))

	s.log(t.Context(), "after the activity")
	s.wantSame()
}

// workflow is the task of an orchestrator.
var workflow = core.TaskInfo{
	ExecutionID: "order-1", TaskID: "order-1.0", WorkerID: "worker-1",
	Workflow: "order_workflow", Step: "order_workflow", Queue: "default", Attempt: 1,
}

// InWorkflow tells who is writing, from Flow.Context.
func InWorkflow(t *testing.T, injector Injector) {
	s := newScript(t, injector)
	s.log(core.WithTaskInfo(t.Context(), workflow, func() bool { return false }), "order received", "order", "42")
	s.want(fieldsOf(workflow))
}

// DerivedContexts are what most code in an activity has.
func DerivedContexts(t *testing.T, injector Injector) {
	type key struct{}
	s := newScript(t, injector)
	ctx, cancel := context.WithTimeout(context.WithValue(inActivity(t), key{}, "value"), time.Hour)
	s.log(ctx, "with a timeout")
	cancel()
	s.log(ctx, "cancelled")
	s.log(context.WithoutCancel(ctx), "saved all the same")
	s.want(fieldsOf(activity(1)))
}

// Replay is when a workflow logs what it has logged before: nothing is written until it comes to something new. A logger
// that was made meanwhile works then.
func Replay(t *testing.T, injector Injector) {
	replaying := true
	ctx := core.WithTaskInfo(t.Context(), workflow, func() bool { return replaying })
	s := newScript(t, injector)
	s.log(ctx, "order received")
	s.with(func(l Logger) Logger { return l.With("order", "42") })
	s.log(ctx, "order checked")
	if injector.Features.Groups {
		s.with(func(l Logger) Logger { return l.WithGroup("payment") })
		s.log(ctx, "to be paid", "cents", "1999")
	}
	s.wantNothing()

	s.log(t.Context(), "outside nothing replays")
	s.wantSame()

	replaying = false
	s.log(ctx, "order paid", "receipt", "R-42")
	s.want(fieldsOf(workflow))

	replaying = true // as another run of the same workflow
	s.log(ctx, "order received")
	s.wantNothing()
}
