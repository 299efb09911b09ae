package stent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// delayed is a backend on a line that breaks in the moment in which a worker writes how an attempt ended. That write was on
// its way and arrives when it is let through; nothing else does.
type delayed struct {
	*severed
	sent, goOn, arrived chan struct{}
}

func (d *delayed) Commit(ctx context.Context, b *backend.Batch) error {
	if d.dead() || !slices.ContainsFunc(b.Commands, endsAnAttempt) {
		return d.severed.Commit(ctx, b)
	}
	d.sever()
	close(d.sent)
	<-d.goOn
	defer close(d.arrived)
	return d.Backend.Commit(ctx, b)
}

func endsAnAttempt(c backend.Command) bool {
	switch c := c.(type) {
	case *backend.Complete, *backend.Retry, *backend.Bury:
		return true
	case *backend.Turn:
		return len(c.Completed)+len(c.Buried) > 0
	}
	return false
}

// A worker writes while its lease stands, and the write is under way for so long that another worker has the task when it
// arrives. No check of the worker's own can help: only the fencing token tells the database that it is late.
func TestAWriteThatIsUnderWayUntilItsLeaseIsOverChangesNothing(t *testing.T) {
	for _, story := range []struct {
		name      string
		elsewhere bool // the workflow is on a third worker
		attempts  int  // that the retry policy allows
		late      error
	}{
		{name: "the end of an activity and of its workflow"},
		{name: "the end of an activity for a workflow elsewhere", elsewhere: true},
		{name: "a failure that is tried again", attempts: 3, late: errors.New("late")},
		{name: "the last failure", attempts: 1, late: errors.New("late")},
		{name: "the last failure for a workflow elsewhere", elsewhere: true, attempts: 1, late: errors.New("late")},
	} {
		t.Run(story.name, func(t *testing.T) {
			onEach(t, func(_ *testing.T, w *world) { w.writesLate(story.elsewhere, story.attempts, story.late) })
		})
	}
}

func (w *world) writesLate(elsewhere bool, attempts int, late error) {
	act := core.NewActivity[int, string]("contested", core.Queue("acts"), core.Retry(core.RetryPolicy{MaxAttempts: attempts, InitialDelay: time.Millisecond}))
	wf := core.NewWorkflow[int, string]("contest")
	body := wf.Handle(func(flow *core.Flow, n int) (string, error) { return act.Call(flow, n) })
	cfg := core.WorkerConfig{Lease: crashLease, DrainTimeout: time.Millisecond}
	lasting := cfg
	lasting.Lease = lastingLease
	if elsewhere {
		third := lasting
		third.Queues = []string{core.DefaultQueue}
		cfg.Queues, lasting.Queues = []string{"acts"}, []string{"acts"}
		w.program(body).serve(third)
	}

	line := &delayed{severed: &severed{Backend: w.open()}, sent: make(chan struct{}), goOn: make(chan struct{}), arrived: make(chan struct{})}
	first := w.programOn(line, body, act.Handle(func(context.Context, int) (string, error) { return "late", late })).serve(cfg)
	run := start(first, wf, 1)
	<-line.sent

	taken, finish := make(chan struct{}), make(chan struct{})
	second := w.program(body, act.Handle(func(context.Context, int) (string, error) {
		close(taken)
		<-finish
		return "in time", nil
	})).serve(lasting)
	<-taken
	w.eventually("the first worker knows that its lease is over", func() bool { return !first.WorkerStatus().Ready })

	before := w.attempt(second, run.ID())
	close(line.goOn)
	<-line.arrived
	after := w.attempt(second, run.ID())
	close(finish)
	if after != before {
		w.Fatalf("the late write made of the task that another worker has:\n%s\nit was:\n%s", after, before)
	}
	if s := second.inState(run.ID(), backend.Completed); string(s.Result) != `"in time"` {
		w.Errorf("result %s", s.Result)
	}
	if letters := second.letters(core.DeadLetterFilter{}); len(letters) > 0 {
		w.Errorf("dead letters %+v", letters)
	}
}

// attempt is what the database has of an execution's only activity.
func (w *world) attempt(p *program, execution string) string {
	tasks, err := p.db.Tasks(w.ctx(), backend.TaskFilter{Execution: execution, Kinds: []backend.Kind{backend.Activity}})
	if err != nil || len(tasks) != 1 {
		w.Fatalf("activities of %s: %+v, %v", execution, tasks, err)
	}
	failed, err := p.db.(backend.Attempts).Attempts(w.ctx(), execution)
	if err != nil {
		w.Fatal(err)
	}
	t := &tasks[0]
	return fmt.Sprintf("%s, token %d, attempt %d, on %s, result %q, failure %v, failed attempts %v",
		t.State, t.Token, t.Attempt, t.Worker, t.Result, t.Failure, failed)
}
