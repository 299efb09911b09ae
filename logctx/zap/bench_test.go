package zap_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/core"
	stentzap "github.com/stentgo/stent/logctx/zap"
)

func Benchmark(b *testing.B) {
	next := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel)
	plain, with := zap.New(next), zap.New(next, stentzap.Wrap())
	task := core.WithTaskInfo(b.Context(), charge, nil)
	order, cents := zap.String("order", "42"), zap.Int("cents", 1999)
	byHand := plain.With(
		zap.String("stent_execution_id", charge.ExecutionID), zap.String("stent_task_id", charge.TaskID),
		zap.String("stent_worker_id", charge.WorkerID), zap.String("stent_step", charge.Step),
		zap.String("stent_queue", charge.Queue), zap.Int("stent_attempt", charge.Attempt),
	)
	namespace := with.With(zap.Namespace("http"))
	for _, test := range []struct {
		name string
		log  func(context.Context)
	}{
		{"plain", func(context.Context) { plain.Info("payment authorized", order, cents) }},
		{"plain with the fields by hand", func(context.Context) { byHand.Info("payment authorized", order, cents) }},
		{"stent, no context", func(context.Context) { with.Info("payment authorized", order, cents) }},
		{"stent, by field", func(ctx context.Context) { with.Info("payment authorized", stentzap.Context(ctx), order, cents) }},
		{"stent, by field, namespace", func(ctx context.Context) { namespace.Info("payment authorized", stentzap.Context(ctx), order, cents) }},
		{"stent, From", func(ctx context.Context) { stentzap.From(ctx, with).Info("payment authorized", order, cents) }},
	} {
		for _, ctx := range []context.Context{b.Context(), task} {
			_, inTask := core.InfoFrom(ctx)
			b.Run(fmt.Sprintf("%s/task=%t", test.name, inTask), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					test.log(ctx)
				}
			})
		}
	}
	b.Run("stent, logger of the task/task=true", func(b *testing.B) {
		log := stentzap.From(task, with)
		b.ReportAllocs()
		for b.Loop() {
			log.Info("payment authorized", order, cents)
		}
	})
}
