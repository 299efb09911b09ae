package stent_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

type order struct {
	ID     string `json:"id"`
	Amount int    `json:"amount"`
}

var (
	validate = core.NewActivity[order, order]("validate_order")
	charge   = core.NewActivity[order, string]("charge_payment", core.Retry(core.RetryPolicy{InitialDelay: time.Millisecond}))
	notify   = core.NewActivity[string, bool]("send_notification")
	orders   = core.NewWorkflow[order, string]("order_workflow")
)

func orderWorkflow(flow *core.Flow, o order) (string, error) {
	o, err := validate.Call(flow, o)
	if err != nil {
		return "", err
	}
	receipt, err := charge.Call(flow, o)
	if err != nil {
		return "", err
	}
	_, err = notify.Call(flow, receipt)
	return receipt, err
}

// orderHandlers binds the order workflow to activities that count what they do; charging fails as charge says.
func orderHandlers(did *tally, chargeFails func(attempt int) error) []core.Handler {
	return []core.Handler{
		orders.Handle(orderWorkflow),
		validate.Handle(func(_ context.Context, o order) (order, error) {
			did.add("validate")
			return o, nil
		}),
		charge.Handle(func(_ context.Context, o order) (string, error) {
			n := did.add("charge")
			if chargeFails != nil {
				if err := chargeFails(n); err != nil {
					return "", err
				}
			}
			return "receipt-" + o.ID, nil
		}),
		notify.Handle(func(context.Context, string) (bool, error) {
			did.add("notify")
			return true, nil
		}),
	}
}

func TestWorkflowRunsItsActivitiesInOrderAndReturnsTheResult(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(orderHandlers(&did, nil)...).serve(core.WorkerConfig{})
		run := start(p, orders, order{"42", 10}, core.ID("order-42"))
		if got := wait(p, run); got != "receipt-42" {
			t.Errorf("result %q", got)
		}
		s := p.inState("order-42", backend.Completed)
		var story []string
		for _, item := range s.Progress {
			story = append(story, fmt.Sprintf("%s %s", item.Step, item.State))
		}
		want := "order_workflow running, validate_order completed, charge_payment completed, send_notification completed, order_workflow completed"
		if got := strings.Join(story, ", "); got != want {
			t.Errorf("progress\n got %s\nwant %s", got, want)
		}
	})
}

func TestStartingTheSameAgainReturnsTheSameExecution(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(orderHandlers(&did, nil)...).serve(core.WorkerConfig{})
		wait(p, start(p, orders, order{"1", 10}, core.ID("o")))
		again := start(p, orders, order{"1", 10}, core.ID("o"))
		if !again.Existed || wait(p, again) != "receipt-1" {
			t.Errorf("starting again: existed %v", again.Existed)
		}
		if did.of("charge") != 1 {
			t.Errorf("charged %d times", did.of("charge"))
		}
		if _, err := orders.Start(w.ctx(), p.Engine, order{"2", 10}, core.ID("o")); !errors.Is(err, core.ErrAlreadyExists) {
			t.Errorf("another input under the same id: %v", err)
		}
	})
}

func TestFailedActivityIsTriedAgainAsItsPolicySays(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(orderHandlers(&did, func(n int) error {
			if n < 3 {
				return errors.New("gateway timeout")
			}
			return nil
		})...).serve(core.WorkerConfig{})
		if got := wait(p, start(p, orders, order{"7", 1})); got != "receipt-7" {
			t.Errorf("result %q", got)
		}
		if did.of("charge") != 3 || did.of("validate") != 1 || did.of("notify") != 1 {
			t.Errorf("calls: %v", did.n)
		}
	})
}

func TestReplayingAnActivitysDeadLetterHealsItsExecution(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var (
			did    tally
			broken atomic.Bool
		)
		broken.Store(true)
		p := w.program(orderHandlers(&did, func(int) error {
			if broken.Load() {
				return errors.New("card network down")
			}
			return nil
		})...).serve(core.WorkerConfig{})
		run := start(p, orders, order{"9", 1}, core.ID("heal"))
		_, err := run.Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.State != backend.Failed || failed.Cause == nil ||
			failed.Failure.Message != "activity charge_payment failed after 3 attempts: card network down" {
			t.Fatalf("waiting on a failed execution: %#v", err)
		}

		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{})
		if err != nil || len(letters) != 1 {
			t.Fatalf("one fault, %d dead letters, %v", len(letters), err)
		}
		if l := letters[0]; l.Task != *failed.Cause || l.Step != "charge_payment" || l.Attempts != 3 || l.Reason != "card network down" {
			t.Errorf("dead letter %+v", l)
		}

		broken.Store(false)
		if err := p.Replay(w.ctx(), letters[0].Task, core.By("test")); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != "receipt-9" {
			t.Errorf("after the replay: %q", got)
		}
		if did.of("validate") != 1 || did.of("charge") != 4 || did.of("notify") != 1 {
			t.Errorf("calls: %v", did.n)
		}
		if letters, _ := p.DeadLetters(w.ctx(), core.DeadLetterFilter{}); len(letters) != 0 {
			t.Errorf("%d dead letters are left", len(letters))
		}
	})
}

