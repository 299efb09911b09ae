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

// quoting has one activity that shares its results, and a workflow that calls it.
type quoting struct {
	quote *core.Activity[map[string]int, int]
	wf    *core.Workflow[map[string]int, int]
	ran   tally
	fn    func(ctx context.Context, n int) (int, error) // n counts the runs
}

func newQuoting(fn func(ctx context.Context, n int) (int, error), opts ...core.ActivityOption) *quoting {
	opts = append([]core.ActivityOption{core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: time.Millisecond})}, opts...)
	return &quoting{
		quote: core.NewActivity[map[string]int, int]("quote", opts...), wf: core.NewWorkflow[map[string]int, int]("quoting"), fn: fn,
	}
}

func (q *quoting) handlers() []core.Handler {
	return []core.Handler{
		q.quote.Handle(func(ctx context.Context, _ map[string]int) (int, error) { return q.fn(ctx, q.ran.add("quote")) }),
		q.wf.Handle(func(flow *core.Flow, in map[string]int) (int, error) { return q.quote.Call(flow, in) }),
	}
}

// In the original two idempotent calls at once both ran.
func TestTwoIdempotentCallsAtOnceRunOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		begun, go_ := make(chan struct{}), make(chan struct{})
		q := newQuoting(func(_ context.Context, n int) (int, error) {
			if n == 1 {
				close(begun)
				<-go_
			}
			return 0, nil // a result that looks like none
		}, core.Idempotent())
		p := w.program(q.handlers()...).serve(core.WorkerConfig{Slots: 2})
		w.program(q.handlers()...).serve(core.WorkerConfig{Slots: 2})
		in := map[string]int{"a": 1, "b": 2}
		first := start(p, q.wf, in, core.ID("first"))
		<-begun
		const n = 12 // more than there are slots
		var others []*core.Run[int]
		for i := range n {
			others = append(others, start(p, q.wf, in, core.ID(fmt.Sprint("other-", i))))
		}
		// A call that waits holds no slot: others pass.
		if got := wait(p, start(p, q.wf, map[string]int{"another": 1})); got != 0 || q.ran.of("quote") != 2 {
			t.Errorf("%d, ran %d times", got, q.ran.of("quote"))
		}
		close(go_)
		for _, run := range append(others, first) {
			if got := wait(p, run); got != 0 {
				t.Error(got)
			}
		}
		if n := q.ran.of("quote"); n != 2 {
			t.Errorf("ran %d times for two keys", n)
		}
		if got := wait(p, start(p, q.wf, in)); got != 0 || q.ran.of("quote") != 2 {
			t.Errorf("later: %d, ran %d times", got, q.ran.of("quote"))
		}
		s := p.inState("other-3", backend.Completed)
		for _, item := range s.Progress {
			if item.Step == "quote" && item.State == backend.Completed && item.ResultOf != (backend.TaskID{Execution: "first", Seq: 1}) {
				t.Errorf("whose result it is: %+v", item)
			}
		}
	})
}

func TestNothingIsKeptOfAFailure(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		q := newQuoting(func(_ context.Context, n int) (int, error) {
			if n == 1 {
				return 0, core.NonRetryable(errors.New("no quotes today"))
			}
			return n, nil
		}, core.Idempotent())
		p := w.program(q.handlers()...).serve(core.WorkerConfig{})
		in := map[string]int{"a": 1}
		if _, err := start(p, q.wf, in).Wait(w.ctx()); err == nil || !strings.Contains(err.Error(), "no quotes today") {
			t.Error(err)
		}
		for range 2 {
			if got := wait(p, start(p, q.wf, in)); got != 2 {
				t.Errorf("%d, want the second run's", got)
			}
		}
	})
}

func TestACachedResultExpires(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		q := newQuoting(func(_ context.Context, n int) (int, error) { return n, nil }, core.Cached(400*time.Millisecond))
		p := w.program(q.handlers()...).serve(core.WorkerConfig{})
		in := map[string]int{"a": 1}
		if got := wait(p, start(p, q.wf, in)); got != 1 {
			t.Fatal(got)
		}
		w.eventually("it has expired", func() bool { return wait(p, start(p, q.wf, in)) == 2 })
	})
}

