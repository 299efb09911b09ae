package zerolog_test

import (
	"io"
	"testing"

	"github.com/rs/zerolog"

	"github.com/stentgo/stent/core"
	stentzerolog "github.com/stentgo/stent/logctx/zerolog"
)

func Benchmark(b *testing.B) {
	plain := zerolog.New(io.Discard).With().Timestamp().Logger()
	with := plain.Hook(stentzerolog.NewHook())
	for _, test := range []struct {
		name   string
		inTask bool
		log    zerolog.Logger
	}{
		{"outside/plain", false, plain},
		{"outside/stent", false, with},
		{"task/plain", true, plain},
		{"task/plain with the fields by hand", true, plain.With().
			Str("stent_execution_id", charge.ExecutionID).Str("stent_task_id", charge.TaskID).Str("stent_worker_id", charge.WorkerID).
			Str("stent_step", charge.Step).Str("stent_queue", charge.Queue).Int("stent_attempt", charge.Attempt).Logger()},
		{"task/stent", true, with},
	} {
		b.Run(test.name, func(b *testing.B) {
			ctx := b.Context()
			if test.inTask {
				ctx = core.WithTaskInfo(ctx, charge, nil)
			}
			b.ReportAllocs()
			for b.Loop() {
				test.log.Info().Ctx(ctx).Str("order", "42").Int("cents", 1999).Msg("payment authorized")
			}
		})
	}
	b.Run("log.Ctx/stent", func(b *testing.B) {
		ctx := stentzerolog.WithContext(core.WithTaskInfo(b.Context(), charge, nil), with)
		b.ReportAllocs()
		for b.Loop() {
			zerolog.Ctx(ctx).Info().Str("order", "42").Int("cents", 1999).Msg("payment authorized")
		}
	})
}
