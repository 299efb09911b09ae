package stent_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

var (
	shipment = core.NewWorkflow[int, int]("ship_parcel")
	delivery = core.NewWorkflow[int, int]("deliver_order")
)

func TestAWorkflowCallsAnotherAsAnExecutionOfItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(
			shipment.Handle(func(flow *core.Flow, n int) (int, error) {
				if parent := flow.Info().ParentID; parent != "order-1" {
					return 0, fmt.Errorf("its parent is %q", parent)
				}
				return 2 * n, flow.Sleep(time.Millisecond)
			}),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) {
				first, err := shipment.Call(flow, n)
				if err != nil {
					return 0, err
				}
				later := shipment.Go(flow, first, core.ID("parcel-2"))
				if later.Child() != "parcel-2" {
					return 0, fmt.Errorf("the second is %q", later.Child())
				}
				return later.Get(flow)
			}),
		).serve(core.WorkerConfig{})
		if got := wait(p, start(p, delivery, 1, core.ID("order-1"))); got != 4 {
			t.Errorf("result %d", got)
		}
		for i, id := range []string{"order-1/1", "parcel-2"} {
			s := p.inState(id, backend.Completed)
			if want := (backend.TaskID{Execution: "order-1", Seq: i + 1}); s.Parent == nil || *s.Parent != want {
				t.Errorf("the parent of %s is %v, want %v", id, s.Parent, want)
			}
		}
		var story []string
		for _, item := range p.inState("order-1", backend.Completed).Progress {
			story = append(story, strings.TrimSpace(fmt.Sprint(item.Step, " ", item.State, " ", item.Child)))
		}
		want := "deliver_order running, ship_parcel completed order-1/1, ship_parcel completed parcel-2, deliver_order completed"
		if got := strings.Join(story, ", "); got != want {
			t.Errorf("progress\n got %s\nwant %s", got, want)
		}
	})
}

func TestChildrenRunAtOnceAndMapKeepsTheirOrder(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var now, most atomic.Int32
		gate := core.NewSignal[bool]("go")
		fan := core.NewWorkflow[[]int, []int]("fan")
		p := w.program(
			shipment.Handle(func(flow *core.Flow, n int) (int, error) {
				if c := now.Add(1); c > most.Load() {
					most.Store(c)
				}
				_, err := gate.Receive(flow)
				now.Add(-1)
				return -n, err
			}),
			fan.Handle(func(flow *core.Flow, items []int) ([]int, error) {
				return shipment.Map(flow, items, core.Parallel(3))
			}),
		).serve(core.WorkerConfig{Slots: 1})
		items := []int{1, 2, 3, 4, 5, 6, 7}
		run := start(p, fan, items, core.ID("fan"))
		for i := range items {
			id := fmt.Sprint("fan/", i+1)
			p.inState(id, backend.Running)
			if err := gate.Send(w.ctx(), p.Engine, id, true); err != nil {
				t.Fatal(err)
			}
		}
		if got := wait(p, run); !slices.Equal(got, []int{-1, -2, -3, -4, -5, -6, -7}) {
			t.Errorf("results %v", got)
		}
		if m := most.Load(); m > 3 {
			t.Errorf("%d at once with Parallel(3)", m)
		}
	})
}

