package slog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"testing/slogtest"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/logctx"
	"github.com/stentgo/stent/logctx/logctxtest"
	stentslog "github.com/stentgo/stent/logctx/slog"
)

// logger is slog as the suite drives it.
type logger struct{ *slog.Logger }

func (l logger) Log(ctx context.Context, message string, keysAndValues ...string) {
	var attrs [8]slog.Attr
	n := 0
	for ; n < len(keysAndValues)/2; n++ {
		attrs[n] = slog.String(keysAndValues[2*n], keysAndValues[2*n+1])
	}
	l.LogAttrs(ctx, slog.LevelInfo, message, attrs[:n]...)
}

func (l logger) With(key, value string) logctxtest.Logger { return logger{l.Logger.With(key, value)} }

func (l logger) WithGroup(name string) logctxtest.Logger { return logger{l.Logger.WithGroup(name)} }

// timeless leaves the time out.
var timeless = &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}

func TestInjector(t *testing.T) {
	logctxtest.Run(t, logctxtest.Injector{
		New: func(w io.Writer, opts ...logctx.Option) logctxtest.Logger {
			return logger{slog.New(stentslog.NewHandler(slog.NewJSONHandler(w, timeless), opts...))}
		},
		Plain: func(w io.Writer) logctxtest.Logger {
			return logger{slog.New(slog.NewJSONHandler(w, timeless))}
		},
		Features: logctxtest.Features{Groups: true, NoAllocations: true},
	})
}

// The standard library's suite for handlers, outside a task and in one.
func TestSlogtest(t *testing.T) {
	for name, inTask := range map[string]func(slog.Handler) slog.Handler{
		"outside": func(h slog.Handler) slog.Handler { return h },
		"inside":  func(h slog.Handler) slog.Handler { return &alwaysInTask{h} },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			slogtest.Run(t, func(*testing.T) slog.Handler {
				out.Reset()
				return inTask(stentslog.NewHandler(slog.NewJSONHandler(&out, nil)))
			}, func(t *testing.T) map[string]any {
				var record map[string]any
				if err := json.Unmarshal(out.Bytes(), &record); err != nil {
					t.Fatal(err)
				}
				return record
			})
		})
	}
}

var charge = core.TaskInfo{
	ExecutionID: "order-42", TaskID: "order-42.2", WorkerID: "worker-1",
	Workflow: "order_workflow", Step: "charge_payment", Queue: "billing", Attempt: 1,
}

// alwaysInTask gives all records the context of a task.
type alwaysInTask struct{ slog.Handler }

func (h *alwaysInTask) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(core.WithTaskInfo(ctx, charge, nil), r)
}

func (h *alwaysInTask) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &alwaysInTask{h.Handler.WithAttrs(attrs)}
}

func (h *alwaysInTask) WithGroup(name string) slog.Handler {
	return &alwaysInTask{h.Handler.WithGroup(name)}
}

// The engine's own log names the execution in its records, for handlers that know nothing of tasks.
func TestFieldsThatARecordHasAreNotAddedAgain(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(stentslog.NewHandler(slog.NewTextHandler(&out, timeless)))
	ctx := core.WithTaskInfo(t.Context(), charge, nil)
	log.WarnContext(ctx, "task failed", "stent_execution_id", "order-42", "stent_attempt", 1)
	log.WithGroup("peer").InfoContext(ctx, "asked", "stent_execution_id", "order-7")
	const want = `level=WARN msg="task failed" stent_execution_id=order-42 stent_attempt=1 ` +
		`stent_task_id=order-42.2 stent_worker_id=worker-1 stent_step=charge_payment stent_queue=billing
level=INFO msg=asked stent_execution_id=order-42 stent_task_id=order-42.2 stent_worker_id=worker-1 ` +
		`stent_step=charge_payment stent_queue=billing stent_attempt=1 peer.stent_execution_id=order-7
`
	if out.String() != want {
		t.Errorf("written:\n%swant:\n%s", &out, want)
	}
}

// The handler is asked about levels, and a handler that changes the attributes it is given harms nobody.
func TestWhatAHandlerMayDo(t *testing.T) {
	var out bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: timeless.ReplaceAttr}
	log := slog.New(stentslog.NewHandler(greedy{slog.NewTextHandler(&out, options)}))
	group := log.WithGroup("http").With("method", "GET")
	for n := range 2 {
		info := charge
		info.Attempt = n + 1
		ctx := core.WithTaskInfo(t.Context(), info, nil)
		log.InfoContext(ctx, "not enabled")
		group.WarnContext(ctx, "slow")
		group.With("path", "/").WarnContext(ctx, "slow")
	}
	const fields = "level=WARN msg=slow stent_execution_id=order-42 stent_task_id=order-42.2 stent_worker_id=worker-1 " +
		"stent_step=charge_payment stent_queue=billing stent_attempt="
	const want = fields + "1 http.method=GET\n" + fields + "1 http.method=GET http.path=/\n" +
		fields + "2 http.method=GET\n" + fields + "2 http.method=GET http.path=/\n"
	if out.String() != want {
		t.Errorf("written:\n%swant:\n%s", &out, want)
	}
}

// greedy uses the slices that it is given, as slog.Handler allows.
type greedy struct{ slog.Handler }

func (g greedy) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := g.Handler.WithAttrs(attrs)
	clear(attrs)
	return greedy{next}
}

func (g greedy) WithGroup(name string) slog.Handler { return greedy{g.Handler.WithGroup(name)} }
