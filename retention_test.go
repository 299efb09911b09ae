package stent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// programWith is program for an engine with options.
func (w *world) programWith(opts []core.Option, handlers ...core.Handler) *program {
	w.Helper()
	db := w.open()
	e, err := core.New(db, append(logOption(), opts...)...)
	if err != nil {
		w.Fatal(err)
	}
	if err := e.Register(handlers...); err != nil {
		w.Fatal(err)
	}
	return &program{Engine: e, w: w, db: db, stop: func() {}}
}

func TestRetentionDeletesWhatEndedLongAgoAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(func(i int) error {
			if i%2 == 1 {
				return broken(i)
			}
			return nil
		})
		keep := core.WithRetention(core.Retention{Completed: time.Millisecond, Every: 10 * time.Millisecond})
		received := make(chan []string, 1)
		handlers := append(s.handlers(), approvals.Handle(func(flow *core.Flow, n int) ([]string, error) {
			got, err := receiveApprovals(flow, n)
			if err == nil {
				select {
				case received <- got:
				default: // told before, by a run that was repeated
				}
			}
			return got, err
		}))
		p := w.programWith([]core.Option{keep}, handlers...)
		waiting := start(p, approvals, 1)
		for i := range 20 {
			start(p, s.wf, i, core.ID(fmt.Sprint("ship-", i)))
		}
		for range 3 { // several workers, of which one at a time cleans up
			w.programWith([]core.Option{keep}, handlers...).serve(core.WorkerConfig{})
		}
		w.eventually("the failed ones are left", func() bool {
			stats, err := p.db.Stats(w.ctx())
			x := stats.Executions
			return err == nil && x[backend.Failed] == 10 && x[backend.Completed] == 0 && x[backend.Pending] == 0 && x[backend.Running] == 1
		})
		for i := range 20 {
			_, err := p.StateOf(w.ctx(), fmt.Sprint("ship-", i))
			if deleted := errors.Is(err, core.ErrNotFound); deleted != (i%2 == 0) {
				t.Errorf("execution %d: %v", i, err)
			}
		}
		if x, err := p.StateOf(w.ctx(), waiting.ID()); err != nil || x.State != backend.Running {
			t.Errorf("what waited meanwhile is %s, %v", x.State, err)
		}
		send(p, waiting.ID(), "yes")
		select {
		case got := <-received:
			if len(got) != 1 || got[0] != "yes" {
				t.Errorf("what waited meanwhile received %v", got)
			}
		case <-w.ctx().Done():
			t.Fatal("what waited meanwhile received nothing")
		}
		w.eventually("what waited meanwhile completes, and is deleted like the others", func() bool {
			_, err := p.StateOf(w.ctx(), waiting.ID())
			return errors.Is(err, core.ErrNotFound)
		})
		if letters := p.letters(core.DeadLetterFilter{}); len(letters) != 10 {
			t.Errorf("%d dead letters, want 10", len(letters))
		}
	})
}

func TestDeadLettersOutliveTheirExecutions(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		s := newShipping()
		s.fails(broken)
		p := w.program(s.handlers()...).serve(core.WorkerConfig{})
		s.failed(p, 3)
		report, err := p.Cleanup(w.ctx(), core.Cleanup{States: []backend.State{backend.Failed}, Actor: "anna"})
		if err != nil || report.Deleted != 3 || report.ByState[backend.Failed] != 3 || report.Tasks != 3 {
			t.Fatalf("%+v, %v", report, err)
		}
		letters := p.letters(core.DeadLetterFilter{})
		if len(letters) != 3 {
			t.Fatalf("%d dead letters", len(letters))
		}
		one, err := p.DeadLetter(w.ctx(), letters[0].Task)
		if err != nil || len(one.Errors) != 1 {
			t.Errorf("attempts %+v, %v", one.Errors, err)
		}
		if err := p.Replay(w.ctx(), letters[0].Task); !errors.Is(err, core.ErrNotReplayable) {
			t.Errorf("replay: %v", err)
		}
		if all, err := p.ReplayAll(w.ctx(), core.DeadLetterFilter{}); err != nil || all.Skipped != 3 || all.Done != 0 {
			t.Errorf("%+v, %v", all, err)
		}
		if all, err := p.DiscardAll(w.ctx(), core.DeadLetterFilter{}); err != nil || all.Done != 3 {
			t.Errorf("%+v, %v", all, err)
		}
		entries, err := p.Audit(w.ctx(), backend.AuditFilter{Action: backend.ActionCleanup})
		if err != nil || len(entries) != 1 || entries[0].Actor != "anna" || !strings.HasPrefix(entries[0].Detail, "3 executions") {
			t.Errorf("audit %+v, %v", entries, err)
		}
	})
}

func TestACleanupThatIsInterruptedSaysWhatItHasDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(orderHandlers(&did, nil)...).serve(core.WorkerConfig{})
		const n = 1200 // more than one step deletes
		inputs := make([]core.Input[order], n)
		runs, err := orders.StartMany(w.ctx(), p.Engine, inputs)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range runs {
			wait(p, run)
		}
		dry, err := p.Cleanup(w.ctx(), core.Cleanup{DryRun: true})
		if err != nil || dry.Deleted != n || dry.Tasks != 3*n {
			t.Fatalf("dry run %+v, %v", dry, err)
		}
		ctx, interrupt := context.WithCancel(w.ctx())
		first, err := p.Cleanup(ctx, core.Cleanup{OnProgress: func(r core.CleanupReport) {
			if r.Deleted > 0 {
				interrupt()
			}
		}})
		if !errors.Is(err, context.Canceled) || first.Deleted == 0 || first.Deleted >= n {
			t.Errorf("%+v, %v", first, err)
		}
		second, err := p.Cleanup(w.ctx(), core.Cleanup{})
		if err != nil || first.Deleted+second.Deleted != n {
			t.Errorf("%d and %d deleted, want %d; %v", first.Deleted, second.Deleted, n, err)
		}
	})
}

func TestACleanupOfWhatHasNotEndedIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program()
		for _, bad := range []core.Cleanup{{States: []backend.State{backend.Running}}, {OlderThan: -1}} {
			if _, err := p.Cleanup(w.ctx(), bad); err == nil {
				t.Errorf("%+v is no error", bad)
			}
		}
		if _, err := core.New(p.db, core.WithRetention(core.Retention{Failed: -1})); err == nil {
			t.Error("a negative retention is no error")
		}
	})
}
