package logctxtest

import (
	"context"
	"io"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"

	"github.com/stentgo/stent/core"
)

// With makes loggers before a task and in it.
func With(t *testing.T, injector Injector) {
	s := newScript(t, injector)
	s.with(func(l Logger) Logger { return l.With("component", "billing").With("region", "eu") })
	s.log(inActivity(t), "made before the task", "order", "42")
	s.with(func(l Logger) Logger { return l.With("customer", "C-7") })
	s.log(inActivity(t), "made in the task")
	s.want(fieldsOf(activity(1)))
}

// Groups have the fields beside them, not in them.
func Groups(t *testing.T, injector Injector) {
	if !injector.Features.Groups {
		t.Skip("the library has no groups")
	}
	s := newScript(t, injector)
	ctx := inActivity(t)
	s.with(func(l Logger) Logger { return l.With("component", "billing").WithGroup("http") })
	s.log(ctx, "a group", "method", "GET")
	s.with(func(l Logger) Logger { return l.With("method", "GET") })
	s.log(ctx, "a field in the group", "path", "/orders")
	s.with(func(l Logger) Logger { return l.WithGroup("headers").With("accept", "text/plain") })
	s.log(ctx, "a group in the group", "host", "localhost")
	s.log(core.WithTaskInfo(t.Context(), activity(1), nil), "another context of the task", "host", "localhost")
	s.want(fieldsOf(activity(1)))

	s.log(core.WithTaskInfo(t.Context(), activity(2), nil), "another task", "host", "localhost")
	s.want(fieldsOf(activity(2)))
}

// Siblings are loggers that were made of one, after which each goes its own way.
func Siblings(t *testing.T, injector Injector) {
	s := newScript(t, injector)
	s.with(func(l Logger) Logger {
		if injector.Features.Groups {
			l = l.WithGroup("http")
		}
		return l.With("a", "1").With("b", "2")
	})
	parents := s.loggers
	var siblings [][2]Logger
	for _, name := range []string{"c", "d", "e"} {
		s.loggers = parents
		s.with(func(l Logger) Logger { return l.With(name, "3") })
		siblings = append(siblings, s.loggers)
	}
	for _, s.loggers = range siblings {
		s.log(inActivity(t), "a sibling", "order", "42")
	}
	s.want(fieldsOf(activity(1)))
}

// SharedLogger has every record told from which task it comes, at once.
func SharedLogger(t *testing.T, injector Injector) {
	const tasks, each = 8, 50
	var out lockedLines
	logger := injector.New(&out)
	var done sync.WaitGroup
	for n := range tasks {
		ctx := core.WithTaskInfo(t.Context(), activity(n), nil)
		for range 2 { // goroutines of one activity
			done.Go(func() {
				for range each {
					logger.Log(ctx, "paid", "own", activity(n).ExecutionID)
				}
			})
		}
	}
	done.Wait()

	if len(out.lines) != tasks*2*each {
		t.Errorf("%d records, want %d", len(out.lines), tasks*2*each)
	}
	for _, line := range out.lines {
		for _, r := range records(t, line) {
			if r["own"] != r["stent_execution_id"] {
				t.Fatalf("a record with the fields of another task: %s", line)
			}
		}
	}
}

// lockedLines keeps what is written to it, one line a call.
type lockedLines struct {
	mu    sync.Mutex
	lines [][]byte
}

func (l *lockedLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, append([]byte(nil), line...))
	return len(line), nil
}

// ManyLoggers makes a logger for each record, twice round, in one task.
func ManyLoggers(t *testing.T, injector Injector) {
	s := newScript(t, injector)
	ctx, base := inActivity(t), s.loggers
	var made [][2]Logger
	for i := range 40 {
		s.loggers = base
		s.with(func(l Logger) Logger {
			l = l.With("i", strconv.Itoa(i))
			if injector.Features.Groups {
				l = l.WithGroup("g" + strconv.Itoa(i))
			}
			return l
		})
		made = append(made, s.loggers)
	}
	for range 2 {
		for _, s.loggers = range made {
			s.log(ctx, "one of many", "order", "42")
		}
	}
	s.want(fieldsOf(activity(1)))
}

// Allocations counts those of a record in a task, which the injector must not add to.
func Allocations(t *testing.T, injector Injector) {
	if !injector.Features.NoAllocations {
		t.Skip("the injector does not promise it")
	}
	if raceDetector() {
		t.Skip("the race detector empties pools")
	}
	var (
		ctx   = inActivity(t)
		plain = injector.Plain(io.Discard)
		with  = injector.New(io.Discard)
	)
	type logger struct{ plain, with Logger }
	loggers := map[string]logger{
		"a logger":     {plain, with},
		"with a field": {plain.With("component", "billing"), with.With("component", "billing")},
	}
	if injector.Features.Groups {
		loggers["with a group"] = logger{plain.WithGroup("http"), with.WithGroup("http")}
	}
	keysAndValues := []string{"a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6"}
	for name, l := range loggers {
		for _, where := range []context.Context{ctx, t.Context()} {
			for _, fields := range []int{1, 6} {
				some := keysAndValues[:2*fields]
				want := testing.AllocsPerRun(200, func() { l.plain.Log(where, "paid", some...) })
				got := testing.AllocsPerRun(200, func() { l.with.Log(where, "paid", some...) })
				if got > want {
					t.Errorf("%s and %d fields: %v allocations, %v without the injector", name, fields, got, want)
				}
			}
		}
	}
}

func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
