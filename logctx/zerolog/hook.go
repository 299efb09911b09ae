// Package zerolog adds the fields of the running task to what a program logs with zerolog.
//
//	log.Logger = log.Logger.Hook(stentzerolog.NewHook())
//	...
//	log.Info().Ctx(ctx).Msg("payment authorized") // in an activity
package zerolog

import (
	"context"

	"github.com/rs/zerolog"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
)

// Hook adds the fields of the task to which an event's context belongs: the one that Event.Ctx was given, or the
// logger's, from With().Ctx. Events outside a task stay as they are. What a workflow logs while it replays is discarded.
type Hook struct{ reader *logctx.Reader[fields] }

var _ zerolog.Hook = Hook{}

// NewHook makes a hook for [zerolog.Logger.Hook].
func NewHook(opts ...logctx.Option) Hook { return Hook{logctx.NewReader(build, opts...)} }

// Run is zerolog.Hook's.
func (h Hook) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	ctx := e.GetCtx()
	f := h.reader.Fields(ctx)
	switch {
	case f == nil:
	case core.Replaying(ctx):
		e.Discard()
	default:
		f.addTo(e)
	}
}

// Middleware makes log.Ctx(ctx) work in every task, without a line in any: it puts the logger, which has the [Hook],
// into the context of each. Give it to [core.WithMiddleware] behind the one that makes spans.
func Middleware(logger zerolog.Logger) core.Middleware { return contextual{logger: logger} }

type contextual struct {
	core.NopMiddleware
	logger zerolog.Logger
}

// Execute is core.Middleware's.
func (m contextual) Execute(ctx context.Context, _ *core.ExecuteInfo, next core.Next) error {
	return next(WithContext(ctx, m.logger))
}

// WithContext makes log.Ctx(ctx) work in a task: it returns ctx with the logger, whose events carry ctx to the hook. At
// the beginning of an activity it says once what Event.Ctx says for each event, and [Middleware] says it for all of them.
func WithContext(ctx context.Context, logger zerolog.Logger) context.Context {
	return logger.With().Ctx(ctx).Logger().WithContext(ctx)
}

// fields are those of one task.
type fields struct{ list []logctx.Field }

func build(f *fields, list []logctx.Field) { f.list = list }

func (f *fields) addTo(e *zerolog.Event) {
	for _, field := range f.list {
		if field.Numeric {
			e.Int(field.Name, field.Number)
		} else {
			e.Str(field.Name, field.Text)
		}
	}
}
