// Package slog adds the fields of the running task to what a program logs with [log/slog].
//
//	slog.SetDefault(slog.New(stentslog.NewHandler(slog.NewJSONHandler(os.Stderr, nil))))
//	...
//	slog.InfoContext(ctx, "payment authorized") // in an activity
package slog

import (
	"context"
	"log/slog"
	"slices"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
)

// Handler adds the fields of the task to which a record's context belongs, at the top level, whatever groups are open.
// Outside a task it passes records on as they are. What a workflow logs while it replays is dropped.
//
// A field that a record has already, as those of the engine's own log do, is not added a second time.
type Handler struct {
	reader *logctx.Reader[fields]
	next   slog.Handler // with all that WithAttrs and WithGroup were told

	// With an open group: next as it was before the first, and what has happened to it since.
	top   slog.Handler
	since []func(slog.Handler) slog.Handler
}

var _ slog.Handler = (*Handler)(nil)

// NewHandler wraps the handler that writes. That must not be the one of [slog.Default] before SetDefault was called,
// which deadlocks when it is set again, within whatever handler.
func NewHandler(next slog.Handler, opts ...logctx.Option) *Handler {
	return &Handler{reader: logctx.NewReader(build, opts...), next: next}
}

// Enabled asks the handler that writes.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// inlineAttrs is the most attributes that a slog.Record holds without allocating.
const inlineAttrs = 5

// Handle adds the fields and passes the record on.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	f := h.reader.Fields(ctx)
	switch {
	case f == nil:
		return h.next.Handle(ctx, r)
	case core.Replaying(ctx):
		return nil
	case h.top == nil && f.anyIn(r):
		r.AddAttrs(f.missingIn(r)...)
		return h.next.Handle(ctx, r)
	case h.top == nil && r.NumAttrs() < inlineAttrs:
		r.AddAttrs(f.inline())
		return h.next.Handle(ctx, r)
	default:
		return f.bound(h).Handle(ctx, r)
	}
}

// WithAttrs is slog.Handler's.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(h.top, func(next slog.Handler) slog.Handler { return next.WithAttrs(slices.Clone(attrs)) })
}

// WithGroup is slog.Handler's.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	top := h.top
	if top == nil {
		top = h.next
	}
	return h.with(top, func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h *Handler) with(top slog.Handler, step func(slog.Handler) slog.Handler) *Handler {
	d := &Handler{reader: h.reader, next: step(h.next), top: top}
	if top != nil {
		d.since = append(slices.Clip(h.since), step)
	}
	return d
}
