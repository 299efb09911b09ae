package stenttest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
)

func TestEveryCommitIsDiedAt(t *testing.T) {
	wf := core.NewWorkflow[int, int]("crossing")
	crossing := func(flow *core.Flow, n int) (int, error) {
		a, err := double.Call(flow, n)
		if err != nil {
			return 0, err
		}
		if err := flow.Sleep(time.Hour); err != nil {
			return 0, err
		}
		pair, err := double.Map(flow, []int{a, a + 1})
		if err != nil {
			return 0, err
		}
		flow.Counter("pairs").Add(1)
		return double.Call(flow, pair[0]+pair[1])
	}
	crashes := stenttest.Crashes(t, func(env *stenttest.Env) {
		env.Handle(wf.Handle(crossing))
		stenttest.Stub(env, double, doubled)
		run := stenttest.Start(env, wf, 5)
		if got, err := stenttest.Wait(env, run); err != nil || got != 84 {
			env.Errorf("got %d, %v", got, err)
		}
		if c := env.State(run.ID()).Counters; len(c) != 1 || c[0].Value != 1 {
			env.Errorf("counters %v", c)
		}
	})
	if crashes < 10 {
		t.Errorf("%d crashes are fewer than there are commits", crashes)
	}
}

// The matrix has to notice what it is there for: here the work is done outside of the engine, so that a crash repeats it.
func TestAScenarioThatACrashHarmsFails(t *testing.T) {
	failed := 0
	wf := core.NewWorkflow[int, int]("careless")
	stenttest.Crashes(t, func(env *stenttest.Env) {
		times := 0
		env.Handle(wf.Handle(func(flow *core.Flow, n int) (int, error) {
			times++ // belongs into an activity
			return double.Call(flow, n)
		}))
		stenttest.Stub(env, double, func(_ context.Context, n int) (int, error) { return n, nil })
		_, _ = stenttest.Run(env, wf, 1)
		if times > 1 {
			failed++
		}
	})
	if failed == 0 {
		t.Error("no crash repeated the workflow's code")
	}
}
