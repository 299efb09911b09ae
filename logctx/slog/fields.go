package slog

import (
	"log/slog"
	"slices"

	"github.com/stentgo/stent/logctx"
)

// fields are those of one task.
type fields struct {
	attrs    []slog.Attr // in room
	room     [8]slog.Attr
	handlers logctx.Recent[*Handler, slog.Handler]
}

func build(f *fields, list []logctx.Field) {
	f.attrs = f.room[:0]
	for _, field := range list {
		if field.Numeric {
			f.attrs = append(f.attrs, slog.Int(field.Name, field.Number))
		} else {
			f.attrs = append(f.attrs, slog.String(field.Name, field.Text))
		}
	}
}

// inline is all of them, as a group without a name: one place in a record.
func (f *fields) inline() slog.Attr { return slog.Attr{Value: slog.GroupValue(f.attrs...)} }

// bound is what h writes to in this task if the fields have no place in the record: because a group is open, in which
// they would land, or because the record would have to allocate for them. It is made once a task and kept.
func (f *fields) bound(h *Handler) slog.Handler {
	if bound, ok := f.handlers.Get(h); ok {
		return bound
	}
	bound := h.next
	if h.top != nil {
		bound = h.top
	}
	bound = bound.WithAttrs(slices.Clone(f.attrs)) // the handler owns what it is given
	for _, step := range h.since {
		bound = step(bound)
	}
	f.handlers.Put(h, bound)
	return bound
}

// anyIn tells whether a record has one of the fields. A record that has, names its execution, so that one look is enough
// for each of its attributes.
func (f *fields) anyIn(r slog.Record) bool {
	found := false
	if len(f.attrs) > 0 {
		r.Attrs(func(a slog.Attr) bool {
			found = a.Key == f.attrs[0].Key
			return !found
		})
	}
	return found
}

func (f *fields) missingIn(r slog.Record) []slog.Attr {
	missing := slices.Clone(f.attrs)
	r.Attrs(func(a slog.Attr) bool {
		missing = slices.DeleteFunc(missing, func(own slog.Attr) bool { return own.Key == a.Key })
		return true
	})
	return missing
}