func TestTheKeyIsOfNameVersionAndInput(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		type ab struct{ B, A int }
		type ba struct{ A, B int }
		var did tally
		one := core.NewActivity[ab, int]("one", core.Idempotent())
		versions := core.NewWorkflow[int, []int]("versions")
		two := core.NewActivity[ba, int]("two", core.Idempotent(), core.CacheKeyFunc(func(in ba) string { return fmt.Sprint(in.A) }))
		p := w.program(
			one.Handle(func(context.Context, ab) (int, error) { return did.add("one"), nil }),
			two.Handle(func(context.Context, ba) (int, error) { return did.add("two"), nil }),
			versions.Handle(func(flow *core.Flow, _ int) (out []int, err error) {
				for _, call := range []func() (int, error){
					func() (int, error) { return one.Call(flow, ab{1, 2}) },
					func() (int, error) { return one.Call(flow, ab{1, 2}) },
					func() (int, error) { return one.Call(flow, ab{1, 3}) },
					func() (int, error) { return one.Call(flow, ab{1, 2}, core.CacheVersion("2")) },
					func() (int, error) { return one.Call(flow, ab{1, 9}, core.CacheKey("mine")) },
					func() (int, error) { return one.Call(flow, ab{8, 9}, core.CacheKey("mine")) },
					func() (int, error) { return two.Call(flow, ba{1, 2}) },
					func() (int, error) { return two.Call(flow, ba{1, 3}) },
				} {
					n, err := call()
					if err != nil {
						return nil, err
					}
					out = append(out, n)
				}
				return out, nil
			}),
		).serve(core.WorkerConfig{})
		if got := fmt.Sprint(wait(p, start(p, versions, 1))); got != "[1 1 2 3 4 4 1 1]" {
			t.Error(got)
		}
		bad := core.NewActivity[int, int]("bad", core.Idempotent(), core.CacheKeyFunc(func(string) string { return "" }))
		if err := w.program().Register(bad.Handle(func(context.Context, int) (int, error) { return 0, nil })); err == nil {
			t.Error("a function of another type is no error")
		}
	})
}

func TestACrashOfTheOneThatRunsLetsTheOtherRun(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		begun, hang := make(chan struct{}), make(chan struct{})
		q := newQuoting(func(ctx context.Context, n int) (int, error) {
			if n == 1 {
				close(begun)
				<-hang // its worker dies with it
				return 0, ctx.Err()
			}
			return n, nil
		}, core.Idempotent())
		t.Cleanup(func() { close(hang) })
		sick := &severed{Backend: w.open()}
		e, err := core.New(sick)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Register(q.handlers()...); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(cancel)
		go func() { _ = e.Serve(ctx, core.WorkerConfig{Lease: crashLease, PollInterval: 20 * time.Millisecond}) }()
		client := w.program()
		first := start(client, q.wf, map[string]int{"a": 1})
		<-begun
		healthy := w.program(q.handlers()...).serve(core.WorkerConfig{Lease: crashLease})
		second := start(client, q.wf, map[string]int{"a": 1})
		sick.mu.Lock()
		sick.cut = true
		sick.mu.Unlock()
		a, b := wait(healthy, first), wait(healthy, second)
		if a != 2 || b != 2 {
			t.Errorf("%d and %d, want the result of the second run for both", a, b)
		}
	})
}

// The key of an activity that waits in a queue, or is taken over from a worker that died, is kept with it.
func TestAnIdempotentActivityIsSharedAlsoThroughAQueue(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		act := core.NewActivity[int, int]("queued", core.Idempotent(), core.MaxConcurrent(1))
		wf := core.NewWorkflow[int, int]("twice")
		p := w.program(
			act.Handle(func(context.Context, int) (int, error) { return did.add("queued"), nil }),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				first, err := act.Call(flow, n)
				if err != nil {
					return 0, err
				}
				again, err := act.Call(flow, n)
				return 10*first + again, err
			}),
		).serve(core.WorkerConfig{})
		if got := wait(p, start(p, wf, 1)); got != 11 {
			t.Errorf("the results are %d: the activity ran twice", got)
		}
	})
}
