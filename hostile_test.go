package stent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// hostileTexts are what a database may refuse, cut off or read as something else.
var hostileTexts = map[string]string{
	"nul":       "a\x00b",
	"not utf-8": "a\xff\xfeb",
	"long":      strings.Repeat("x", 100_000),
	"empty":     "",
	"quotes":    `'); DROP TABLE executions; --`,
	"surrogate": "\xed\xa0\x80",
	"escape":    "\x1b[31m\u202e",
}

// Text that reaches the engine from outside, in whatever place, is stored or refused. It never holds up others: not the
// batch that it shares, not the worker, not its drain.
func TestHostileTextHarmsNobodyElse(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		once := core.Retry(core.RetryPolicy{MaxAttempts: 1})
		echo := core.NewActivity[string, string]("echo", once)
		failing := core.NewActivity[string, string]("failing", once)
		beating := core.NewActivity[string, string]("beating", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
		keyed := core.NewActivity[string, string]("keyed", once, core.Idempotent(), core.CacheKeyFunc(func(s string) string { return s }))
		places := map[string]func(flow *core.Flow, s string) error{
			"input":   func(flow *core.Flow, s string) error { _, err := echo.Call(flow, s); return err },
			"key":     func(flow *core.Flow, s string) error { _, err := echo.Call(flow, "x", core.Key(s)); return err },
			"error":   func(flow *core.Flow, s string) error { _, err := failing.Call(flow, s); return err },
			"own":     func(_ *core.Flow, s string) error { return errors.New(s) },
			"panic":   func(_ *core.Flow, s string) error { panic(s) },
			"detail":  func(flow *core.Flow, s string) error { _, err := beating.Call(flow, s); return err },
			"cache":   func(flow *core.Flow, s string) error { _, err := keyed.Call(flow, s); return err },
			"counter": func(flow *core.Flow, s string) error { flow.Counter(s).Add(1); return flow.Sleep(time.Millisecond) },
			"state": func(flow *core.Flow, s string) error {
				return errors.Join(flow.State(s).Set(1), flow.Sleep(time.Millisecond))
			},
			"value": func(flow *core.Flow, s string) error {
				return errors.Join(flow.State("x").Set(s), flow.Sleep(time.Millisecond))
			},
			"version": func(flow *core.Flow, s string) error { _, err := flow.Version(s, 0, 1); return err },
			"recorded": func(flow *core.Flow, s string) error {
				_, err := core.SideEffect(flow, s, func() string { return s })
				return err
			},
			"queue": func(flow *core.Flow, s string) error { _, err := echo.Call(flow, "x", core.Queue(s)); return err },
			"tag":   func(flow *core.Flow, s string) error { _, err := echo.Call(flow, "x", core.Tags(s)); return err },
			"signal": func(flow *core.Flow, s string) error {
				_, err := core.NewSignal[int](s).ReceiveWithin(flow, 0)
				return err
			},
		}
		wf := core.NewWorkflow[[2]string, int]("hostile")
		p := w.program(
			echo.Handle(func(_ context.Context, s string) (string, error) { return s, nil }),
			failing.Handle(func(_ context.Context, s string) (string, error) { return "", errors.New(s) }),
			keyed.Handle(func(_ context.Context, s string) (string, error) { return s, nil }),
			beating.Handle(func(ctx context.Context, s string) (string, error) {
				if err := core.Heartbeat(ctx, s); err != nil {
					return "", err
				}
				return "", errors.New("again")
			}),
			wf.Handle(func(flow *core.Flow, in [2]string) (int, error) { return 1, places[in[0]](flow, hostileTexts[in[1]]) }),
		).serve(core.WorkerConfig{})

		var runs []*core.Run[int]
		for place := range places {
			for name := range hostileTexts {
				if name == "quotes" && (place == "queue" || place == "tag") {
					continue // it is a name like any other, of what no worker has
				}
				runs = append(runs, start(p, wf, [2]string{place, name}, core.ID(place+"/"+name)))
			}
		}
		for name, s := range hostileTexts {
			neighbour := make(chan error, 1)
			go func() {
				_, err := echoRun(w, p, wf, name)
				neighbour <- err
			}()
			ctx := w.ctx()
			for what, err := range map[string]error{
				"id":       second(wf.Start(ctx, p.Engine, [2]string{"input", "quotes"}, core.ID(s))),
				"metadata": second(wf.Start(ctx, p.Engine, [2]string{"input", "quotes"}, core.Metadata(map[string]string{s: s}))),
				"cancel":   p.Cancel(ctx, s),
				"actor":    p.Cancel(ctx, runs[0].ID(), core.By(s), core.Because(s)),
				"raw":      p.SignalRaw(ctx, runs[0].ID(), "x", []byte(s)),
				"replay":   p.Replay(ctx, backend.TaskID{Execution: s, Seq: 1}, core.By(s)),
				"pause":    p.PauseQueue(ctx, "other", core.By(s)),
				"resume":   p.ResumeQueue(ctx, s),
				"why":      second(p.Why(ctx, s)),
				"state":    second(p.StateOf(ctx, s)),
			} {
				if err != nil && len(err.Error()) > 2000 {
					t.Errorf("%s, %s: an error of %d bytes", what, name, len(err.Error()))
				}
			}
			if err := <-neighbour; err != nil {
				t.Errorf("a start beside %s: %v", name, err)
			}
		}
		ctx, cancel := context.WithTimeout(w.ctx(), time.Minute)
		defer cancel()
		for _, run := range runs {
			_, err := run.Wait(ctx)
			if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
				why, _ := p.Why(w.ctx(), run.ID())
				t.Errorf("%s does not end: %s %s", run.ID(), why.Reason, why.Detail)
			}
		}
		p.stop()
	})
}

func second[T any](_ T, err error) error { return err }

// echoRun starts an execution of no harm.
func echoRun(w *world, p *program, wf *core.Workflow[[2]string, int], name string) (*core.Run[int], error) {
	return wf.Start(w.ctx(), p.Engine, [2]string{"input", "quotes"}, core.ID(fmt.Sprint("neighbour of ", name)))
}
