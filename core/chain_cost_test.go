package core

import (
	"context"
	"runtime"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// accepts is a backend that takes everything and keeps nothing.
type accepts struct{ nothing }

func (accepts) Commit(context.Context, *backend.Batch) error { return nil }

func (accepts) StartTx(context.Context, any, *backend.Start) error { return nil }

func (accepts) Replay(context.Context, backend.TaskID, string, string) error { return nil }

// Without middleware nothing is allocated for it: what stands in its way costs as much as what stands behind.
func TestNoMiddlewareAllocatesNothing(t *testing.T) {
	activity, workflow, signal := NewActivity[int, int]("a"), NewWorkflow[int, int]("w"), NewSignal[int]("s")
	e, err := New(accepts{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Register(
		activity.Handle(func(_ context.Context, n int) (int, error) { return n, nil }),
		workflow.Handle(func(_ *Flow, n int) (int, error) { return n, nil }),
	); err != nil {
		t.Fatal(err)
	}
	var (
		ctx    = t.Context()
		w      = e.newWorker(WorkerConfig{Name: "w"})
		r      = &run{w: w}
		task   = &activityTask{taskScope: taskScope{info: TaskInfo{Step: "a"}}, input: []byte("1"), middleware: &e.middleware}
		letter = &backend.DeadLetter{Queue: DefaultQueue}
		start  = &backend.Start{ID: "x", Workflow: "w", Queue: DefaultQueue}
		inputs = []Input[int]{{In: 1}, {In: 2}}
		turn   = &backend.Turn{State: backend.Completed, Close: &backend.Close{}}
	)
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	// newStart, and what Start makes beside it.
	prepared := func() (*backend.Start, *Run[int]) {
		cmd, err := e.newStart(&workflow.callee, 1, nil)
		must(err)
		return cmd, &Run[int]{engine: e, id: cmd.ID}
	}
	for _, test := range []struct {
		name         string
		within, bare func()
	}{
		{
			"an attempt",
			func() { _, _, err := w.attemptWithin(ctx, task); must(err) },
			func() { _, err := w.attempt(ctx, task); must(err) },
		},
		{
			"a start",
			func() { _, err := workflow.Start(ctx, e, 1); must(err) },
			func() { cmd, run := prepared(); must(e.commit(ctx, cmd)); keep = run },
		},
		{
			"a start in a transaction",
			func() { _, err := workflow.StartTx(ctx, e, nil, 1); must(err) },
			func() { cmd, run := prepared(); must(accepts{}.StartTx(ctx, nil, cmd)); keep = run },
		},
		{
			"many starts",
			func() { _, err := workflow.StartMany(ctx, e, inputs); must(err) },
			func() {
				commands, runs := make([]*backend.Start, len(inputs)), make([]*Run[int], 0, len(inputs))
				for i := range inputs {
					cmd, run := prepared()
					commands[i], runs = cmd, append(runs, run)
				}
				must(e.commitAll(ctx, commands))
				keep = runs
			},
		},
		{
			"a signal",
			func() { must(signal.Send(ctx, e, "x", 1)) },
			func() {
				data, err := e.payloads.encode("signal ", "s", 1)
				must(err)
				must(e.commit(ctx, &backend.Signalled{Execution: "x", ID: newID(e.clock.Now()), Name: "s", Payload: data}))
			},
		},
		{"a replay", func() { must(e.replaying(ctx, letter, "", "")) }, func() {}},
		{"a child", func() { e.startingChild(ctx, start, "parent") }, func() {}},
		{"an end", func() { r.endedHere(turn) }, func() {}},
		{"an end in the database", func() { w.endedElsewhere("x") }, func() {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			within, bare := allocations(test.within), allocations(test.bare)
			t.Logf("%.2f allocations, and %.2f without the hook", within, bare)
			if within > bare+0.5 { // now and then the runtime allocates something of its own
				t.Errorf("%.2f allocations, and %.2f without the hook", within, bare)
			}
		})
	}
}

var keep any // makes the compiler allocate what a caller would get

// allocations is the average of a call, with what other goroutines do for it.
func allocations(f func()) float64 {
	const calls = 2000
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / calls
}
