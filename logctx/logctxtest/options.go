package logctxtest

import (
	"context"
	"testing"

	"github.com/stentgo/stent/logctx"
)

// Names can be changed and fields left out.
func Names(t *testing.T, injector Injector) {
	info := activity(1)
	for _, test := range []struct {
		name   string
		option logctx.Option
		want   map[string]any
	}{
		{"without the prefix", logctx.WithoutPrefix(), map[string]any{
			"execution_id": info.ExecutionID, "task_id": info.TaskID, "worker_id": info.WorkerID,
			"step": info.Step, "queue": info.Queue, "attempt": float64(info.Attempt),
		}},
		{"some renamed, some left out", logctx.WithNames(logctx.Names{ExecutionID: "execution.id", WorkerID: "-", Queue: "-", Attempt: "try"}), map[string]any{
			"execution.id": info.ExecutionID, "stent_task_id": info.TaskID, "stent_step": info.Step, "try": float64(info.Attempt),
		}},
		{"none", logctx.WithNames(logctx.Names{
			ExecutionID: "-", TaskID: "-", WorkerID: "-", Step: "-", Queue: "-", Attempt: "-",
		}), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScript(t, injector, test.option)
			s.log(inActivity(t), "paid", "order", "42")
			if injector.Features.Groups {
				s.with(func(l Logger) Logger { return l.WithGroup("http") })
				s.log(inActivity(t), "in a group", "order", "42")
			}
			s.want(test.want)
		})
	}
}

// Spans are told of where there is one, in a task.
func Spans(t *testing.T, injector Injector) {
	type key struct{}
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	s := newScript(t, injector, logctx.WithSpan(func(ctx context.Context) (string, string, bool) {
		span, ok := ctx.Value(key{}).(string)
		return traceID, span, ok
	}))
	ctx := inActivity(t)
	s.log(ctx, "no span")
	s.want(fieldsOf(activity(1)))
	for _, spanID := range []string{"00f067aa0ba902b7", "53995c3f42cd8ad8", "00f067aa0ba902b7"} {
		want := fieldsOf(activity(1))
		want["trace_id"], want["span_id"] = traceID, spanID
		s.log(context.WithValue(ctx, key{}, spanID), "a span", "order", "42")
		s.want(want)
	}
	s.log(ctx, "the span has ended")
	s.want(fieldsOf(activity(1)))

	s.log(context.WithValue(t.Context(), key{}, "00f067aa0ba902b7"), "a span outside a task")
	s.wantSame()
}
