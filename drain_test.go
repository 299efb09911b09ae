package stent_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// slowLog holds up the record that a task is completed, which comes just before its result is handed on to be written.
type slowLog struct{ slog.Handler }

func (slowLog) Enabled(context.Context, slog.Level) bool { return true }

func (slowLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "task completed" {
		<-time.After(200 * time.Millisecond)
	}
	return nil
}

func TestDrainKeepsTheResultOfAnActivityWhoseWorkflowWasPutAside(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program()
		e, err := core.New(p.db, core.WithLogger(slog.New(slowLog{slog.DiscardHandler})))
		if err != nil {
			t.Fatal(err)
		}
		p.Engine = e
		started, finish := make(chan struct{}), make(chan struct{})
		work := core.NewActivity[int, int]("work", core.MaxConcurrent(1)) // so it goes through its queue
		wf := core.NewWorkflow[int, int]("w")
		err = e.Register(
			work.Handle(func(_ context.Context, n int) (int, error) { close(started); <-finish; return n, nil }),
			wf.Handle(func(flow *core.Flow, n int) (int, error) { return work.Call(flow, n) }),
		)
		if err != nil {
			t.Fatal(err)
		}
		p.serve(core.WorkerConfig{})
		run := start(p, wf, 1)
		<-started
		stopped := make(chan struct{})
		go func() { p.stop(); close(stopped) }()
		w.eventually("the workflow is put aside", func() bool {
			x, err := p.db.Execution(w.ctx(), run.ID())
			return err == nil && x.TaskState == backend.Waiting
		})
		close(finish)
		<-stopped
		tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: run.ID(), Kinds: []backend.Kind{backend.Activity}})
		if err != nil || len(tasks) != 1 || tasks[0].State != backend.Completed {
			t.Errorf("after the drain: %+v, %v", tasks, err)
		}
	})
}

// A worker whose database is gone, and which asks for work just then, can be stopped all the same: what it asked can be
// given up at the latest when its lease is over.
func TestAWorkerStopsWhoseDatabaseIsGone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		gone := &severed{Backend: w.open()}
		p := w.programOn(gone, approvals.Handle(receiveApprovals))
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Serve(ctx, core.WorkerConfig{Lease: time.Second, PollInterval: time.Millisecond}) }()
		w.eventually("it serves", func() bool { return p.WorkerStatus().Ready })
		gone.sever()
		w.eventually("it has asked in vain", func() bool { return gone.refusals() > 0 })
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-w.ctx().Done():
			t.Fatal("Serve does not return")
		}
	})
}
