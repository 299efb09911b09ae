package stent_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stentgo/stent/core"
)

// A Map of limited width fails while a later call is under way. When the workflow runs again it is known from the beginning
// that it fails; yet it makes the calls that it made, and what follows finds its own places.
func TestABoundedMapThatFailedIsRepeatedAsItWas(t *testing.T) {
	part := core.NewActivity[int, int]("part", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
	goes := core.NewSignal[int]("goes")
	whole := core.NewWorkflow[int, []int]("whole")
	onEach(t, func(t *testing.T, w *world) {
		third := make(chan struct{})
		handlers := []core.Handler{
			part.Handle(func(_ context.Context, n int) (int, error) {
				switch n {
				case 1:
					<-third
					return 0, errors.New("the first fails late")
				case 3:
					close(third) // once: it completes, and does not run again
				}
				return 10 * n, nil
			}),
			whole.Handle(func(flow *core.Flow, _ int) ([]int, error) {
				_, err := part.Map(flow, []int{1, 2, 3, 4, 5}, core.Parallel(2))
				var failed *core.ActivityError
				if !errors.As(err, &failed) {
					return nil, errors.New("the map has not failed")
				}
				a, err := part.Call(flow, 7)
				if err != nil {
					return nil, err
				}
				b, err := goes.Receive(flow)
				return []int{a, b}, err
			}),
		}
		first := w.program(handlers...).serve(core.WorkerConfig{Slots: 4})
		run := start(first, whole, 1)
		w.eventually("it waits for its signal", func() bool {
			s, err := first.StateOf(w.ctx(), run.ID())
			return err == nil && slices.ContainsFunc(s.Progress, func(p core.ProgressItem) bool { return p.TaskID.Seq >= 5 && p.State == "completed" && p.Step == "part" })
		})
		first.stop()
		second := w.program(handlers...).serve(core.WorkerConfig{})
		if err := goes.Send(w.ctx(), second.Engine, run.ID(), 5); err != nil {
			t.Fatal(err)
		}
		if got := wait(second, run); !slices.Equal(got, []int{70, 5}) {
			t.Errorf("got %v", got)
		}
	})
}