func TestAFailedChildIsATypedErrorAndTheParentPointsToItsDeadLetter(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var (
			did    tally
			broken atomic.Bool
			seen   atomic.Pointer[core.ChildError]
		)
		broken.Store(true)
		top := core.NewWorkflow[int, int]("top")
		p := w.program(
			logged.Handle(func(_ context.Context, n int) (int, error) {
				did.add("logged")
				if broken.Load() {
					return 0, core.NonRetryable(errors.New("card network down"))
				}
				return n + 1, nil
			}),
			shipment.Handle(func(flow *core.Flow, n int) (int, error) { return logged.Call(flow, n) }),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) {
				did.add("delivery")
				n, err := shipment.Call(flow, n)
				var failed *core.ChildError
				if errors.As(err, &failed) {
					seen.Store(failed)
				}
				return n, err
			}),
			top.Handle(func(flow *core.Flow, n int) (int, error) {
				n, err := delivery.Call(flow, n)
				if err != nil {
					return 0, fmt.Errorf("deliver: %w", err)
				}
				return n, nil
			}),
		).serve(core.WorkerConfig{})
		run := start(p, top, 41, core.ID("t"))
		_, err := run.Wait(w.ctx())
		cause := backend.TaskID{Execution: "t/1/1", Seq: 1}
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.Cause == nil || *failed.Cause != cause {
			t.Fatalf("waiting for the first: %#v", err)
		}
		e := seen.Load()
		if e == nil || e.Child != "t/1/1" || e.Workflow != "ship_parcel" || e.State != backend.Failed || e.Cause == nil || *e.Cause != cause ||
			e.Task != (backend.TaskID{Execution: "t/1", Seq: 1}) || !strings.Contains(e.Error(), "card network down") {
			t.Errorf("the child's error is %#v", e)
		}
		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{})
		if err != nil || len(letters) != 1 || letters[0].Task != cause {
			t.Fatalf("one fault, %d dead letters: %+v, %v", len(letters), letters, err)
		}

		// Its replay heals the whole chain.
		broken.Store(false)
		if err := p.Replay(w.ctx(), cause, core.By("test")); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 42 {
			t.Errorf("after the replay: %d", got)
		}
		for _, id := range []string{"t", "t/1", "t/1/1"} {
			p.inState(id, backend.Completed)
		}
		if letters, _ := p.DeadLetters(w.ctx(), core.DeadLetterFilter{}); len(letters) != 0 {
			t.Errorf("%d dead letters are left", len(letters))
		}
		if did.of("logged") != 2 {
			t.Errorf("the activity ran %d times", did.of("logged"))
		}
	})
}

func TestAChildWithoutAnActivityAtFaultIsItsOwnDeadLetterAndHealsItsParent(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var broken atomic.Bool
		broken.Store(true)
		p := w.program(
			shipment.Handle(func(_ *core.Flow, n int) (int, error) {
				if broken.Load() {
					_ = []int{}[n] // the bug
				}
				return n, nil
			}),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) { return shipment.Call(flow, n) }),
		).serve(core.WorkerConfig{})
		run := start(p, delivery, 3, core.ID("bug"))
		if _, err := run.Wait(w.ctx()); err == nil || !strings.Contains(err.Error(), "index out of range [3]") {
			t.Fatalf("error %v", err)
		}
		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{})
		if err != nil || len(letters) != 1 || letters[0].Task.String() != "bug/1.0" {
			t.Fatalf("dead letters %+v, %v", letters, err)
		}
		broken.Store(false)
		if err := p.Replay(w.ctx(), letters[0].Task); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 3 {
			t.Errorf("result %d", got)
		}
	})
}

func TestSelectWaitsForChildrenToo(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		gate := core.NewSignal[bool]("go")
		p := w.program(
			shipment.Handle(func(flow *core.Flow, n int) (int, error) { _, err := gate.Receive(flow); return n, err }),
			delivery.Handle(func(flow *core.Flow, _ int) (int, error) {
				a, b := shipment.Go(flow, 1), shipment.Go(flow, 2)
				first, err := core.Select(flow, a, b, flow.Timer(time.Hour))
				if err != nil {
					return 0, err
				}
				second, err := core.Select(flow, a, flow.Timer(time.Millisecond))
				if err != nil {
					return 0, err
				}
				n, err := b.Get(flow)
				return 100*first + 10*second + n, err
			}),
		).serve(core.WorkerConfig{EvictAfter: 2 * time.Hour}) // so it is told in memory
		run := start(p, delivery, 0, core.ID("s"))
		p.inState("s/2", backend.Running)
		if err := gate.Send(w.ctx(), p.Engine, "s/2", true); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 112 {
			t.Errorf("result %d", got)
		}
	})
}

func TestAnIDThatIsTakenFailsTheCallOfAChildAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(
			shipment.Handle(func(_ *core.Flow, n int) (int, error) { return n, nil }),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) {
				_, err := shipment.Call(flow, n, core.ID("taken"))
				if !errors.Is(err, core.ErrAlreadyExists) {
					return 0, fmt.Errorf("the call of a child whose id is taken: %w", err)
				}
				return shipment.Call(flow, n, core.ID("free"))
			}),
		).serve(core.WorkerConfig{})
		wait(p, start(p, shipment, 1, core.ID("taken")))
		if got := wait(p, start(p, delivery, 7)); got != 7 {
			t.Errorf("result %d", got)
		}
		if s := p.inState("taken", backend.Completed); s.Parent != nil {
			t.Errorf("its parent is %v", s.Parent)
		}
	})
}

// An orphan child flipped a completed execution to timed_out: in the Python original a child wrote into its parent's row
// when it ended, whatever had become of the parent.
func TestAnOrphanChildDoesNotChangeItsCompletedParent(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		gate := core.NewSignal[bool]("go")
		p := w.program(
			shipment.Handle(func(flow *core.Flow, _ int) (int, error) {
				if _, err := gate.Receive(flow); err != nil {
					return 0, err
				}
				return 0, errors.New("too late")
			}),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) {
				shipment.Go(flow, n, core.Detached())
				return n, nil
			}),
		).serve(core.WorkerConfig{})
		if got := wait(p, start(p, delivery, 5, core.ID("done"))); got != 5 {
			t.Errorf("result %d", got)
		}
		before := p.inState("done", backend.Completed)
		p.inState("done/1", backend.Running) // it survives its parent
		if err := gate.Send(w.ctx(), p.Engine, "done/1", true); err != nil {
			t.Fatal(err)
		}
		p.inState("done/1", backend.Failed)
		after := p.inState("done", backend.Completed)
		if !after.Finished.Equal(before.Finished) || string(after.Result) != string(before.Result) || after.Failure != nil || after.Token != before.Token {
			t.Errorf("before %+v\nafter %+v", before.Execution, after.Execution)
		}
		stats, err := p.db.Stats(w.ctx())
		if err != nil || stats.Executions[backend.Completed] != 1 || stats.Executions[backend.Failed] != 1 {
			t.Errorf("counts %v, %v", stats.Executions, err)
		}
	})
}

// Drain never ended while a workflow waited for a child.
func TestDrainEndsWhileAWorkflowWaitsForAChild(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		gate := core.NewSignal[bool]("go")
		handlers := []core.Handler{
			shipment.Handle(func(flow *core.Flow, n int) (int, error) { _, err := gate.Receive(flow); return n, err }),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) { return shipment.Call(flow, n) }),
		}
		p := w.program(handlers...).serve(core.WorkerConfig{Slots: 1, DrainTimeout: time.Hour})
		run := start(p, delivery, 6, core.ID("d"))
		p.inState("d/1", backend.Running)
		p.stop() // fails the test if it takes 30 s
		for _, id := range []string{"d", "d/1"} {
			if s := p.inState(id, backend.Running); s.TaskState != backend.Waiting {
				t.Errorf("%s is %s after the drain", id, s.TaskState)
			}
		}
		again := w.program(handlers...).serve(core.WorkerConfig{Slots: 1})
		if err := gate.Send(w.ctx(), again.Engine, "d/1", true); err != nil {
			t.Fatal(err)
		}
		if got := wait(again, delivery.Attach(again.Engine, run.ID())); got != 6 {
			t.Errorf("result %d", got)
		}
	})
}

