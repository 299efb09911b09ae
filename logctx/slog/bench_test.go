package slog_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stentgo/stent/core"
	stentslog "github.com/stentgo/stent/logctx/slog"
)

func Benchmark(b *testing.B) {
	plain := slog.New(slog.NewJSONHandler(io.Discard, nil))
	with := slog.New(stentslog.NewHandler(slog.NewJSONHandler(io.Discard, nil)))
	for _, test := range []struct {
		name   string
		inTask bool
		log    *slog.Logger
	}{
		{"outside/plain", false, plain},
		{"outside/stent", false, with},
		{"task/plain", true, plain},
		{"task/plain with the fields by hand", true, plain.With(
			"stent_execution_id", charge.ExecutionID, "stent_task_id", charge.TaskID, "stent_worker_id", charge.WorkerID,
			"stent_step", charge.Step, "stent_queue", charge.Queue, "stent_attempt", charge.Attempt,
		)},
		{"task/stent", true, with},
		{"group/plain", true, plain.WithGroup("http")},
		{"group/stent", true, with.WithGroup("http")},
	} {
		b.Run(test.name, func(b *testing.B) {
			ctx := b.Context()
			if test.inTask {
				ctx = core.WithTaskInfo(ctx, charge, nil)
			}
			b.ReportAllocs()
			for b.Loop() {
				test.log.LogAttrs(ctx, slog.LevelInfo, "payment authorized", slog.String("order", "42"), slog.Int("cents", 1999))
			}
		})
	}
}
