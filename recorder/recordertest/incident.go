// Package recordertest is the suite by which a recorder of metrics proves that what it says is what happened. It plays
// one incident on a real engine and compares the recorder's values, one by one, with what the database holds.
//
//	func TestConformance(t *testing.T) {
//		recordertest.Run(t, func(t *testing.T) recordertest.Target { ... })
//	}
package recordertest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
	"github.com/stentgo/stent/metrics"
)

// Target is a recorder that is tried, and how to read what it said.
type Target struct {
	Recorder core.MetricsRecorder
	// Value is what arrived for a metric with these labels: a counter's sum, a gauge's last value, a histogram's number of
	// observations; 0 and false where nothing did. It is called when all that was told has been flushed.
	Value func(t *testing.T, m metrics.Metric, labels map[string]string) (float64, bool)
	// NoKinds says that the recorder does not tell orchestrators from activities, as StatsD's paths do not.
	NoKinds bool
	// Open opens the incident's database, which is empty at first and keeps failed attempts, once for each of its two
	// programs. Default: one in memory.
	Open func(t *testing.T) backend.Backend
}

// Step is the activity of the incident; its name is one that a careless protocol stumbles over.
const Step = "billing:charge|v2 x"

const (
	workflowName = "order.workflow"
	queueName    = "mail"
	pausedQueue  = "paused"
)

// incident is what is played: two workers, tasks that succeed, fail, die and are replayed, a worker that dies, and a
// paused queue.
type incident struct {
	t       *testing.T
	db      [2]database
	engines []*core.Engine
	healed  atomic.Bool
	foreign map[backend.TaskID]int64 // claims by a worker that is no engine's
	sampled told
	stats   backend.Stats // at the moment of the sample
}

// database is a backend that tells what went wrong.
type database interface {
	backend.Backend
	backend.Attempts
}

// told is a recorder that passes on that there is a sample, and who renewed a lease.
type told struct {
	core.NopRecorder
	samples  chan struct{}
	renewals chan string
}

func (s told) LeaseRenewed(_ context.Context, e core.LeaseRenewed) {
	select {
	case s.renewals <- e.Worker:
	default: // nobody waits any more
	}
}

func (s told) Sampled(context.Context, *core.Sample) { s.samples <- struct{}{} }

var (
	charge = core.NewActivity[string, string](Step, core.Queue(queueName), core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
	orders = core.NewWorkflow[string, string](workflowName)
)

// Run plays the incident with a new recorder and compares.
func Run(t *testing.T, open func(t *testing.T) Target) {
	t.Helper()
	target := open(t)
	i := &incident{t: t, foreign: map[backend.TaskID]int64{}, sampled: told{samples: make(chan struct{}, 1), renewals: make(chan string, 10)}}
	i.open(target.Open)
	i.dieElsewhere()
	stop := i.serve(target.Recorder)
	i.play()
	i.sample()
	stop()
	for _, e := range i.engines {
		i.ok(e.FlushMetrics(i.ctx()))
	}
	i.compare(target)
}

func (i *incident) open(open func(*testing.T) backend.Backend) {
	i.t.Helper()
	if open == nil {
		db := memory.Open()
		i.db = [2]database{db, db.Another()}
		return
	}
	for n := range i.db {
		db, ok := open(i.t).(database)
		if !ok {
			i.t.Fatal("the backend does not keep failed attempts")
		}
		i.db[n] = db
	}
}

func (i *incident) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	i.t.Cleanup(cancel)
	return ctx
}

