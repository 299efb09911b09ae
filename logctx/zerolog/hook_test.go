package zerolog_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/rs/zerolog"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
	"github.com/stentgo/stent/logctx/logctxtest"
	stentzerolog "github.com/stentgo/stent/logctx/zerolog"
)

// byEvent tells each event its context.
type byEvent struct{ zerolog.Logger }

func (l byEvent) Log(ctx context.Context, message string, keysAndValues ...string) {
	write(l.Info().Ctx(ctx), message, keysAndValues)
}

func (l byEvent) With(key, value string) logctxtest.Logger {
	return byEvent{l.Logger.With().Str(key, value).Logger()}
}

func (byEvent) WithGroup(string) logctxtest.Logger { panic("zerolog has no groups") }

// byLogger takes a logger from the context, with log.Ctx.
type byLogger struct{ zerolog.Logger }

func (l byLogger) Log(ctx context.Context, message string, keysAndValues ...string) {
	ctx = stentzerolog.WithContext(ctx, l.Logger)
	write(zerolog.Ctx(ctx).Info(), message, keysAndValues)
}

func (l byLogger) With(key, value string) logctxtest.Logger {
	return byLogger{l.Logger.With().Str(key, value).Logger()}
}

func (byLogger) WithGroup(string) logctxtest.Logger { panic("zerolog has no groups") }

func write(e *zerolog.Event, message string, keysAndValues []string) {
	for i := 0; i < len(keysAndValues); i += 2 {
		e = e.Str(keysAndValues[i], keysAndValues[i+1])
	}
	e.Msg(message)
}

func TestInjector(t *testing.T) {
	for name, logger := range map[string]func(zerolog.Logger) logctxtest.Logger{
		"by event":  func(l zerolog.Logger) logctxtest.Logger { return byEvent{l} },
		"by logger": func(l zerolog.Logger) logctxtest.Logger { return byLogger{l} },
	} {
		t.Run(name, func(t *testing.T) {
			logctxtest.Run(t, logctxtest.Injector{
				New: func(w io.Writer, opts ...logctx.Option) logctxtest.Logger {
					return logger(zerolog.New(w).Hook(stentzerolog.NewHook(opts...)))
				},
				Plain:    func(w io.Writer) logctxtest.Logger { return logger(zerolog.New(w)) },
				Features: logctxtest.Features{NoAllocations: true},
			})
		})
	}
}

var charge = core.TaskInfo{
	ExecutionID: "order-42", TaskID: "order-42.2", WorkerID: "worker-1",
	Workflow: "order_workflow", Step: "charge_payment", Queue: "billing", Attempt: 1,
}

const fields = `"stent_execution_id":"order-42","stent_task_id":"order-42.2","stent_worker_id":"worker-1",` +
	`"stent_step":"charge_payment","stent_queue":"billing","stent_attempt":1`

func TestIdioms(t *testing.T) {
	inTask := core.WithTaskInfo(t.Context(), charge, nil)
	replay := core.WithTaskInfo(t.Context(), charge, func() bool { return true })
	for _, test := range []struct {
		name string
		log  func(zerolog.Logger)
		want string
	}{
		{"a logger made once for a task", func(l zerolog.Logger) {
			l = l.With().Str("order", "42").Ctx(inTask).Logger()
			l.Info().Msg("paid")
		}, `{"level":"info","order":"42",` + fields + `,"message":"paid"}`},
		{"an event's context counts more than its logger's", func(l zerolog.Logger) {
			l = l.With().Ctx(inTask).Logger()
			l.Info().Ctx(t.Context()).Msg("paid")
		}, `{"level":"info","message":"paid"}`},
		{"sampling counts before the hook", func(l zerolog.Logger) {
			l = l.Sample(&zerolog.BasicSampler{N: 3})
			for range 3 {
				l.Info().Ctx(inTask).Msg("paid")
			}
		}, `{"level":"info",` + fields + `,"message":"paid"}`},
		{"other hooks see the event", func(l zerolog.Logger) {
			l = l.Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, message string) { e.Int("length", len(message)) }))
			l.Info().Ctx(inTask).Msg("paid")
		}, `{"level":"info",` + fields + `,"length":4,"message":"paid"}`},
		{"levels", func(l zerolog.Logger) {
			l = l.Level(zerolog.WarnLevel)
			l.Info().Ctx(inTask).Msg("not enabled")
			l.Warn().Ctx(inTask).Send()
		}, `{"level":"warn",` + fields + `}`},
		{"a dictionary stays one", func(l zerolog.Logger) {
			l.Info().Ctx(inTask).Dict("http", zerolog.Dict().Str("method", "GET")).Send()
		}, `{"level":"info","http":{"method":"GET"},` + fields + `}`},
		{"replay with other hooks", func(l zerolog.Logger) {
			l = l.Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) { e.Str("other", "hook") }))
			l.Info().Ctx(replay).Msg("paid")
		}, ``},
		{"log.Ctx in a function that is given only a context", func(l zerolog.Logger) {
			ctx := stentzerolog.WithContext(inTask, l)
			zerolog.Ctx(ctx).Info().Msg("paid")
		}, `{"level":"info",` + fields + `,"message":"paid"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.log(zerolog.New(&out).Hook(stentzerolog.NewHook()))
			if got := string(bytes.TrimSpace(out.Bytes())); got != test.want {
				t.Errorf("written:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}
