//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// workerEnv holds a worker's orders, and makes a process a worker.
const workerEnv = "STENT_SOAK_WORKER"

// lease is that of every worker. A pause that is longer loses it.
const lease = 2 * time.Second

// orders are what a worker process is told.
type orders struct {
	Process int
	Backend string
	Address string
	Ledger  string
	Mended  string        // a folder
	Ahead   time.Duration // of its clock
}

// openBackend opens a database by its address.
func openBackend(ctx context.Context, name, address string) (backend.Backend, error) {
	if name == "postgres" {
		return postgres.Open(ctx, address)
	}
	return sqlite.Open(ctx, address)
}

// work serves until the context ends, and then drains.
func work(ctx context.Context) (err error) {
	var o orders
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &o); err != nil {
		return err
	}
	ledger, err := openLedger(o.Ledger, o.Process)
	if err != nil {
		return err
	}
	db, err := openBackend(ctx, o.Backend, o.Address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	counts := &counts{n: map[string]int64{}}
	engine, err := core.New(db, core.WithMetrics(counts), core.WithClock(clock(o.Ahead)),
		core.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))))
	if err != nil {
		return err
	}
	c := &crew{ledger: ledger, mended: o.Mended}
	if err := engine.Register(c.handlers()...); err != nil {
		return err
	}

	done := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-tick.C:
				_ = ledger.write(entry{What: told, Metrics: counts.now()})
			case <-done:
				return
			}
		}
	})
	err = engine.Serve(ctx, core.WorkerConfig{
		Name: nameOf(o.Process), Slots: 20, Lease: lease, PollInterval: 200 * time.Millisecond,
		EvictAfter: 300 * time.Millisecond, MaxResident: 40, DrainTimeout: time.Second,
		MaxCrashes: 1000, // workers that die again and again are the point here, and no fault of the tasks
	})
	close(done)
	telling.Wait()
	return errors.Join(err, ledger.write(entry{What: told, Metrics: counts.now()}))
}

// nameOf is what a process calls its worker.
func nameOf(process int) string { return fmt.Sprint("p", process) }

// clock is one that is ahead of the system's, or behind.
type clock time.Duration

func (c clock) Now() time.Time { return time.Now().Add(time.Duration(c)) }

func (c clock) AfterFunc(d time.Duration, f func()) core.ClockTimer { return time.AfterFunc(d, f) }

// counts is a recorder of what the judge compares with the rows.
type counts struct {
	core.NopRecorder
	mu sync.Mutex
	n  map[string]int64
}

func (c *counts) add(names ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.n[name]++
	}
}

func (c *counts) now() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.n)
}

// TaskCompleted implements core.MetricsRecorder.
func (c *counts) TaskCompleted(_ context.Context, e core.TaskCompleted) {
	c.add("completed " + string(e.Kind) + " " + e.Step)
}

// ExecutionFinished implements core.MetricsRecorder.
func (c *counts) ExecutionFinished(_ context.Context, e core.ExecutionFinished) {
	c.add("finished " + e.Workflow + " " + string(e.State))
}

// ExecutionStarted implements core.MetricsRecorder.
func (c *counts) ExecutionStarted(_ context.Context, e core.ExecutionStarted) {
	c.add("started " + e.Workflow)
}

// LeaseTakenOver implements core.MetricsRecorder.
func (c *counts) LeaseTakenOver(context.Context, core.LeaseTakenOver) { c.add("taken over") }

// WriteFenced implements core.MetricsRecorder.
func (c *counts) WriteFenced(context.Context, core.WriteFenced) { c.add("fenced") }

// LeaseRenewed implements core.MetricsRecorder.
func (c *counts) LeaseRenewed(_ context.Context, e core.LeaseRenewed) {
	c.add("lease " + string(e.Result))
}

// BackendFailed implements core.MetricsRecorder.
func (c *counts) BackendFailed(context.Context, core.BackendFailed) { c.add("errors") }

// EventsDropped implements core.MetricsRecorder.
func (c *counts) EventsDropped(context.Context, core.EventsDropped) { c.add("dropped") }
