package stent_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// gazette is a backend that counts what its engine is told of in each reading of news, and the histories that it reads.
type gazette struct {
	backend.Backend

	mu        sync.Mutex
	issues    []int // tasks in each
	histories int
}

func (g *gazette) News(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	all, err := g.Backend.News(ctx, of)
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range all {
		g.issues = append(g.issues, len(all[i].Tasks))
	}
	return all, err
}

func (g *gazette) History(ctx context.Context, ids []string) ([]backend.History, error) {
	g.mu.Lock()
	g.histories += len(ids)
	g.mu.Unlock()
	return g.Backend.History(ctx, ids)
}

// An execution in memory whose activities run elsewhere must not read, with each of them, all that were before.
func TestWhatEndsElsewhereIsReadOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		far := core.NewActivity[int, int]("far", core.Queue("remote"), core.Elsewhere())
		near := core.NewActivity[int, int]("near")
		wf := core.NewWorkflow[int, int]("commuter")
		next := func(_ context.Context, n int) (int, error) { return n + 1, nil }
		g := &gazette{Backend: w.open()}
		p := w.programOn(g, near.Handle(next), wf.Handle(func(flow *core.Flow, n int) (int, error) {
			sum := 0
			for range 5 {
				for _, activity := range []*core.Activity[int, int]{far, near} {
					v, err := activity.Call(flow, n)
					if err != nil {
						return 0, err
					}
					sum += v
				}
			}
			return sum, nil
		})).serve(core.WorkerConfig{Queues: []string{core.DefaultQueue}}).ready()
		w.program(far.Handle(next)).serve(core.WorkerConfig{Queues: []string{"remote"}})

		if got := wait(p, start(p, wf, 1)); got != 20 {
			t.Errorf("the sum is %d", got)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if len(g.issues) == 0 {
			t.Error("the engine read no news")
		}
		for nth, tasks := range g.issues {
			if tasks > 1 {
				t.Errorf("reading %d of %v brought what was known", nth+1, g.issues)
			}
		}
		if g.histories > 0 {
			t.Errorf("%d histories were read of an execution that was in memory all the time", g.histories)
		}
	})
}
