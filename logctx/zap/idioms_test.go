package zap_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/stentgo/stent/core"
	stentzap "github.com/stentgo/stent/logctx/zap"
)

const fields = `"stent_execution_id":"order-42","stent_task_id":"order-42.2","stent_worker_id":"worker-1",` +
	`"stent_step":"charge_payment","stent_queue":"billing","stent_attempt":1`

func TestIdioms(t *testing.T) {
	ctx := core.WithTaskInfo(t.Context(), charge, nil)
	line := regexp.MustCompile(`_test\.go:\d+`)
	for _, test := range []struct {
		name string
		log  func(*zap.Logger)
		want string
	}{
		{"a sugared logger of the task", func(l *zap.Logger) {
			l.Sugar().With(stentzap.Context(ctx), "order", "42").Infof("paid %d", 1999)
		}, `{"level":"info","msg":"paid 1999",` + fields + `,"order":"42"}`},
		{"a namespace in the record", func(l *zap.Logger) {
			l.Info("paid", zap.Namespace("http"), zap.String("method", "GET"), stentzap.Context(ctx))
		}, `{"level":"info","msg":"paid",` + fields + `,"http":{"method":"GET"}}`},
		{"a namespace together with the context", func(l *zap.Logger) {
			l.With(zap.Namespace("http"), stentzap.Context(ctx)).With(zap.String("method", "GET")).Info("paid")
		}, `{"level":"info","msg":"paid",` + fields + `,"http":{"method":"GET"}}`},
		{"With that is lazy", func(l *zap.Logger) {
			l.WithLazy(stentzap.Context(ctx), zap.String("order", "42")).Info("paid")
		}, `{"level":"info","msg":"paid",` + fields + `,"order":"42"}`},
		{"the task of a logger that has one, again and with another context", func(l *zap.Logger) {
			l = stentzap.From(ctx, l).With(zap.String("order", "42"))
			stentzap.From(ctx, l).With(stentzap.Context(ctx)).Info("paid")
		}, `{"level":"info","msg":"paid","order":"42",` + fields + `}`},
		{"siblings of a logger that has a task", func(l *zap.Logger) {
			l = stentzap.From(ctx, l).With(zap.Int("a", 1)).With(zap.Int("b", 2))
			c := l.With(zap.Int("c", 3))
			l.With(zap.Int("d", 4)) // has nothing to do with the others
			c.With(stentzap.Context(ctx)).Info("paid")
		}, `{"level":"info","msg":"paid","a":1,"b":2,"c":3,` + fields + `}`},
		{"no longer in the task", func(l *zap.Logger) {
			stentzap.From(ctx, l).With(zap.String("order", "42"), stentzap.Context(context.WithoutCancel(t.Context()))).Info("paid")
		}, `{"level":"info","msg":"paid","order":"42"}`},
		{"a name and a caller", func(l *zap.Logger) {
			l.Named("billing").WithOptions(zap.AddCaller()).Info("paid", stentzap.Context(ctx))
		}, `{"level":"info","logger":"billing","caller":"zap/idioms_test.go:0","msg":"paid",` + fields + `}`},
		{"levels", func(l *zap.Logger) {
			l.Debug("not enabled", stentzap.Context(ctx))
			stentzap.From(ctx, l).Debug("not enabled")
			l.WithOptions(zap.IncreaseLevel(zap.ErrorLevel)).Warn("not enabled", stentzap.Context(ctx))
		}, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			logger := zap.New(jsonCore(&out), stentzap.Wrap())
			for _, record := range []string{"first", "second"} { // which are written in other ways
				out.Reset()
				test.log(logger)
				if got := line.ReplaceAllString(strings.TrimSpace(out.String()), "_test.go:0"); got != test.want {
					t.Errorf("%s record of the task:\n%s\nwant:\n%s", record, got, test.want)
				}
			}
		})
	}
}

func TestFromNeedsNoWrap(t *testing.T) {
	var out bytes.Buffer
	logger := zap.New(jsonCore(&out))
	if stentzap.From(t.Context(), logger) != logger {
		t.Error("outside a task it is another logger")
	}
	ctx := core.WithTaskInfo(t.Context(), charge, nil)
	first, second := stentzap.From(ctx, logger), stentzap.From(ctx, logger)
	if first != second {
		t.Error("in one task there are two loggers")
	}
	first.Info("paid")
	if want := `{"level":"info","msg":"paid",` + fields + "}\n"; out.String() != want {
		t.Errorf("written:\n%swant:\n%s", &out, want)
	}
}

// A core may be several, each with its level, of which some sample and have hooks. All that is so with the wrapper.
func TestCoresOfAllKinds(t *testing.T) {
	ctx := core.WithTaskInfo(t.Context(), charge, nil)
	replay := core.WithTaskInfo(t.Context(), charge, func() bool { return true })
	for name, log := range map[string]func(l *zap.Logger, ctx context.Context, level zapcore.Level){
		"by field": func(l *zap.Logger, ctx context.Context, level zapcore.Level) {
			l.Log(level, "paid", stentzap.Context(ctx))
		},
		"by logger": func(l *zap.Logger, ctx context.Context, level zapcore.Level) {
			stentzap.From(ctx, l).Log(level, "paid")
		},
	} {
		t.Run(name, func(t *testing.T) {
			all, seen := observer.New(zap.DebugLevel)
			errorsOnly, seenErrors := observer.New(zap.ErrorLevel)
			hooked := 0
			logger := zap.New(zapcore.NewTee(
				zapcore.RegisterHooks(errorsOnly, func(zapcore.Entry) error { hooked++; return nil }),
				zapcore.NewSamplerWithOptions(all, time.Hour, 2, 0),
			), stentzap.Wrap())
			for range 5 {
				log(logger, ctx, zap.InfoLevel)
				log(logger, replay, zap.WarnLevel)
			}
			log(logger, ctx, zap.ErrorLevel)
			if seen.Len() != 3 || seenErrors.Len() != 1 || hooked != 1 {
				t.Errorf("%d, %d and %d records, want 2 info and 1 error sampled, 1 error, 1 hook", seen.Len(), seenErrors.Len(), hooked)
			}
			for _, entry := range append(seen.All(), seenErrors.All()...) {
				if got := entry.ContextMap(); len(got) != 6 || got["stent_attempt"] != int64(1) {
					t.Errorf("fields %v", got)
				}
			}
			if level := zapcore.LevelOf(stentzap.From(ctx, logger).Core()); level != zap.DebugLevel {
				t.Errorf("level %v, want debug", level)
			}
		})
	}
}

// What the next core says of a failure reaches the logger's error output.
func TestErrorsOfTheNextCore(t *testing.T) {
	ctx := core.WithTaskInfo(t.Context(), charge, nil)
	for name, next := range map[string]zapcore.Core{
		"a core":  jsonCore(brokenDisk{}),
		"sampled": zapcore.NewSamplerWithOptions(jsonCore(brokenDisk{}), time.Hour, 10, 0),
	} {
		t.Run(name, func(t *testing.T) {
			var complaints bytes.Buffer
			logger := zap.New(next, stentzap.Wrap(), zap.ErrorOutput(zapcore.AddSync(&complaints)))
			for range 2 {
				logger.Info("paid", stentzap.Context(ctx))
			}
			stentzap.From(ctx, logger).Info("paid")
			if n := strings.Count(complaints.String(), "disk full"); n != 3 {
				t.Errorf("%d complaints, want 3:\n%s", n, &complaints)
			}
		})
	}
}

type brokenDisk struct{}

func (brokenDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }
