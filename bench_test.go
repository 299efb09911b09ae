package stent_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// BenchmarkWorkflow runs workflows of n activities, 100 in flight, each started and waited for.
func BenchmarkWorkflow(b *testing.B) {
	for _, to := range backends {
		for _, activities := range []int{0, 1, 5} {
			b.Run(fmt.Sprintf("%s/activities=%d", to.name, activities), func(b *testing.B) {
				db, err := to.dial(b.Context(), to.fresh(b))
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = db.Close() }()
				benchmarkWorkflow(b, db, activities, 100, nil)
			})
		}
	}
}

// benchmarkWorkflow has each activity say something, unless say is nil.
func benchmarkWorkflow(b *testing.B, db backend.Backend, activities, inFlight int, say func(context.Context), opts ...core.Option) {
	b.ReportAllocs()
	noop := core.NewActivity[int, int]("noop")
	wf := core.NewWorkflow[int, int]("sequence")
	e, err := core.New(db, opts...)
	if err != nil {
		b.Fatal(err)
	}
	err = e.Register(
		noop.Handle(func(ctx context.Context, n int) (int, error) {
			if say != nil {
				say(ctx)
			}
			return n, nil
		}),
		wf.Handle(func(flow *core.Flow, n int) (int, error) {
			for range activities {
				var err error
				if n, err = noop.Call(flow, n); err != nil {
					return 0, err
				}
			}
			return n, nil
		}),
	)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	served := make(chan error, 1)
	go func() { served <- e.Serve(ctx, core.WorkerConfig{Slots: 100}) }()

	var flights sync.WaitGroup
	left := make(chan int, b.N)
	for i := range b.N {
		left <- i
	}
	close(left)
	b.ResetTimer()
	for range inFlight {
		flights.Go(func() {
			for i := range left {
				run, err := wf.Start(b.Context(), e, i)
				if err == nil {
					_, err = run.Wait(b.Context())
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	flights.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
	cancel()
	if err := <-served; err != nil {
		b.Error(err)
	}
}

// backlog starts executions without activities. The channel is closed when all are done.
func backlog(t testing.TB, e *core.Engine, n int) <-chan struct{} {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	all := make(chan struct{})
	wf := core.NewWorkflow[int, int]("job")
	err := e.Register(wf.Handle(func(_ *core.Flow, n int) (int, error) {
		if left.Add(-1) == 0 {
			close(all)
		}
		return n, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	for ; n > 0; n -= 1000 {
		if _, err := wf.StartMany(t.Context(), e, make([]core.Input[int], min(n, 1000))); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// BenchmarkBacklog works off executions without activities that were started before.
func BenchmarkBacklog(b *testing.B) {
	for _, to := range backends {
		b.Run(to.name, func(b *testing.B) {
			b.ReportAllocs()
			db, err := to.dial(b.Context(), to.fresh(b))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			e, err := core.New(db)
			if err != nil {
				b.Fatal(err)
			}
			all := backlog(b, e, b.N)
			b.ResetTimer()
			ctx, cancel := context.WithCancel(b.Context())
			served := make(chan error, 1)
			go func() { served <- e.Serve(ctx, core.WorkerConfig{}) }()
			<-all
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
			cancel()
			if err := <-served; err != nil {
				b.Error(err)
			}
		})
	}
}
