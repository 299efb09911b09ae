package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
	"github.com/stentgo/stent/internal/crashtest"
)

func counters(env *stenttest.Env, id string) string {
	counted := map[string]float64{}
	for _, c := range env.State(id).Counters {
		counted[c.Name] = c.Value
	}
	return fmt.Sprintf("%v of %v, %v failed", counted[done], counted[total], counted[failed])
}

func TestProgressCountsEachPictureOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, batches.Handle(makeThumbnails))
		env.Configure(1, core.WorkerConfig{Slots: inFlight})
		var atOnce, most atomic.Int32
		stenttest.Stub(env, thumbnail, func(ctx context.Context, _ Picture) (int, error) {
			most.Store(max(most.Load(), atOnce.Add(1)))
			defer atOnce.Add(-1)
			return (&studio{takes: time.Second}).make(ctx, Picture{Size: 10})
		})
		run := stenttest.Start(env, batches, folder(100), core.ID("b"))
		env.Advance(3*time.Second + time.Millisecond)
		if got := counters(env, "b"); got != "48 of 100, 0 failed" {
			t.Errorf("after 3s: %s", got)
		}
		// What is under way begins again.
		env.Restart()
		if got, err := stenttest.Wait(env, run); err != nil || got.Done != 100 || got.Bytes != 100 {
			t.Errorf("summary %+v, %v", got, err)
		}
		if got := counters(env, "b"); got != "100 of 100, 0 failed" {
			t.Errorf("at the end: %s", got)
		}
		if most.Load() != inFlight {
			t.Errorf("%d at once, want %d", most.Load(), inFlight)
		}
		stenttest.AssertReplays(t, env.History("b"), batches.Handle(makeThumbnails))
	})
}

func TestWhatFailsForGoodIsNotedAndTheRestIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, batches.Handle(makeThumbnails))
		tried := stenttest.Stub(env, thumbnail, func(ctx context.Context, p Picture) (int, error) {
			task, _ := core.InfoFrom(ctx)
			switch {
			case p.Name == "0003.jpg":
				return 0, core.NonRetryable(errBroken)
			case p.Name == "0005.jpg" && task.Attempt < 3:
				return 0, errors.New("out of memory")
			}
			return p.Size, nil
		})
		got, err := stenttest.Run(env, batches, folder(5), core.ID("b"))
		if err != nil || got.Done != 4 || fmt.Sprint(got.Failed) != "[0003.jpg]" {
			t.Errorf("summary %+v, %v", got, err)
		}
		tried.Called(5 + 2)
		if got := counters(env, "b"); got != "4 of 5, 1 failed" {
			t.Errorf("counters: %s", got)
		}
	})
}

func TestACrashAtEveryCommit(t *testing.T) {
	crashtest.Everywhere(t, 6, func(env *stenttest.Env, _ bool) {
		env.Handle(batches.Handle(makeThumbnails))
		env.Configure(1, core.WorkerConfig{Slots: 2})
		stenttest.Stub(env, thumbnail, func(_ context.Context, p Picture) (int, error) {
			if p.Name == "0002.jpg" {
				return 0, core.NonRetryable(errBroken)
			}
			return 1, nil
		})
		run := stenttest.Start(env, batches, folder(5), env.ID("b"))
		got, err := stenttest.Wait(env, run)
		if err != nil || got.Done != 4 || fmt.Sprint(got.Failed) != "[0002.jpg]" {
			env.Errorf("summary %+v, %v", got, err)
		}
		if got := counters(env, run.ID()); got != "4 of 5, 1 failed" {
			env.Errorf("counters: %s", got)
		}
	})
}
