package core_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

// samples is a recorder that hands on what it is told.
type samples struct {
	core.NopRecorder
	got    chan *core.Sample
	failed chan string
}

func (s samples) Sampled(_ context.Context, sample *core.Sample) { s.got <- sample }

func (s samples) BackendFailed(_ context.Context, e core.BackendFailed) { s.failed <- e.Operation }

// unsteady is a database that fails to count while err is set.
type unsteady struct {
	backend.Backend
	mu    sync.Mutex
	err   error
	under int
	most  int
}

func (u *unsteady) Stats(ctx context.Context) (backend.Stats, error) {
	u.mu.Lock()
	u.under++
	u.most = max(u.most, u.under)
	err := u.err
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.under--
	}()
	if err != nil {
		return backend.Stats{}, err
	}
	return u.Backend.Stats(ctx)
}

func (u *unsteady) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
}

// ticks is a clock whose timers fire when the test says so.
type ticks struct {
	mu     sync.Mutex
	timers []func()
	set    chan time.Duration
}

func (c *ticks) Now() time.Time { return time.Now() }

func (c *ticks) AfterFunc(d time.Duration, f func()) core.ClockTimer {
	c.mu.Lock()
	c.timers = append(c.timers, f)
	c.mu.Unlock()
	c.set <- d
	return time.NewTimer(time.Hour) // to be stopped
}

// tick waits for a timer, which has to be of that duration, and fires it.
func (c *ticks) tick(t *testing.T, want time.Duration) {
	t.Helper()
	if d := <-c.set; d != want {
		t.Errorf("a timer of %v, want %v", d, want)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.timers {
		f()
	}
	c.timers = nil
}

func TestSampler(t *testing.T) {
	var (
		db    = &unsteady{Backend: memory.Open()}
		rec   = samples{got: make(chan *core.Sample, 10), failed: make(chan string, 10)}
		clock = &ticks{set: make(chan time.Duration, 10)}
		log   strings.Builder
		logs  sync.Mutex
	)
	engine, err := core.New(db, core.WithMetrics(rec), core.WithClock(clock), core.WithLogger(slog.New(slog.NewTextHandler(&guarded{&logs, &log}, nil))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Register(t.Context(), backend.Worker{ID: "w", Queues: []string{"mail"}, State: backend.WorkerReady}, time.Hour); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 { // two samplers of one engine do not read at once
		go func() { done <- engine.RunSampler(ctx, time.Minute) }()
	}
	for range 2 {
		s := <-rec.got
		if s.Err != nil || len(s.Stats.Queues) != 1 || s.Stats.Workers[backend.WorkerReady] != 1 || s.At.IsZero() {
			t.Errorf("sample %+v", s)
		}
		if s.ClockSkew.Abs() > time.Minute {
			t.Errorf("a clock skew of %v to the same clock", s.ClockSkew)
		}
	}
	<-clock.set
	db.fail(errors.New("the disk is on fire"))
	clock.tick(t, time.Minute)
	for range 2 {
		if s := <-rec.got; s.Err == nil || s.Stats.Queues != nil {
			t.Errorf("a sample that could not be read: %+v", s)
		}
		if op := <-rec.failed; op != "sample" {
			t.Errorf("a failed %s", op)
		}
	}
	<-clock.set
	db.fail(nil)
	clock.tick(t, time.Minute)
	for range 2 {
		if s := <-rec.got; s.Err != nil {
			t.Errorf("the next sample: %v", s.Err)
		}
	}
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if db.most != 1 {
		t.Errorf("%d readings at once", db.most)
	}
	logs.Lock()
	defer logs.Unlock()
	if n := strings.Count(log.String(), "the disk is on fire"); n != 1 {
		t.Errorf("the fault is logged %d times:\n%s", n, log.String())
	}
}

type guarded struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.Write(p)
}

func TestSamplerRefuses(t *testing.T) {
	engine, err := core.New(memory.Open())
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.RunSampler(t.Context(), -time.Second); err == nil || !strings.Contains(err.Error(), "-1s") {
		t.Errorf("a negative interval: %v", err)
	}
	if _, err := core.New(memory.Open(), core.WithSampleInterval(0)); err == nil {
		t.Error("an interval of 0 is accepted")
	}
}
