package zap_test

import (
	"context"
	"io"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
	"github.com/stentgo/stent/logctx/logctxtest"
	stentzap "github.com/stentgo/stent/logctx/zap"
)

// plain ignores contexts. The slice of fields has a place for the context's, so that allocations can be compared.
type plain struct{ *zap.Logger }

func (l plain) Log(_ context.Context, message string, keysAndValues ...string) {
	l.Info(message, zapFields(zap.Skip(), keysAndValues)...)
}

func (l plain) With(key, value string) logctxtest.Logger {
	return plain{l.Logger.With(zap.String(key, value))}
}

func (l plain) WithGroup(name string) logctxtest.Logger {
	return plain{l.Logger.With(zap.Namespace(name))}
}

// byField gives each record the field that tells its context.
type byField struct{ *zap.Logger }

func (l byField) Log(ctx context.Context, message string, keysAndValues ...string) {
	l.Info(message, zapFields(stentzap.Context(ctx), keysAndValues)...)
}

func (l byField) With(key, value string) logctxtest.Logger {
	return byField{l.Logger.With(zap.String(key, value))}
}

func (l byField) WithGroup(name string) logctxtest.Logger {
	return byField{l.Logger.With(zap.Namespace(name))}
}

// byLogger asks for the task's logger.
type byLogger struct{ *zap.Logger }

func (l byLogger) Log(ctx context.Context, message string, keysAndValues ...string) {
	stentzap.From(ctx, l.Logger).Info(message, zapFields(zap.Skip(), keysAndValues)...)
}

func (l byLogger) With(key, value string) logctxtest.Logger {
	return byLogger{l.Logger.With(zap.String(key, value))}
}

func (l byLogger) WithGroup(name string) logctxtest.Logger {
	return byLogger{l.Logger.With(zap.Namespace(name))}
}

func zapFields(first zap.Field, keysAndValues []string) []zap.Field {
	fields := make([]zap.Field, 1, 8)
	fields[0] = first
	for i := 0; i < len(keysAndValues); i += 2 {
		fields = append(fields, zap.String(keysAndValues[i], keysAndValues[i+1]))
	}
	return fields
}

// sugared is byField with a sugared logger.
type sugared struct{ *zap.SugaredLogger }

func (l sugared) Log(ctx context.Context, message string, keysAndValues ...string) {
	args := []any{stentzap.Context(ctx)}
	for _, s := range keysAndValues {
		args = append(args, s)
	}
	l.Infow(message, args...)
}

func (l sugared) With(key, value string) logctxtest.Logger {
	return sugared{l.SugaredLogger.With(key, value)}
}

func (l sugared) WithGroup(name string) logctxtest.Logger {
	return sugared{l.SugaredLogger.With(zap.Namespace(name))}
}

// jsonCore leaves the time out.
func jsonCore(w io.Writer) zapcore.Core {
	config := zap.NewProductionEncoderConfig()
	config.TimeKey = zapcore.OmitKey
	return zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.AddSync(w), zap.InfoLevel)
}

func TestInjector(t *testing.T) {
	for name, test := range map[string]struct {
		logger        func(*zap.Logger) logctxtest.Logger
		noAllocations bool
	}{
		"by field":  {func(l *zap.Logger) logctxtest.Logger { return byField{l} }, true},
		"by logger": {func(l *zap.Logger) logctxtest.Logger { return byLogger{l} }, true},
		"sugared":   {func(l *zap.Logger) logctxtest.Logger { return sugared{l.Sugar()} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			logctxtest.Run(t, logctxtest.Injector{
				New: func(w io.Writer, opts ...logctx.Option) logctxtest.Logger {
					return test.logger(zap.New(jsonCore(w), stentzap.Wrap(opts...)))
				},
				Plain:    func(w io.Writer) logctxtest.Logger { return plain{zap.New(jsonCore(w))} },
				Features: logctxtest.Features{Groups: true, NoAllocations: test.noAllocations},
			})
		})
	}
}

var charge = core.TaskInfo{
	ExecutionID: "order-42", TaskID: "order-42.2", WorkerID: "worker-1",
	Workflow: "order_workflow", Step: "charge_payment", Queue: "billing", Attempt: 1,
}