func TestReplayTakesTheSuccessfulWayAfterAHandledFailure(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var (
			did    tally
			broken atomic.Bool
		)
		broken.Store(true)
		wf := core.NewWorkflow[order, string]("compensating")
		p := w.program(append(orderHandlers(&did, func(int) error {
			if broken.Load() {
				return core.NonRetryable(errors.New("declined"))
			}
			return nil
		}), wf.Handle(func(flow *core.Flow, o order) (string, error) {
			receipt, err := charge.Call(flow, o)
			if err != nil {
				_, _ = notify.Call(flow, "sorry") // on this way, the first call of notify
				return "", err
			}
			_, err = notify.Call(flow, receipt)
			return receipt, err
		}))...).serve(core.WorkerConfig{})
		run := start(p, wf, order{"5", 1})
		if _, err := run.Wait(w.ctx()); err == nil {
			t.Fatal("it should have failed")
		}
		broken.Store(false)
		letters, _ := p.DeadLetters(w.ctx(), core.DeadLetterFilter{})
		if err := p.Replay(w.ctx(), letters[0].Task); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != "receipt-5" {
			t.Errorf("result %q", got)
		}
		if did.of("notify") != 2 { // sorry, and the receipt
			t.Errorf("notified %d times", did.of("notify"))
		}
	})
}

func TestFailingWorkflowIsItsOwnDeadLetterAndHeals(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		var broken atomic.Bool
		broken.Store(true)
		wf := core.NewWorkflow[int, int]("flawed")
		p := w.program(append(orderHandlers(&did, nil), wf.Handle(func(flow *core.Flow, n int) (int, error) {
			if _, err := validate.Call(flow, order{}); err != nil {
				return 0, err
			}
			if broken.Load() {
				_ = []int{}[n] // the bug
			}
			return n, nil
		}))...).serve(core.WorkerConfig{})
		run := start(p, wf, 3, core.ID("bug"))
		if _, err := run.Wait(w.ctx()); err == nil || !strings.Contains(err.Error(), "index out of range [3]") {
			t.Fatalf("error %v", err)
		}
		letter, err := p.db.DeadLetter(w.ctx(), backend.TaskID{Execution: "bug"})
		if err != nil {
			t.Fatal(err)
		}
		if letter.Kind != backend.Orchestrator || !strings.Contains(letter.Failure.Stack, "orchestration_test.go") {
			t.Errorf("dead letter %+v", letter)
		}
		broken.Store(false)
		if err := p.Replay(w.ctx(), letter.Task); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 3 {
			t.Errorf("result %d", got)
		}
		if did.of("validate") != 1 {
			t.Errorf("validated %d times", did.of("validate"))
		}
	})
}

func TestAWorkflowThatChangedIsNonDeterministicAndHealsWhenPutRight(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		gate := core.NewSignal[bool]("go")
		wf := core.NewWorkflow[int, string]("changing")
		version := func(calls func(flow *core.Flow) error) *program {
			return w.program(append(orderHandlers(&did, nil), wf.Handle(func(flow *core.Flow, _ int) (string, error) {
				if err := calls(flow); err != nil {
					return "", err
				}
				if _, err := gate.Receive(flow); err != nil {
					return "", err
				}
				return "done", nil
			}))...)
		}
		good := func(flow *core.Flow) error { _, err := notify.Call(flow, "a"); return err }
		bad := func(flow *core.Flow) error { _, err := notify.Call(flow, "b"); return err }

		before := version(good).serve(core.WorkerConfig{})
		run := start(before, wf, 1, core.ID("nd"))
		w.eventually("it waits", func() bool {
			tasks, _ := before.db.Tasks(w.ctx(), backend.TaskFilter{Execution: "nd", Kinds: []backend.Kind{backend.SignalWait}})
			return len(tasks) == 1
		})
		before.stop()

		wrong := version(bad).serve(core.WorkerConfig{})
		if err := gate.Send(w.ctx(), wrong.Engine, "nd", true); err != nil {
			t.Fatal(err)
		}
		s := wrong.inState("nd", backend.Failed)
		if s.Failure.Code != core.CodeNonDeterminism || !strings.Contains(s.Failure.Message, `activity "send_notification" with another input`) {
			t.Errorf("failure %+v", s.Failure)
		}
		wrong.stop()

		fixed := version(good).serve(core.WorkerConfig{})
		if err := fixed.Replay(w.ctx(), backend.TaskID{Execution: "nd"}); err != nil {
			t.Fatal(err)
		}
		if got := wait(fixed, wf.Attach(fixed.Engine, run.ID())); got != "done" {
			t.Errorf("result %q", got)
		}
		if did.of("notify") != 1 {
			t.Errorf("notified %d times", did.of("notify"))
		}
	})
}