// TestAProcessThatRunsAChildIsKilledWhileTheParentIsElsewhere kills the processes that run a child in the middle of its
// activity, one after the other, while the parent waits in the memory of another program.
func TestAProcessThatRunsAChildIsKilledWhileTheParentIsElsewhere(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		ledger := filepath.Join(t.TempDir(), "ledger")
		parents := core.NewWorkflow[int, int]("parents", core.Queue("parents"))
		remote := core.NewWorkflow[int, int]("chained", core.Elsewhere(), core.Queue("default"))
		p := w.program(parents.Handle(func(flow *core.Flow, n int) (int, error) {
			return remote.Call(flow, n)
		})).serve(core.WorkerConfig{Queues: []string{"parents"}})
		run := start(p, parents, -10, core.ID("p"))
		for round := range 3 {
			worker := w.workerIn(ledger)
			w.eventually(fmt.Sprint("worker ", round, " runs the child's activity"), func() bool { return len(w.entries(ledger)) > round })
			_ = worker.Process.Kill()
			_ = worker.Wait()
		}
		heir := w.program(
			logged.Handle(func(_ context.Context, n int) (int, error) { return n + 1, nil }),
			chained.Handle(func(flow *core.Flow, n int) (int, error) { return logged.Call(flow, n) }),
		).serve(core.WorkerConfig{Lease: processLease})
		if got := wait(p, run); got != -9 {
			t.Errorf("result %d", got)
		}
		if s := heir.inState("p/1", backend.Completed); s.Token < 4 {
			t.Errorf("the child's token is %d after three deaths", s.Token)
		}
		if entries := w.entries(ledger); len(entries) != 3 || entries[0] != "p/1.1" || entries[2] != "p/1.1" {
			t.Errorf("the processes ran %v", entries)
		}
	})
}

func TestAMillHoldsParentsAndChildrenWithOneSlotAndFewInMemory(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		tree := core.NewWorkflow[int, int]("tree")
		p := w.program(tree.Handle(func(flow *core.Flow, depth int) (int, error) {
			if depth == 0 {
				return 1, nil
			}
			left, right := tree.Go(flow, depth-1), tree.Go(flow, depth-1)
			a, err := left.Get(flow)
			if err != nil {
				return 0, err
			}
			b, err := right.Get(flow)
			return a + b, err
		})).serve(core.WorkerConfig{Slots: 1, MaxResident: 1})
		if got := wait(p, start(p, tree, 5)); got != 32 {
			t.Errorf("%d leaves", got)
		}
	})
}

func TestChildrenAreCancelledWithTheirParentUnlessTheyAreDetached(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		gate := core.NewSignal[bool]("go")
		var told, ofParent atomic.Pointer[error]
		p := w.program(
			shipment.Handle(func(flow *core.Flow, n int) (int, error) {
				_, err := gate.Receive(flow)
				if err != nil {
					told.Store(&err)
				}
				return n, err
			}),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) {
				shipment.Go(flow, n, core.Detached())
				n, err := shipment.Call(flow, n)
				ofParent.Store(&err)
				return n, err
			}),
		).serve(core.WorkerConfig{})
		run := start(p, delivery, 5, core.ID("c"))
		p.inState("c/1", backend.Running)
		p.inState("c/2", backend.Running)
		if err := p.Cancel(w.ctx(), "c"); err != nil {
			t.Fatal(err)
		}
		var ended *core.ExecutionError
		if _, err := run.Wait(w.ctx()); !errors.As(err, &ended) || ended.State != backend.Cancelled {
			t.Errorf("waiting for the parent: %v", err)
		}
		p.inState("c/2", backend.Cancelled)
		if err := told.Load(); err == nil || !errors.Is(*err, core.ErrCancelled) {
			t.Errorf("the child was told %v", err)
		}
		if err := ofParent.Load(); err == nil || !errors.Is(*err, core.ErrCancelled) {
			t.Errorf("the parent was told %v", err)
		}
		p.inState("c/1", backend.Running)
		if err := gate.Send(w.ctx(), p.Engine, "c/1", true); err != nil {
			t.Fatal(err)
		}
		p.inState("c/1", backend.Completed)
		p.inState("c", backend.Cancelled)
		if letters, _ := p.DeadLetters(w.ctx(), core.DeadLetterFilter{}); len(letters) != 0 {
			t.Errorf("%d dead letters of what was cancelled", len(letters))
		}
	})
}

