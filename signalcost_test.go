//go:build !race

package stent_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/rs/zerolog"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
	stentslog "github.com/stentgo/stent/logctx/slog"
	stentzap "github.com/stentgo/stent/logctx/zap"
	stentzerolog "github.com/stentgo/stent/logctx/zerolog"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// TestAllocationsOfSignals gates on what a tracer that samples nothing, and each log injector, adds to what a workflow of
// five activities allocates; a busy machine moves the figures by a few. With an injector each activity writes one record,
// which is compared with the same record by the plain logger, which is given the task's fields at the call. Of what the tracer
// adds, six are the database's in memory, which copies the carrier.
func TestAllocationsOfSignals(t *testing.T) {
	for _, gate := range []struct {
		name         string
		without, say func(context.Context)
		opts         []core.Option
		most         int64
	}{
		{name: "tracing/otel, no trace sampled", opts: unsampled(), most: 32},
		{name: "logctx/slog", without: sayBySlog(false), say: sayBySlog(true), most: 16},
		{name: "logctx/zap", without: sayByZap(false), say: sayByZap(true), most: 20},
		{name: "logctx/zerolog", without: sayByZerolog(false), say: sayByZerolog(true), most: 16},
	} {
		t.Run(gate.name, func(t *testing.T) {
			measure := func(say func(context.Context), opts ...core.Option) int64 {
				r := testing.Benchmark(func(b *testing.B) { benchmarkWorkflow(b, memory.Open(), 5, 100, say, opts...) })
				if r.N == 0 {
					t.Fatal("the benchmark failed")
				}
				return r.AllocsPerOp()
			}
			without := measure(gate.without)
			with := measure(gate.say, gate.opts...)
			t.Logf("%d allocations for an execution, %d without", with, without)
			if with-without > gate.most {
				t.Errorf("%d allocations added to an execution, want at most %d", with-without, gate.most)
			}
		})
	}
}

func unsampled() []core.Option {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithIDGenerator(stentotel.NewIDGenerator()))
	return []core.Option{core.WithMiddleware(stentotel.New(stentotel.WithTracerProvider(provider)))}
}

func sayBySlog(injected bool) func(context.Context) {
	h := slog.Handler(slog.NewJSONHandler(io.Discard, nil))
	if !injected {
		log := slog.New(h)
		return func(ctx context.Context) {
			info, _ := core.InfoFrom(ctx)
			log.LogAttrs(ctx, slog.LevelInfo, "charged", slog.Int("cents", 42),
				slog.String("stent_execution_id", info.ExecutionID), slog.String("stent_task_id", info.TaskID),
				slog.String("stent_worker_id", info.WorkerID), slog.String("stent_step", info.Step),
				slog.String("stent_queue", info.Queue), slog.Int("stent_attempt", info.Attempt))
		}
	}
	log := slog.New(stentslog.NewHandler(h))
	return func(ctx context.Context) { log.LogAttrs(ctx, slog.LevelInfo, "charged", slog.Int("cents", 42)) }
}

func sayByZap(injected bool) func(context.Context) {
	c := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zapcore.InfoLevel)
	if !injected {
		log := zap.New(c)
		return func(ctx context.Context) {
			info, _ := core.InfoFrom(ctx)
			log.Info("charged", zap.Int("cents", 42),
				zap.String("stent_execution_id", info.ExecutionID), zap.String("stent_task_id", info.TaskID),
				zap.String("stent_worker_id", info.WorkerID), zap.String("stent_step", info.Step),
				zap.String("stent_queue", info.Queue), zap.Int("stent_attempt", info.Attempt))
		}
	}
	log := zap.New(c, stentzap.Wrap())
	return func(ctx context.Context) { log.Info("charged", stentzap.Context(ctx), zap.Int("cents", 42)) }
}

func sayByZerolog(injected bool) func(context.Context) {
	log := zerolog.New(io.Discard)
	if !injected {
		return func(ctx context.Context) {
			info, _ := core.InfoFrom(ctx)
			log.Info().Int("cents", 42).
				Str("stent_execution_id", info.ExecutionID).Str("stent_task_id", info.TaskID).Str("stent_worker_id", info.WorkerID).
				Str("stent_step", info.Step).Str("stent_queue", info.Queue).Int("stent_attempt", info.Attempt).Msg("charged")
		}
	}
	log = log.Hook(stentzerolog.NewHook())
	return func(ctx context.Context) { log.Info().Ctx(ctx).Int("cents", 42).Msg("charged") }
}
