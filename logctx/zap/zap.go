// Package zap adds the fields of the running task to what a program logs with zap.
//
//	logger := zap.Must(zap.NewProduction(stentzap.Wrap()))
//	...
//	log := stentzap.From(ctx, logger) // in an activity
//	log.Info("payment authorized")
package zap

import (
	"context"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/logctx"
)

// Wrap is the option by which a logger understands [Context] and [From]. Give it as the last option, so that it also
// encloses hooks and samplers that other options add; else a hook is called even for a record that is dropped since its
// workflow only replays.
func Wrap(opts ...logctx.Option) zap.Option {
	reader := logctx.NewReader(build, opts...)
	return zap.WrapCore(func(next zapcore.Core) zapcore.Core { return newCore(next, reader) })
}

// Context is a field that is not written: it tells the logger which task a record belongs to, or, given to With, all
// records of a logger. Only a logger with [Wrap] reads it. Sugared loggers take it too, anywhere among the keys and values.
func Context(ctx context.Context) zap.Field {
	return zap.Field{Type: zapcore.SkipType, Interface: ctx}
}

// From returns the logger for the task of ctx, or the same logger outside a task. The fields are encoded once, so this is
// the fastest way to log. The logger needs no [Wrap], unless the names of the fields are to be other ones.
func From(ctx context.Context, logger *zap.Logger) *zap.Logger {
	reader, wrapped := readerOf(logger.Core())
	f := reader.Fields(ctx)
	if f == nil {
		return logger
	}
	if bound, ok := f.loggers.Get(logger); ok {
		return bound
	}
	bound := logger
	if !wrapped {
		bound = bound.WithOptions(zap.WrapCore(func(next zapcore.Core) zapcore.Core { return newCore(next, reader) }))
	}
	bound = bound.With(Context(ctx))
	f.loggers.Put(logger, bound)
	return bound
}

// unwrapped is what From uses for a logger without Wrap.
var unwrapped = logctx.NewReader(build)

func readerOf(c zapcore.Core) (reader *logctx.Reader[fields], wrapped bool) {
	switch c := c.(type) {
	case *core:
		return c.reader, true
	case *boundCore:
		return c.origin.reader, true
	}
	return unwrapped, false
}

// contextIn returns the last context among the fields; nil if there is none.
func contextIn(fields []zap.Field) context.Context {
	for i := range slices.Backward(fields) {
		if fields[i].Type == zapcore.SkipType {
			if ctx, ok := fields[i].Interface.(context.Context); ok {
				return ctx
			}
		}
	}
	return nil
}
