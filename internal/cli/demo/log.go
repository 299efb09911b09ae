package demo

import (
	"context"
	"log/slog"

	"github.com/stentgo/stent/core"
)

// taskHandler adds to each record which task it comes from, and drops those that a workflow only repeats.
type taskHandler struct{ slog.Handler }

func (h taskHandler) Handle(ctx context.Context, r slog.Record) error {
	if core.Replaying(ctx) {
		return nil
	}
	if info, ok := core.InfoFrom(ctx); ok {
		r = r.Clone()
		r.AddAttrs(
			slog.String("stent_execution_id", info.ExecutionID),
			slog.String("stent_task_id", info.TaskID),
			slog.String("stent_worker_id", info.WorkerID),
		)
	}
	return h.Handler.Handle(ctx, r)
}

func (h taskHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return taskHandler{h.Handler.WithAttrs(attrs)}
}

func (h taskHandler) WithGroup(name string) slog.Handler {
	return taskHandler{h.Handler.WithGroup(name)}
}
