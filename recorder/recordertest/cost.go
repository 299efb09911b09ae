package recordertest

import (
	"context"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// event tells a recorder of one thing that happens with every task, or nearly.
type event struct {
	name string
	tell func(ctx context.Context, r core.MetricsRecorder)
}

var events = []event{
	{"TaskClaimed", func(ctx context.Context, r core.MetricsRecorder) {
		r.TaskClaimed(ctx, core.TaskClaimed{Queue: "billing", Step: "charge_payment", Kind: backend.Activity, ScheduleToStart: 1234567})
	}},
	{"TaskCompleted", func(ctx context.Context, r core.MetricsRecorder) {
		r.TaskCompleted(ctx, core.TaskCompleted{Queue: "billing", Step: "charge_payment", Kind: backend.Activity, Duration: 30 * time.Millisecond})
	}},
	{"TaskFailed", func(ctx context.Context, r core.MetricsRecorder) {
		r.TaskFailed(ctx, core.TaskFailed{Queue: "billing", Step: "charge_payment", Kind: backend.Activity, Retrying: true})
	}},
	{"DeadLettered", func(ctx context.Context, r core.MetricsRecorder) {
		r.DeadLettered(ctx, core.DeadLettered{Queue: "billing", Step: "charge_payment", Kind: backend.Activity})
	}},
	{"ExecutionStarted", func(ctx context.Context, r core.MetricsRecorder) {
		r.ExecutionStarted(ctx, core.ExecutionStarted{Workflow: "order_workflow", Queue: "default"})
	}},
	{"ExecutionFinished", func(ctx context.Context, r core.MetricsRecorder) {
		r.ExecutionFinished(ctx, core.ExecutionFinished{Workflow: "order_workflow", State: backend.Completed, Duration: time.Second})
	}},
	{"LeaseRenewed", func(ctx context.Context, r core.MetricsRecorder) {
		r.LeaseRenewed(ctx, core.LeaseRenewed{Worker: "w", Result: core.Renewed})
	}},
	{"ClaimEnded", func(ctx context.Context, r core.MetricsRecorder) {
		r.ClaimEnded(ctx, core.ClaimEnded{Result: core.ClaimTasks, Tasks: 8, Duration: time.Millisecond})
	}},
	{"BatchCommitted", func(ctx context.Context, r core.MetricsRecorder) {
		r.BatchCommitted(ctx, core.BatchCommitted{Commands: 100, Duration: time.Millisecond})
	}},
}

// Allocations fails the test where an event of a task allocates memory, once the recorder has seen one of its kind.
func Allocations(t *testing.T, r core.MetricsRecorder) {
	t.Helper()
	for _, e := range events {
		e.tell(t.Context(), r)
		if n := testing.AllocsPerRun(1000, func() { e.tell(t.Context(), r) }); n != 0 {
			t.Errorf("%s allocates %v times", e.name, n)
		}
	}
}

// Benchmark measures what each event of a task costs. It is the recorder's own goroutine that pays: tasks do not wait for
// it.
func Benchmark(b *testing.B, r core.MetricsRecorder) {
	for _, e := range events {
		b.Run(e.name, func(b *testing.B) {
			ctx := b.Context()
			e.tell(ctx, r)
			b.ReportAllocs()
			for b.Loop() {
				e.tell(ctx, r)
			}
		})
	}
}
