package core_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

var errFull = errors.New("the disk is full")

// full is a database that writes nothing for a while.
type full struct {
	*memory.DB
	on atomic.Bool
}

func (f *full) Commit(ctx context.Context, b *backend.Batch) error {
	if f.on.Load() {
		return errFull
	}
	return f.DB.Commit(ctx, b)
}

// TestAStartIsAnsweredBesideWhatIsTriedAgain starts executions that a worker here would claim, while what that worker wrote is tried
// again and again.
func TestAStartIsAnsweredBesideWhatIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &full{DB: memory.Open()}
		e, err := core.New(db)
		if err != nil {
			t.Fatal(err)
		}
		begun, goOn := make(chan struct{}), make(chan struct{})
		step := core.NewActivity[int, int]("slow_step")
		wf := core.NewWorkflow[int, int]("answered")
		err = e.Register(
			step.Handle(func(_ context.Context, n int) (int, error) {
				close(begun)
				<-goOn
				return n, nil
			}),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				if n > 0 {
					return n, nil
				}
				return step.Call(flow, n)
			}),
		)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := e.Serve(ctx, core.WorkerConfig{Slots: 10}); err != nil {
				t.Error(err)
			}
		})
		defer serving.Wait()
		defer cancel()
		synctest.Wait()
		first, err := wf.Start(t.Context(), e, 0)
		if err != nil {
			t.Fatal(err)
		}
		<-begun
		db.on.Store(true)
		close(goOn)
		advance(3 * time.Second) // until the pauses between two tries are long
		for n := range 10 {
			asked := time.Now()
			if _, err := wf.Start(t.Context(), e, n+1); !errors.Is(err, errFull) || time.Since(asked) > 2*time.Second {
				t.Fatalf("start %d: %v, after %v", n, err, time.Since(asked))
			}
		}
		db.on.Store(false)
		if _, err := first.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
