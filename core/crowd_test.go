package core_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

// claims is a database that counts claims.
type claims struct {
	*memory.DB
	mu          sync.Mutex
	all, failed int // failed are those that brought nothing
}

func (c *claims) Commit(ctx context.Context, b *backend.Batch) error {
	err := c.DB.Commit(ctx, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range b.Commands {
		if claim, ok := cmd.(*backend.Claim); ok {
			c.all++
			if len(claim.Tasks) == 0 {
				c.failed++
			}
		}
	}
	return err
}

func (c *claims) count() (all, failed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all, c.failed
}

// order is for an activity that takes a while.
type order struct {
	At    time.Time
	Takes time.Duration
}

// crowd is many workers of one database, in a bubble whose clock stands still while anything is done, and a program that starts.
type crowd struct {
	*testing.T
	db      *claims
	starter *core.Engine
	wf      *core.Workflow[order, int]
	mu      sync.Mutex
	waited  []time.Duration // of each execution, until it began
}

func newCrowd(t *testing.T, workers int, cfg core.WorkerConfig) *crowd {
	c := &crowd{T: t, db: &claims{DB: memory.Open()}, wf: core.NewWorkflow[order, int]("crowded")}
	work := core.NewActivity[time.Duration, int]("work")
	handlers := []core.Handler{
		work.Handle(func(ctx context.Context, takes time.Duration) (int, error) {
			select {
			case <-time.After(takes):
			case <-ctx.Done():
			}
			return 0, nil
		}),
		c.wf.Handle(func(flow *core.Flow, o order) (int, error) {
			c.mu.Lock()
			c.waited = append(c.waited, time.Since(o.At))
			c.mu.Unlock()
			return work.Call(flow, o.Takes)
		}),
	}
	engine := func() *core.Engine {
		e, err := core.New(c.db)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Register(handlers...); err != nil {
			t.Fatal(err)
		}
		return e
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	for range workers {
		e := engine()
		serving.Go(func() {
			if err := e.Serve(ctx, cfg); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); serving.Wait() })
	c.starter = engine()
	advance(15 * time.Second) // until all have heard of each other
	return c
}

// advance moves the bubble's clock.
func advance(d time.Duration) { <-time.After(d) }

func (c *crowd) start(takes time.Duration) {
	c.Helper()
	if _, err := c.wf.Start(c.Context(), c.starter, order{time.Now(), takes}); err != nil {
		c.Fatal(err)
	}
}

// longest is how long an execution waited, of those since the last call, and how many there were.
func (c *crowd) longest() (d time.Duration, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.waited {
		d = max(d, w)
	}
	n, c.waited = len(c.waited), nil
	return d, n
}

// TestManyWorkersDoNotAllAnswerTheSameNews has twelve workers hear of 200 starts a second, of which each is for one of them.
func TestManyWorkersDoNotAllAnswerTheSameNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, starts = 12, 2000
		c := newCrowd(t, workers, core.WorkerConfig{})
		_, before := c.db.count()
		for range starts {
			c.start(time.Millisecond)
			advance(5 * time.Millisecond)
		}
		synctest.Wait()
		_, failed := c.db.count()
		longest, n := c.longest()
		t.Logf("%d empty claims and at most %v until an execution began, of %d", failed-before, longest, n)
		if failed-before > starts { // and not eleven for each of them
			t.Errorf("%d claims brought nothing, want at most one for each of %d starts", failed-before, starts)
		}
		if n != starts {
			t.Errorf("%d of %d executions began", n, starts)
		}
	})
}

// TestNothingWaitsBecauseAllWorkersHoldOff has one of three workers answer until the claims of the others come back empty, and then
// fills it. What it leaves is the last that they hear of for a minute, and they do not look by themselves.
func TestNothingWaitsBecauseAllWorkersHoldOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 3, core.WorkerConfig{Slots: 1, PollInterval: time.Hour})
		var held int
		for range 20 {
			for range 100 {
				c.start(time.Millisecond)
				advance(5 * time.Millisecond)
			}
			c.longest()
			c.start(time.Minute)
			synctest.Wait()
			c.start(time.Minute)
			advance(time.Second)
			longest, n := c.longest()
			if n != 2 || longest > 250*time.Millisecond {
				t.Fatalf("%d of 2 executions began, at most %v after their start: want less than 250ms", n, longest)
			}
			if longest > 0 {
				held++
			}
			advance(2 * time.Minute)
		}
		if held == 0 {
			t.Error("nobody ever held off")
		}
	})
}

// late is a database whose news are on their way for some milliseconds, as those of PostgreSQL are.
type late struct{ *memory.DB }

func (l late) Watch(ctx context.Context, worker string, queues []string, changed func(backend.News)) error {
	return l.DB.Watch(ctx, worker, queues, func(n backend.News) {
		advance(5 * time.Millisecond)
		changed(n)
	})
}

// TestAWorkerOfActivitiesKeepsUp has one worker run workflows and another one their activities. The second often hears of what it has
// taken already, since its last claim came after that was written and before it was told.
func TestAWorkerOfActivitiesKeepsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := late{memory.Open()}
		step := core.NewActivity[int, int]("step", core.Elsewhere(), core.Queue("steps"))
		wf := core.NewWorkflow[int, int]("steps_apart")
		var serving sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		defer serving.Wait()
		defer cancel()
		serve := func(queue string, h core.Handler) *core.Engine {
			e, err := core.New(db)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Register(h); err != nil {
				t.Fatal(err)
			}
			serving.Go(func() {
				if err := e.Serve(ctx, core.WorkerConfig{Slots: 100, Queues: []string{queue}}); err != nil {
					t.Error(err)
				}
			})
			return e
		}
		e := serve("default", wf.Handle(func(flow *core.Flow, n int) (int, error) {
			for range 20 {
				if _, err := step.Call(flow, n); err != nil {
					return 0, err
				}
			}
			return n, nil
		}))
		serve("steps", step.Handle(func(_ context.Context, n int) (int, error) {
			advance(time.Duration(n%3) * time.Millisecond)
			return n, nil
		}))
		advance(15 * time.Second) // until they have heard of each other
		begun := time.Now()
		var all sync.WaitGroup
		for n := range 50 {
			all.Go(func() {
				run, err := wf.Start(t.Context(), e, n)
				if err == nil {
					_, err = run.Wait(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			})
			advance(time.Millisecond)
		}
		all.Wait()
		took := time.Since(begun)
		t.Logf("20 activities in sequence, of 50 at once, took %v", took)
		if took > time.Second {
			t.Errorf("it took %v for 20 activities in sequence, with news that take 5 ms", took)
		}
	})
}

// TestWorkersThatHearLittleAnswerAtOnce is about the usual case: nothing is due most of the time.
func TestWorkersThatHearLittleAnswerAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, workers := range []int{1, 3} {
			c := newCrowd(t, workers, core.WorkerConfig{})
			for range 100 {
				c.start(time.Millisecond)
				advance(300 * time.Millisecond)
			}
			// A start in the moment of a look that found nothing waits for the shortest of the pauses.
			if longest, n := c.longest(); n != 100 || longest > time.Millisecond || workers == 1 && longest > 0 {
				t.Errorf("%d workers: %d of 100 executions began, at most %v after their start: want at once", workers, n, longest)
			}
		}
	})
}
