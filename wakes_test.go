package stent_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
)

// TestNothingWaitsForThePoll has workers that look for work by themselves once an hour: whatever becomes possible is told
// to the one who can do it.
func TestNothingWaitsForThePoll(t *testing.T) {
	limited := core.NewActivity[int, int]("limited", core.MaxConcurrent(2))
	plain := core.NewActivity[int, int]("plain", core.Retry(core.RetryPolicy{InitialDelay: time.Millisecond}))
	wf := core.NewWorkflow[int, int]("busy")
	body := func(flow *core.Flow, n int) (int, error) {
		items := []int{1, 2, 3, 4, 5, 6}
		many, err := limited.Map(flow, items) // more than the limit, and more than there are slots
		if err != nil {
			return 0, err
		}
		more, err := plain.Map(flow, many)
		if err != nil {
			return 0, err
		}
		sum := n
		for _, v := range more {
			sum += v
		}
		return sum, flow.Sleep(time.Millisecond)
	}
	for _, cfg := range []core.WorkerConfig{
		{Slots: 1},
		{Slots: 4},
		{Slots: 1, MaxResident: 1}, // with more workflows than that, each leaves memory with the turn that makes calls
		{Slots: 4, MaxResident: 1},
		{Slots: 2, EvictAfter: time.Nanosecond},
	} {
		t.Run(fmt.Sprintf("%d slots, %d resident, out after %v", cfg.Slots, cfg.MaxResident, cfg.EvictAfter), func(t *testing.T) {
			onEach(t, func(t *testing.T, w *world) {
				double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
				cfg := cfg
				cfg.PollInterval = time.Hour
				p := w.program(wf.Handle(body), limited.Handle(double), plain.Handle(func(ctx context.Context, n int) (int, error) {
					if info, _ := core.InfoFrom(ctx); n == 2 && info.Attempt == 1 {
						return 0, fmt.Errorf("try again")
					}
					return 2 * n, nil
				})).serve(cfg)
				var runs []*core.Run[int]
				for range 5 {
					runs = append(runs, start(p, wf, 7))
				}
				for _, run := range runs {
					if got := wait(p, run); got != 7+4*21 {
						t.Errorf("result %d", got)
					}
				}
			})
		})
	}
}