func (i *incident) ok(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

// dieElsewhere lets a worker of another program claim an execution and die.
func (i *incident) dieElsewhere() {
	i.t.Helper()
	const worker = "doomed"
	_, err := i.db[0].Register(i.ctx(), backend.Worker{ID: worker, Queues: []string{core.DefaultQueue}, State: backend.WorkerReady}, 10*time.Millisecond)
	i.ok(err)
	i.ok(i.db[0].Commit(i.ctx(), &backend.Batch{Commands: []backend.Command{
		&backend.Start{ID: "taken-over", Workflow: workflowName, Queue: core.DefaultQueue, Input: []byte(`"x"`)},
	}}))
	claim := &backend.Claim{Queues: []string{core.DefaultQueue}, Steps: []string{workflowName}, Max: 1}
	i.ok(i.db[0].Commit(i.ctx(), &backend.Batch{Worker: worker, Commands: []backend.Command{claim}}))
	if len(claim.Tasks) != 1 {
		i.t.Fatalf("claimed %d tasks, want 1", len(claim.Tasks))
	}
	i.foreign[claim.Tasks[0].ID] = claim.Tasks[0].Token
}

// serve starts two workers, as two programs would, and waits until both have begun and renewed their leases.
func (i *incident) serve(r core.MetricsRecorder) (stop func()) {
	i.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for _, db := range i.db {
		e, err := core.New(db, core.WithMetrics(r, i.sampled), core.WithSampleInterval(-1))
		i.ok(err)
		i.ok(e.Register(charge.Handle(i.charge), orders.Handle(func(flow *core.Flow, in string) (string, error) { return charge.Call(flow, in) })))
		i.engines = append(i.engines, e)
		go func() { done <- e.Serve(ctx, core.WorkerConfig{Slots: 2, PollInterval: 10 * time.Millisecond}) }()
	}
	deadline := time.After(time.Minute)
	for _, e := range i.engines {
		for !e.WorkerStatus().Ready {
			select {
			case err := <-done:
				i.t.Fatalf("a worker ended before it began: %v", err)
			case <-deadline:
				i.t.Fatal("a worker has not begun within a minute")
			case <-time.After(time.Millisecond):
			}
		}
	}
	for renewed := map[string]bool{}; len(renewed) < len(i.engines); {
		select {
		case worker := <-i.sampled.renewals:
			renewed[worker] = true
		case <-deadline:
			i.t.Fatal("a worker has not renewed its lease within a minute")
		}
	}
	return func() {
		cancel()
		for range i.engines {
			i.ok(<-done)
		}
	}
}

func (i *incident) charge(ctx context.Context, in string) (string, error) {
	info, _ := core.InfoFrom(ctx)
	if in == "dead" && !i.healed.Load() || in == "refused" || in == "second" && info.Attempt == 1 {
		return "", errors.New("the bank says no")
	}
	return in, nil
}

func (i *incident) play() {
	i.t.Helper()
	e := i.engines[0]
	for _, in := range []string{"a", "b", "c", "second", "dead", "refused"} {
		_, err := orders.Start(i.ctx(), e, in, core.ID(in))
		i.ok(err)
	}
	for _, id := range []string{"a", "b", "c", "second", "taken-over"} {
		i.until(id, backend.Completed)
	}
	i.until("dead", backend.Failed)
	i.until("refused", backend.Failed)
	i.healed.Store(true)
	i.ok(e.Replay(i.ctx(), backend.TaskID{Execution: "dead", Seq: 1}))
	i.until("dead", backend.Completed)
	i.ok(i.engines[1].Discard(i.ctx(), backend.TaskID{Execution: "refused", Seq: 1}))

	i.ok(i.db[0].PauseQueue(i.ctx(), pausedQueue, "me"))
	_, err := orders.Start(i.ctx(), e, "waits", core.Queue(pausedQueue))
	i.ok(err)
}

func (i *incident) until(id string, state backend.State) {
	i.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(time.Millisecond) {
		x, err := i.db[0].Execution(i.ctx(), id)
		i.ok(err)
		if x.State == state {
			return
		}
	}
	i.t.Fatalf("%s is not %s within a minute", id, state)
}

// sample reads the gauges once, while the workers have nothing to do.
func (i *incident) sample() {
	i.t.Helper()
	ctx, cancel := context.WithCancel(i.ctx())
	done := make(chan error, 1)
	go func() { done <- i.engines[0].RunSampler(ctx, time.Hour) }()
	select {
	case <-i.sampled.samples:
	case <-ctx.Done():
		i.t.Fatal("no sample within a minute")
	}
	cancel()
	i.ok(<-done)
	var err error
	i.stats, err = i.db[0].Stats(i.ctx())
	i.ok(err)
}
