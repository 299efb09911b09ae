package zap

import (
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/logctx"
)

// fields are those of one task.
type fields struct {
	list    []logctx.Field
	written atomic.Bool                        // a record, with the fields before its own
	cores   logctx.Recent[*core, zapcore.Core] // what bound returned
	loggers logctx.Recent[*zap.Logger, *zap.Logger]
}

func build(f *fields, list []logctx.Field) { f.list = list }

// appendTo appends the fields to a list.
func (f *fields) appendTo(list []zap.Field) []zap.Field {
	for _, field := range f.list {
		if field.Numeric {
			list = append(list, zap.Int(field.Name, field.Number))
		} else {
			list = append(list, zap.String(field.Name, field.Text))
		}
	}
	return list
}

// write writes a record of the task. The first has the fields before its own, since most tasks write one or none. Those
// that follow go to a core that has them encoded. A slice for each could not be pooled: a core that writes later may keep
// what it was given.
func (f *fields) write(c *core, entry zapcore.Entry, list []zap.Field) error {
	if c.top != nil || f.written.Swap(true) {
		return write(f.bound(c), entry, list)
	}
	return write(c.next, entry, append(f.appendTo(make([]zap.Field, 0, len(f.list)+len(list))), list...))
}

// bound is what c writes to in this task. It has the fields encoded, at the top level even if a namespace is open.
func (f *fields) bound(c *core) zapcore.Core {
	if bound, ok := f.cores.Get(c); ok {
		return bound
	}
	bound := c.next
	if c.top != nil {
		bound = c.top
	}
	bound = bound.With(f.appendTo(nil))
	for _, with := range c.since {
		bound = bound.With(with)
	}
	f.cores.Put(c, bound)
	return bound
}
