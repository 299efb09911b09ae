package zap

import (
	"errors"
	"reflect"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// simple is the type of zap's own core, which wants each record whose level is enabled.
var simple = reflect.TypeOf(zapcore.NewCore(nil, nil, nil))

// write writes a record to a core that has been asked for the level, but not yet whether it wants this very record.
func write(next zapcore.Core, entry zapcore.Entry, list []zap.Field) error {
	if reflect.TypeOf(next) == simple {
		return next.Write(entry, list)
	}
	ce := next.Check(entry, nil)
	if ce == nil {
		return nil
	}
	said := complaints.Get().(*complaint)
	defer complaints.Put(said)
	ce.ErrorOutput = said
	ce.Write(list...)
	return said.err()
}

// complaint is what a CheckedEntry has to say of a failure; it has no other way to say it.
type complaint struct{ text strings.Builder }

var complaints = sync.Pool{New: func() any { return new(complaint) }}

func (c *complaint) Write(p []byte) (int, error) { return c.text.Write(p) }

func (c *complaint) Sync() error { return nil }

func (c *complaint) err() error {
	if c.text.Len() == 0 {
		return nil
	}
	defer c.text.Reset()
	return errors.New(strings.TrimSpace(c.text.String()))
}
