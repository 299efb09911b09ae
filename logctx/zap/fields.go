package zap

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/stentgo/stent/logctx"
)

// fields are those of one task.
type fields struct {
	list    []zap.Field
	cores   logctx.Recent[*core, zapcore.Core] // what bound returned
	loggers logctx.Recent[*zap.Logger, *zap.Logger]
}

func build(list []logctx.Field) *fields {
	f := &fields{list: make([]zap.Field, len(list))}
	for i, field := range list {
		f.list[i] = zap.Any(field.Name, field.Value)
	}
	return f
}

// bound is what c writes to in this task. It has the fields encoded, at the top level even if a namespace is open. A
// slice of fields for each record could not be pooled, since a core that writes later may keep what it was given.
func (f *fields) bound(c *core) zapcore.Core {
	if bound, ok := f.cores.Get(c); ok {
		return bound
	}
	bound := c.next
	if c.top != nil {
		bound = c.top
	}
	bound = bound.With(f.list)
	for _, with := range c.since {
		bound = bound.With(with)
	}
	f.cores.Put(c, bound)
	return bound
}
