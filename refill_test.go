package stent_test

import (
	"testing"
	"time"

	"github.com/stentgo/stent/core"
)

// TestASlotThatAWorkflowFreesIsFilledAtOnce: a worker that has more to do than slots looks for more as soon as one is
// free, also when it was a workflow that had it, and not when it polls the next time.
func TestASlotThatAWorkflowFreesIsFilledAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		ends := core.NewWorkflow[int, int]("ends")
		sleeps := core.NewWorkflow[int, int]("sleeps")
		handlers := []core.Handler{
			ends.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil }),
			sleeps.Handle(func(flow *core.Flow, n int) (int, error) { return n, flow.Sleep(time.Millisecond) }),
		}
		client := w.program(handlers...)
		var runs []*core.Run[int]
		for i := range 10 {
			runs = append(runs, start(client, ends, i), start(client, sleeps, i))
		}
		w.program(handlers...).serve(core.WorkerConfig{Slots: 2, PollInterval: time.Hour})
		for i, run := range runs {
			if got := wait(client, run); got != i/2 {
				t.Errorf("result %d of %d", got, i/2)
			}
		}
	})
}