func TestAChildThatIsCancelledByItselfIsAnErrorOfItsParent(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(
			shipment.Handle(func(flow *core.Flow, n int) (int, error) { return n, flow.Sleep(time.Hour) }),
			delivery.Handle(func(flow *core.Flow, n int) (int, error) {
				_, err := shipment.Call(flow, n)
				var failed *core.ChildError
				if !errors.As(err, &failed) || failed.State != backend.Cancelled || failed.Cause != nil || !errors.Is(err, core.ErrCancelled) {
					return 0, fmt.Errorf("the call of a child that was cancelled: %w", err)
				}
				return 2 * n, flow.Sleep(time.Millisecond) // the parent itself goes on
			}),
		).serve(core.WorkerConfig{})
		run := start(p, delivery, 4, core.ID("c"))
		p.inState("c/1", backend.Running)
		if err := p.Cancel(w.ctx(), "c/1"); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 8 {
			t.Errorf("result %d", got)
		}
	})
}

func TestTheOtherChildrenOfAFailedParentAreCancelledAndBegunAnewByTheReplay(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var (
			broken atomic.Bool
			did    tally
		)
		broken.Store(true)
		gate := core.NewSignal[bool]("go")
		p := w.program(
			logged.Handle(func(_ context.Context, n int) (int, error) {
				if did.add(fmt.Sprint("logged ", n)); n == 1 && broken.Load() {
					return 0, core.NonRetryable(errors.New("down"))
				}
				return n, nil
			}),
			shipment.Handle(func(flow *core.Flow, n int) (int, error) {
				if n == 2 {
					if _, err := gate.Receive(flow); err != nil {
						return 0, err
					}
				}
				return logged.Call(flow, n)
			}),
			delivery.Handle(func(flow *core.Flow, _ int) (int, error) {
				slow, quick := shipment.Go(flow, 2), shipment.Go(flow, 1, core.Delay(50*time.Millisecond))
				a, err := quick.Get(flow)
				if err != nil {
					return 0, err
				}
				b, err := slow.Get(flow)
				return 10*a + b, err
			}),
		).serve(core.WorkerConfig{})
		run := start(p, delivery, 0, core.ID("r"))
		_, err := run.Wait(w.ctx())
		var failed *core.ExecutionError
		if !errors.As(err, &failed) || failed.Cause == nil || failed.Cause.String() != "r/2.1" {
			t.Fatalf("error %v", err)
		}
		p.inState("r/1", backend.Cancelled)
		broken.Store(false)
		if err := p.Replay(w.ctx(), *failed.Cause); err != nil {
			t.Fatal(err)
		}
		again := ""
		w.eventually("the call that was cancelled is made anew", func() bool {
			for _, item := range p.inState("r", backend.Running).Progress {
				if item.Child != "" && item.Child != "r/1" && item.Child != "r/2" {
					again = item.Child
				}
			}
			return again != ""
		})
		if err := gate.Send(w.ctx(), p.Engine, again, true); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 12 {
			t.Errorf("result %d", got)
		}
		p.inState("r/1", backend.Cancelled)
		if did.of("logged 2") != 1 {
			t.Errorf("the slow one's activity ran %d times", did.of("logged 2"))
		}
		if letters, _ := p.DeadLetters(w.ctx(), core.DeadLetterFilter{}); len(letters) != 0 {
			t.Errorf("%d dead letters are left", len(letters))
		}
	})
}
