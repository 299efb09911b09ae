package zap

import (
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	stent "github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
)

// core learns at the earliest from a record's fields which task it belongs to. So it lets every record of an enabled
// level come, and asks the next core, which may sample or be several, when the record is written.
type core struct {
	reader *logctx.Reader[fields]
	next   zapcore.Core // with all that With was told

	// With an open namespace: next as it was before the first, and what With was told since.
	top   zapcore.Core
	since [][]zap.Field
}

var _ zapcore.Core = (*core)(nil)

// NewCore wraps a core, as [Wrap] does that of a logger.
func NewCore(next zapcore.Core, opts ...logctx.Option) zapcore.Core {
	return newCore(next, logctx.NewReader(build, opts...))
}

func newCore(next zapcore.Core, reader *logctx.Reader[fields]) *core {
	return &core{reader: reader, next: next}
}

func (c *core) Enabled(level zapcore.Level) bool { return c.next.Enabled(level) }

// Level is for zapcore.LevelOf.
func (c *core) Level() zapcore.Level { return zapcore.LevelOf(c.next) }

func (c *core) Sync() error { return c.next.Sync() }

func (c *core) With(list []zap.Field) zapcore.Core {
	if ctx := contextIn(list); ctx != nil {
		if f := c.reader.Fields(ctx); f != nil {
			b := &boundCore{
				Core:      f.bound(c),
				origin:    c,
				replaying: func() bool { return stent.Replaying(ctx) },
			}
			return b.with(list)
		}
	}
	return c.with(list)
}

func (c *core) with(list []zap.Field) *core {
	d := &core{reader: c.reader, next: c.next.With(list), top: c.top}
	if d.top == nil && slices.ContainsFunc(list, func(f zap.Field) bool { return f.Type == zapcore.NamespaceType }) {
		d.top = c.next
	}
	if d.top != nil {
		d.since = append(slices.Clip(c.since), slices.Clone(list))
	}
	return d
}

func (c *core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.next.Enabled(entry.Level) {
		return ce
	}
	return ce.AddCore(entry, c)
}

func (c *core) Write(entry zapcore.Entry, list []zap.Field) error {
	if ctx := contextIn(list); ctx != nil {
		if f := c.reader.Fields(ctx); f != nil {
			if stent.Replaying(ctx) {
				return nil
			}
			return f.write(c, entry, list)
		}
	}
	return write(c.next, entry, list)
}

// boundCore is a core of a task, so the next core is asked, and writes, as if there were nothing between.
type boundCore struct {
	zapcore.Core // with the fields
	origin       *core
	since        [][]zap.Field // what With was told since
	replaying    func() bool
}

var _ zapcore.Core = (*boundCore)(nil)

// Level is for zapcore.LevelOf.
func (b *boundCore) Level() zapcore.Level { return zapcore.LevelOf(b.Core) }

// With begins anew at the origin if it is told of another context, so that no record has the fields of two.
func (b *boundCore) With(list []zap.Field) zapcore.Core {
	if contextIn(list) == nil {
		return b.with(list)
	}
	c := b.origin
	for _, with := range b.since {
		c = c.with(with)
	}
	return c.With(list)
}

func (b *boundCore) with(list []zap.Field) *boundCore {
	d := *b
	d.Core, d.since = b.Core.With(list), append(slices.Clip(b.since), slices.Clone(list))
	return &d
}

func (b *boundCore) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.replaying() {
		return ce
	}
	return b.Core.Check(entry, ce)
}

func (b *boundCore) Write(entry zapcore.Entry, list []zap.Field) error {
	if b.replaying() {
		return nil
	}
	return b.Core.Write(entry, list)
}
