// Package logctxtest is the suite by which a log injector proves that it says of each record what it should, and nothing
// more. An injector for another library than those here runs it in a test:
//
//	func TestInjector(t *testing.T) {
//		logctxtest.Run(t, logctxtest.Injector{New: ..., Plain: ...})
//	}
package logctxtest

import (
	"context"
	"io"
	"testing"

	"github.com/stentgo/stent/logctx"
)

// Injector is what the suite drives. The loggers of New and Plain are set up in the same way and write each record as a
// line of JSON, without a time.
type Injector struct {
	// New makes a logger with the injector.
	New func(w io.Writer, opts ...logctx.Option) Logger
	// Plain makes the logger as it is without.
	Plain func(w io.Writer) Logger

	Features Features
}

// Features are what not every library or injector has.
type Features struct {
	Groups        bool // Logger.WithGroup, which puts fields that follow under a name
	NoAllocations bool // a record in a task allocates no more than a plain one
}

// Logger is what the suite asks of a logging library. All values are strings.
type Logger interface {
	// Log writes a record at a level that is enabled, with a context in the way that users of the injector do. A plain
	// logger ignores the context.
	Log(ctx context.Context, message string, keysAndValues ...string)
	With(key, value string) Logger
	// WithGroup is not called without Features.Groups.
	WithGroup(name string) Logger
}

// Run runs the whole suite, each behaviour as a subtest.
func Run(t *testing.T, injector Injector) {
	for _, behaviour := range []struct {
		name string
		test func(*testing.T, Injector)
	}{
		{"outside a task the output is that of the plain logger, byte for byte", Outside},
		{"in an activity", InActivity},
		{"in a workflow", InWorkflow},
		{"contexts made of a task's belong to it", DerivedContexts},
		{"replay", Replay},
		{"loggers with fields of their own", With},
		{"the fields stay at the top level when a group is open", Groups},
		{"loggers made of one logger", Siblings},
		{"tasks that share a logger", SharedLogger},
		{"more loggers than anyone can keep", ManyLoggers},
		{"other names", Names},
		{"spans", Spans},
		{"allocations", Allocations},
	} {
		t.Run(behaviour.name, func(t *testing.T) { behaviour.test(t, injector) })
	}
}
