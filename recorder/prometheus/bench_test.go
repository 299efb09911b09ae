package prometheus_test

import (
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	stentprom "github.com/stentgo/stent/recorder/prometheus"
)

// What an event costs the recorder's goroutine; tasks do not wait for it.
func BenchmarkEvent(b *testing.B) {
	r, err := stentprom.New(prom.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	for _, bench := range []struct {
		name string
		call func()
	}{
		{"TaskClaimed", func() {
			r.TaskClaimed(ctx, core.TaskClaimed{Queue: "billing", Step: "charge_payment", Kind: backend.Activity, ScheduleToStart: time.Millisecond})
		}},
		{"TaskCompleted", func() {
			r.TaskCompleted(ctx, core.TaskCompleted{Queue: "billing", Step: "charge_payment", Kind: backend.Activity, Duration: 30 * time.Millisecond})
		}},
		{"TaskFailed", func() {
			r.TaskFailed(ctx, core.TaskFailed{Queue: "billing", Step: "charge_payment", Kind: backend.Activity, Retrying: true})
		}},
		{"ExecutionFinished", func() {
			r.ExecutionFinished(ctx, core.ExecutionFinished{Workflow: "order_workflow", State: backend.Completed, Duration: time.Second})
		}},
		{"LeaseRenewed", func() { r.LeaseRenewed(ctx, core.LeaseRenewed{Worker: "w", Result: core.Renewed}) }},
		{"BatchCommitted", func() { r.BatchCommitted(ctx, core.BatchCommitted{Commands: 100, Duration: time.Millisecond}) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			bench.call()
			b.ReportAllocs()
			for b.Loop() {
				bench.call()
			}
		})
	}
}
