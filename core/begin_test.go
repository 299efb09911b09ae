package core

import (
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

// TestReserve has a worker that is free for a start, and then something that forbids it to claim the execution.
func TestReserve(t *testing.T) {
	for name, not := range map[string]func(w *worker, cmd *backend.Start){
		"":                                 func(*worker, *backend.Start) {},
		"it is due later":                  func(_ *worker, cmd *backend.Start) { cmd.Delay = time.Second },
		"it is due at a time":              func(_ *worker, cmd *backend.Start) { cmd.At = time.Now() },
		"another queue":                    func(_ *worker, cmd *backend.Start) { cmd.Queue = "other" },
		"another workflow":                 func(_ *worker, cmd *backend.Start) { cmd.Workflow = "other" },
		"tags that it lacks":               func(_ *worker, cmd *backend.Start) { cmd.Tags = []string{"gpu"} },
		"it drains":                        func(w *worker, _ *backend.Start) { w.state = backend.WorkerDraining },
		"no slot is free, or all promised": func(w *worker, _ *backend.Start) { w.used = w.cfg.Slots },
		"more is due than fitted":          func(w *worker, _ *backend.Start) { w.backlog = true },
		"something waits for a slot":       func(w *worker, _ *backend.Start) { w.more = true },
		"its queue is paused":              func(w *worker, _ *backend.Start) { w.paused = []string{DefaultQueue} },
		"it is here already":               func(w *worker, cmd *backend.Start) { w.runs[cmd.ID] = &run{} },
	} {
		e, err := New(memory.Open())
		if err != nil {
			t.Fatal(err)
		}
		err = e.Register(NewWorkflow[int, int]("wf").Handle(func(_ *Flow, n int) (int, error) { return n, nil }))
		if err != nil {
			t.Fatal(err)
		}
		w := e.newWorker(WorkerConfig{Slots: 2, Queues: []string{DefaultQueue}})
		w.state, w.used, w.backlog = backend.WorkerReady, 1, false
		cmd := &backend.Start{ID: "a", Workflow: "wf", Queue: DefaultQueue}
		not(w, cmd)
		used := w.used
		switch r := w.reserve(cmd); {
		case name == "" && (r == nil || w.runs["a"] != r || w.used != used+1):
			t.Errorf("a worker that is free makes no room: %+v, %d slots used", r, w.used)
		case name != "" && (r != nil || w.used != used):
			t.Errorf("%s: it makes room all the same", name)
		}
	}
}
