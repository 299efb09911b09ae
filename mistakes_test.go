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

// A call whose callee nobody has registered is a typing error, and not a task that waits for ever.
func TestACallWithoutAHandlerFailsAndHealsWhenItIsRegistered(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		act := core.NewActivity[int, int]("forgotten_activity")
		child := core.NewWorkflow[int, int]("forgotten_child")
		byActivity, byChild := core.NewWorkflow[int, int]("by_activity"), core.NewWorkflow[int, int]("by_child")
		some := []core.Handler{
			byActivity.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }),
			byChild.Handle(func(flow *core.Flow, n int) (int, error) { return child.Call(flow, n) }),
		}
		lacking := w.program(some...).serve(core.WorkerConfig{})
		ids := map[string]*core.Workflow[int, int]{"forgotten_activity": byActivity, "forgotten_child": byChild}
		for callee, wf := range ids {
			start(lacking, wf, 7, core.ID(callee))
			_, err := wf.Attach(lacking.Engine, callee).Wait(w.ctx())
			var failed *core.ExecutionError
			if !errors.As(err, &failed) || failed.Failure.Code != core.CodeNotRegistered || !strings.Contains(err.Error(), `"`+callee+`" is not registered`) {
				t.Errorf("a call of %s: %v", callee, err)
			}
		}
		lacking.stop()
		whole := w.program(append(some,
			act.Handle(func(_ context.Context, n int) (int, error) { return n, nil }),
			child.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil }))...).serve(core.WorkerConfig{})
		for callee, wf := range ids {
			if err := whole.Replay(w.ctx(), backend.TaskID{Execution: callee}); err != nil {
				t.Fatal(err)
			}
			if got := wait(whole, wf.Attach(whole.Engine, callee)); got != 7 {
				t.Errorf("%s: result %d", callee, got)
			}
		}
	})
}

// What is wrong with a call is told where its result is asked for, and the other calls are found again as ever.
func TestABadCallIsAnErrorToItsWorkflow(t *testing.T) {
	act := core.NewActivity[any, int]("echo_one")
	child := core.NewWorkflow[any, int]("echo_child")
	call := func(in any, opts ...core.CallOption) func(*core.Flow) error {
		return func(flow *core.Flow) error { _, err := act.Call(flow, in, opts...); return err }
	}
	mistakes := map[string]func(*core.Flow) error{
		"input of activity echo_one: func() does not encode": call(func() {}),
		"input of workflow echo_child: func() does not encode": func(flow *core.Flow) error {
			_, err := child.Call(flow, func() {})
			return err
		},
		"priority 40000: want -32768 to 32767": call(1, core.Priority(40000)),
		`the key "k" is used by two calls of workflow mistaken`: func(flow *core.Flow) error {
			return errors.Join(call(1, core.Key("k"))(flow), call(2, core.Key("k"))(flow))
		},
		"select: nothing to wait for":                              func(flow *core.Flow) error { _, err := core.Select(flow); return err },
		"schedule-to-start timeout -1s: want 0 (no limit) or more": call(1, core.ScheduleToStart(-time.Second)),
		"heartbeat timeout -1s: want 0 (no limit) or more":         call(1, core.HeartbeatTimeout(-time.Second)),
		"start-to-close timeout -1s: want 0 (no limit) or more":    call(1, core.StartToClose(-time.Second)),
		"parallel -1: want 0 (all) or more": func(flow *core.Flow) error {
			_, err := act.Map(flow, []any{1}, core.Parallel(-1))
			return err
		},
		"maximal duration -1s: want 0 (no limit) or more": func(flow *core.Flow) error {
			_, err := child.Call(flow, 1, core.MaxDuration(-time.Second))
			return err
		},
		"delay -1s: want 0 or more": func(flow *core.Flow) error { _, err := child.Call(flow, 1, core.Delay(-time.Second)); return err },
	}
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[string, string]("mistaken")
		p := w.program(
			act.Handle(func(context.Context, any) (int, error) { return 1, nil }),
			child.Handle(func(*core.Flow, any) (int, error) { return 1, nil }),
			wf.Handle(func(flow *core.Flow, mistake string) (string, error) {
				err := mistakes[mistake](flow)
				_, after := act.Call(flow, "after")
				return fmt.Sprint(err), after
			})).serve(core.WorkerConfig{})
		for want := range mistakes {
			if got, err := start(p, wf, want).Wait(w.ctx()); err != nil || !strings.Contains(got, want) {
				t.Errorf("it says %q, %v, want %q", got, err, want)
			}
		}
	})
}