func TestOneSlotAndThreeActivitiesComplete(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p := w.program(orderHandlers(&did, nil)...).serve(core.WorkerConfig{Slots: 1})
		if got := wait(p, start(p, orders, order{"1", 1})); got != "receipt-1" {
			t.Errorf("result %q", got)
		}
		w.eventually("the slot is free again", func() bool { return p.WorkerStatus().Workers[0].SlotsUsed == 0 })
	})
}

func TestFourSlotsAndSixtyActivitiesThreeTimesLeakNoSlot(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var now, most atomic.Int32
		square := core.NewActivity[int, int]("square")
		sum := core.NewWorkflow[int, int]("sum_of_squares")
		p := w.program(
			square.Handle(func(_ context.Context, n int) (int, error) {
				for n := now.Add(1); ; {
					if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
						break
					}
				}
				defer now.Add(-1)
				runtime.Gosched()
				return n * n, nil
			}),
			sum.Handle(func(flow *core.Flow, n int) (int, error) {
				items := make([]int, n)
				for i := range items {
					items[i] = i
				}
				squares, err := square.Map(flow, items)
				total := 0
				for _, s := range squares {
					total += s
				}
				return total, err
			}),
		).serve(core.WorkerConfig{Slots: 4})
		for range 3 {
			if got := wait(p, start(p, sum, 60)); got != 59*60*119/6 {
				t.Errorf("sum %d", got)
			}
		}
		if most.Load() > 4 {
			t.Errorf("%d activities at once on 4 slots", most.Load())
		}
		w.eventually("all slots are free again", func() bool { return p.WorkerStatus().Workers[0].SlotsUsed == 0 })
	})
}

func TestMapKeepsOrderBoundsParallelismAndReturnsTheFirstError(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var now, most atomic.Int32
		work := core.NewActivity[int, int]("work", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
		wf := core.NewWorkflow[[]int, []int]("mapped")
		p := w.program(
			work.Handle(func(_ context.Context, n int) (int, error) {
				for c := now.Add(1); ; {
					if m := most.Load(); c <= m || most.CompareAndSwap(m, c) {
						break
					}
				}
				defer now.Add(-1)
				if n < 0 {
					return 0, fmt.Errorf("negative: %d", n)
				}
				return 10 * n, nil
			}),
			wf.Handle(func(flow *core.Flow, items []int) ([]int, error) { return work.Map(flow, items, core.Parallel(3)) }),
		).serve(core.WorkerConfig{Slots: 20})
		if got := wait(p, start(p, wf, []int{5, 3, 9, 1, 7, 2, 8})); fmt.Sprint(got) != "[50 30 90 10 70 20 80]" {
			t.Errorf("results %v", got)
		}
		if most.Load() > 3 {
			t.Errorf("%d at once with Parallel(3)", most.Load())
		}
		_, err := start(p, wf, []int{1, -2, 3, -4, 5, 6, 7, 8, 9}).Wait(w.ctx())
		if err == nil || !strings.Contains(err.Error(), "negative: -2") {
			t.Errorf("error %v", err)
		}
		if got := wait(p, start(p, wf, []int{})); len(got) != 0 {
			t.Errorf("nothing mapped: %v", got)
		}
	})
}

func TestSleepsInParallelWithActivities(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		wf := core.NewWorkflow[int, bool]("sleeper")
		p := w.program(wf.Handle(func(flow *core.Flow, ms int) (bool, error) {
			before, err := flow.Now()
			if err != nil {
				return false, err
			}
			if err := flow.Sleep(time.Duration(ms) * time.Millisecond); err != nil {
				return false, err
			}
			after, err := flow.Now()
			return after.Sub(before) >= time.Duration(ms)*time.Millisecond, err
		})).serve(core.WorkerConfig{})
		if !wait(p, start(p, wf, 50)) {
			t.Error("it slept too short")
		}
	})
}

func TestASleepingWorkflowLeavesMemoryAndComesBack(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		wf := core.NewWorkflow[int, string]("nap")
		p := w.program(append(orderHandlers(&did, nil), wf.Handle(func(flow *core.Flow, ms int) (string, error) {
			if _, err := validate.Call(flow, order{}); err != nil {
				return "", err
			}
			if err := flow.Sleep(time.Duration(ms) * time.Millisecond); err != nil {
				return "", err
			}
			_, err := notify.Call(flow, "woke")
			return "rested", err
		}))...).serve(core.WorkerConfig{EvictAfter: time.Millisecond})
		for naps, left := 1, false; !left; naps++ { // a nap may be over before anybody looks
			run := start(p, wf, 100<<naps)
			w.eventually("it has left memory", func() bool {
				s, err := p.StateOf(w.ctx(), run.ID())
				left = err == nil && s.TaskState == backend.Waiting && p.WorkerStatus().Workers[0].Resident == 0
				return left || s.State.Final() && naps < 5
			})
			if got := wait(p, run); got != "rested" || did.of("validate") != naps || did.of("notify") != naps {
				t.Errorf("nap %d: result %q, calls %v", naps, got, did.n)
			}
		}
	})
}
