package stent_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

var (
	bill    = core.NewActivity[int, int]("bill", core.Queue("billing"))
	billing = core.NewWorkflow[int, int]("billing_run")
)

// billingHandlers calls bill n times in a row.
func billingHandlers(did *tally) []core.Handler {
	return []core.Handler{
		bill.Handle(func(_ context.Context, i int) (int, error) {
			did.add("bill")
			return i, nil
		}),
		billing.Handle(func(flow *core.Flow, n int) (int, error) {
			for i := range n {
				if _, err := bill.Call(flow, i); err != nil {
					return 0, err
				}
			}
			return n, nil
		}),
	}
}

func TestAPausedQueueBeginsNothingOnAnyWorkerUntilItIsResumed(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		// Workers that would hardly look by themselves: they are told.
		for range 2 {
			w.program(append(billingHandlers(&did), orderHandlers(&did, nil)...)...).serve(core.WorkerConfig{PollInterval: time.Minute})
		}
		operator := w.program()
		const runs, calls = 6, 300
		var all []*core.Run[int]
		for range runs {
			all = append(all, start(operator, billing, calls))
		}
		w.eventually("bills are written", func() bool { return did.of("bill") > runs })
		if err := operator.PauseQueue(w.ctx(), "billing", core.By("anna")); err != nil {
			t.Fatal(err)
		}
		// Each workflow calls on, and finds its call in the queue.
		w.eventually("all calls wait in the paused queue", func() bool {
			depth, err := operator.QueueDepth(w.ctx(), "billing")
			return err == nil && depth == runs
		})
		before := did.of("bill")
		if before >= runs*calls {
			t.Fatal("all was done before the pause")
		}
		for i := range 20 { // the workers go on with other queues, and claim each time
			wait(operator, start(operator, orders, order{ID: fmt.Sprint(i)}))
		}
		if n := did.of("bill"); n != before {
			t.Errorf("%d bills were written while the queue was paused", n-before)
		}

		paused, err := operator.PausedQueues(w.ctx())
		if err != nil || len(paused) != 1 || paused[0].Name != "billing" || paused[0].Actor != "anna" {
			t.Errorf("paused queues: %+v, %v", paused, err)
		}
		if err := operator.ResumeQueue(w.ctx(), "billing", core.By("bert")); err != nil {
			t.Fatal(err)
		}
		for _, run := range all {
			wait(operator, run)
		}
		if n := did.of("bill"); n != runs*calls {
			t.Errorf("%d bills, want %d", n, runs*calls)
		}
		entries, err := operator.Audit(w.ctx(), backend.AuditFilter{Subject: "billing"})
		if err != nil || len(entries) != 2 || entries[0].Actor != "bert" || entries[1].Action != backend.ActionPauseQueue {
			t.Errorf("audit: %+v, %v", entries, err)
		}
	})
}

func TestWhatIsStartedWhileItsQueueIsPausedWaits(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(append(orderHandlers(&did, nil), billingHandlers(&did)...)...).serve(core.WorkerConfig{Queues: []string{"default", "other", "billing"}})
		if err := p.PauseQueue(w.ctx(), "default"); err != nil {
			t.Fatal(err)
		}
		run := start(p, orders, order{ID: "a"})
		wait(p, start(p, billing, 3, core.Queue("other")))
		if s, err := p.StateOf(w.ctx(), run.ID()); err != nil || s.State != backend.Pending {
			t.Errorf("%s, %v", s.State, err)
		}
		if err := p.ResumeQueue(w.ctx(), "default"); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != "receipt-a" {
			t.Error(got)
		}
	})
}

func TestAQueueWithoutANameCannotBePaused(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program()
		for _, err := range []error{p.PauseQueue(w.ctx(), ""), p.ResumeQueue(w.ctx(), " x")} {
			if err == nil {
				t.Error("no error")
			}
		}
	})
}
