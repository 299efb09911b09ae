package stent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// observed is a program with middleware.
func (w *world) observed(ms []core.Middleware, handlers ...core.Handler) *program {
	w.Helper()
	db := w.open()
	e, err := core.New(db, append(logOption(), core.WithMiddleware(ms...))...)
	if err != nil {
		w.Fatal(err)
	}
	if err := e.Register(handlers...); err != nil {
		w.Fatal(err)
	}
	return &program{Engine: e, w: w, db: db, stop: func() {}}
}

// diary is middleware that writes down what it stands around, and marks carriers and contexts with its name.
type diary struct {
	name string
	mu   sync.Mutex
	told []string
}

type diaryKey struct{ name string }

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, fmt.Sprintf(format, args...))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.told)
}

// about are the entries that have a word.
func (d *diary) about(word string) []string {
	return slices.DeleteFunc(d.read(), func(s string) bool { return !strings.Contains(s, word) })
}

func (d *diary) Start(ctx context.Context, starts []*core.StartInfo, next core.Next) error {
	for _, s := range starts {
		s.Carrier["from"] = d.name
	}
	err := next(ctx)
	for _, s := range starts {
		d.write("start %s %s existed=%t err=%v", s.Workflow, s.ExecutionID, s.Existed, s.Err)
	}
	return err
}

func (d *diary) Execute(ctx context.Context, t *core.ExecuteInfo, next core.Next) error {
	if info, ok := core.InfoFrom(ctx); !ok || info != t.TaskInfo {
		d.write("wrong context %v", info)
	}
	err := next(context.WithValue(ctx, diaryKey{d.name}, t.TaskID))
	d.write("%s %s attempt=%d from=%s err=%v", t.Kind, t.Step, t.Attempt, t.Carrier["from"], err)
	return err
}

func (d *diary) Signal(ctx context.Context, s *core.SignalInfo, next core.Next) error {
	err := next(ctx)
	d.write("signal %s to %s err=%v", s.Name, s.ExecutionID, err)
	return err
}

func (d *diary) Replay(ctx context.Context, r *core.ReplayInfo, next core.Next) error {
	err := next(ctx)
	d.write("replay %s by %s err=%v", r.Letter.Step, r.Actor, err)
	return err
}

func (d *diary) Ended(ctx context.Context, end *core.EndInfo) {
	info, _ := core.InfoFrom(ctx)
	d.write("ended %s %s from=%s failure=%t in-order=%t", end.Workflow, end.State, end.Carrier["from"], end.Failure != nil,
		info == end.TaskInfo && !end.Created.IsZero() && !end.Started.Before(end.Created))
}

var observedOrders = core.NewWorkflow[string, string]("observed_orders")

func TestMiddlewareStandsAroundWhatIsNewAndNotAroundWhatIsRepeated(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		flaky := core.NewActivity[string, string]("flaky", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
		marks := &diary{}
		handlers := []core.Handler{
			flaky.Handle(func(ctx context.Context, in string) (string, error) {
				if ctx.Value(diaryKey{"worker"}) == nil {
					return "", core.NonRetryable(errors.New("not the middleware's context"))
				}
				if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
					return "", errors.New("at first")
				}
				return in + "!", nil
			}),
			observedOrders.Handle(func(flow *core.Flow, in string) (string, error) {
				marks.write("top middleware=%t replaying=%t", flow.Context().Value(diaryKey{"worker"}) != nil, core.Replaying(flow.Context()))
				out, err := flaky.Call(flow, in)
				if err != nil {
					return "", err
				}
				marks.write("after the activity middleware=%t replaying=%t", flow.Context().Value(diaryKey{"worker"}) != nil, core.Replaying(flow.Context()))
				v, err := approval.Receive(flow)
				marks.write("after the signal middleware=%t replaying=%t", flow.Context().Value(diaryKey{"worker"}) != nil, core.Replaying(flow.Context()))
				return out + v, err
			}),
		}
		first := &diary{name: "starter"}
		starter := w.observed([]core.Middleware{first})
		run := start(starter, observedOrders, "a")
		start(starter, observedOrders, "a", core.ID(run.ID()))

		// It leaves memory whenever it waits, so that it runs from the top each time.
		d := &diary{name: "worker"}
		p := w.observed([]core.Middleware{d}, handlers...).serve(core.WorkerConfig{EvictAfter: time.Nanosecond})
		w.eventually("it waits outside memory", func() bool {
			s, err := p.StateOf(w.ctx(), run.ID())
			return err == nil && s.TaskState == backend.Waiting && len(d.about("orchestrator")) == 2
		})
		send(starter, run.ID(), "?")
		if got := wait(starter, run); got != "a!?" {
			t.Errorf("result %q", got)
		}
		w.eventually("the end is told", func() bool { return len(d.about("ended")) > 0 })

		check(t, "the starter's", first.read(), []string{
			"start observed_orders " + run.ID() + " existed=false err=<nil>",
			"start observed_orders " + run.ID() + " existed=true err=<nil>",
			"signal approval to " + run.ID() + " err=<nil>",
		})
		check(t, "the worker's", d.about("activity"), []string{
			"activity flaky attempt=1 from=starter err=at first",
			"activity flaky attempt=2 from=starter err=<nil>",
		})
		// The activity's call, its end, the signal: however often the workflow ran from the top in between.
		check(t, "the workflow's turns", d.about("orchestrator"), slices.Repeat([]string{"orchestrator observed_orders attempt=1 from=starter err=<nil>"}, 3))
		check(t, "the end", d.about("ended"), []string{"ended observed_orders completed from=starter failure=false in-order=true"})
		check(t, "complaints", d.about("wrong"), nil)
		check(t, "what is new", marks.about("replaying=false"), []string{
			"top middleware=true replaying=false",
			"after the activity middleware=true replaying=false",
			"after the signal middleware=true replaying=false",
		})
		if len(marks.about("middleware=true replaying=true")) > 0 {
			t.Errorf("middleware in what is repeated: %v", marks.read())
		}
	})
}

func check(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestMiddlewareSeesEveryStartOfStartMany(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		d := &diary{name: "starter"}
		p := w.observed([]core.Middleware{d})
		many := func(ins ...string) error {
			var inputs []core.Input[string]
			for _, in := range ins {
				inputs = append(inputs, core.Input[string]{In: in, Options: []core.StartOption{core.ID(in[:2])}})
			}
			_, err := observedOrders.StartMany(w.ctx(), p.Engine, inputs)
			return err
		}
		if err := many("m1", "m2"); err != nil {
			t.Fatal(err)
		}
		if err := many("m3", "m2 with another input"); !errors.Is(err, core.ErrAlreadyExists) {
			t.Errorf("another input under a known id: %v", err)
		}
		check(t, "starts", d.read(), []string{
			"start observed_orders m1 existed=false err=<nil>",
			"start observed_orders m2 existed=false err=<nil>",
			"start observed_orders m3 existed=false err=<nil>",
			"start observed_orders m2 existed=false err=" + core.ErrAlreadyExists.Error(),
		})
		x, err := p.db.Execution(w.ctx(), "m3")
		if err != nil || x.Carrier["from"] != "starter" {
			t.Errorf("carrier %v, %v", x.Carrier, err)
		}
	})
}

// gate is middleware that refuses.
type gate struct {
	core.NopMiddleware
	refuse func(what string) error
}

func (g gate) Start(ctx context.Context, s []*core.StartInfo, next core.Next) error {
	if err := g.refuse("start " + s[0].Workflow); err != nil {
		return err
	}
	return next(ctx)
}

func (g gate) Execute(ctx context.Context, t *core.ExecuteInfo, next core.Next) error {
	if err := g.refuse(string(t.Kind)); err != nil {
		return err
	}
	return next(ctx)
}

func (g gate) Signal(ctx context.Context, s *core.SignalInfo, next core.Next) error {
	if err := g.refuse("signal " + s.Name); err != nil {
		return err
	}
	return next(ctx)
}

func (g gate) Replay(ctx context.Context, _ *core.ReplayInfo, next core.Next) error {
	if err := g.refuse("replay"); err != nil {
		return err
	}
	return next(ctx)
}

func TestMiddlewareCanRefuseWhatAsksAndNotWhatMustGoOn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		refusal := errors.New("closed")
		refused := tally{}
		g := gate{refuse: func(what string) error {
			if n := refused.add(what); n == 1 {
				return refusal
			}
			return nil
		}}
		charge := core.NewActivity[int, int]("charge", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
		wf := core.NewWorkflow[int, int]("gated")
		ran := tally{}
		p := w.observed([]core.Middleware{g},
			charge.Handle(func(_ context.Context, n int) (int, error) { ran.add("charge"); return n + 1, nil }),
			wf.Handle(func(flow *core.Flow, n int) (int, error) { return charge.Call(flow, n) }),
		).serve(core.WorkerConfig{})

		if _, err := wf.Start(w.ctx(), p.Engine, 1, core.ID("gated")); !errors.Is(err, refusal) {
			t.Errorf("start: %v", err)
		}
		if _, err := p.StateOf(w.ctx(), "gated"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("what was refused: %v", err)
		}
		if got := wait(p, start(p, wf, 1)); got != 2 {
			t.Errorf("result %d", got)
		}
		if ran.of("charge") != 1 || refused.of("activity") != 2 {
			t.Errorf("the activity ran %d times, asked %d times", ran.of("charge"), refused.of("activity"))
		}
		if err := approval.Send(w.ctx(), p.Engine, "gated", "x"); !errors.Is(err, refusal) {
			t.Errorf("signal: %v", err)
		}
	})
}

// stumbling is middleware that panics before or after.
type stumbling struct{ before, after *tally }

func (s stumbling) step(what string, next func() error) error {
	if s.before != nil {
		s.before.add(what)
		panic("before " + what)
	}
	err := next()
	s.after.add(what)
	panic(fmt.Sprintf("after %s: %v", what, err))
}

func (s stumbling) Start(ctx context.Context, _ []*core.StartInfo, next core.Next) error {
	return s.step("start", func() error { return next(ctx) })
}

func (s stumbling) Enter(context.Context, *core.TaskInfo, map[string]string) (within context.Context, stays bool) {
	_ = s.step("enter", func() error { return nil })
	return nil, false
}

func (s stumbling) Execute(ctx context.Context, t *core.ExecuteInfo, next core.Next) error {
	return s.step(string(t.Kind), func() error { return next(ctx) })
}

func (s stumbling) Signal(ctx context.Context, _ *core.SignalInfo, next core.Next) error {
	return s.step("signal", func() error { return next(ctx) })
}

func (s stumbling) Replay(ctx context.Context, _ *core.ReplayInfo, next core.Next) error {
	return s.step("replay", func() error { return next(ctx) })
}

func (s stumbling) Ended(context.Context, *core.EndInfo) {
	_ = s.step("ended", func() error { return nil })
}

func TestAPanickingMiddlewareHarmsNoTask(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		before, after, d := &tally{}, &tally{}, &diary{name: "inside"}
		var mended atomic.Bool
		charge := core.NewActivity[int, int]("charge", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
		wf := core.NewWorkflow[int, int]("stumbling")
		p := w.observed([]core.Middleware{stumbling{before: before}, stumbling{after: after}, d},
			charge.Handle(func(_ context.Context, n int) (int, error) {
				if !mended.Load() {
					return 0, errors.New("broken")
				}
				return n + 1, nil
			}),
			wf.Handle(func(flow *core.Flow, n int) (int, error) {
				if _, err := approval.Receive(flow); err != nil {
					return 0, err
				}
				return charge.Call(flow, n)
			}),
		).serve(core.WorkerConfig{})
		run := start(p, wf, 1)
		send(p, run.ID(), "go")
		p.inState(run.ID(), backend.Failed)
		mended.Store(true)
		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{})
		if err != nil || len(letters) != 1 {
			t.Fatalf("dead letters %v, %v", letters, err)
		}
		if err := p.Replay(w.ctx(), letters[0].Task, core.By("ann")); err != nil {
			t.Fatal(err)
		}
		if got := wait(p, run); got != 2 {
			t.Errorf("result %d", got)
		}
		w.eventually("both ends are told", func() bool { return len(d.about("ended")) == 2 })
		for _, what := range []string{"start", "enter", "orchestrator", "activity", "signal", "replay", "ended"} {
			if before.of(what) == 0 || before.of(what) != after.of(what) {
				t.Errorf("%s: %d panics before, %d after", what, before.of(what), after.of(what))
			}
		}
		check(t, "the replay", d.about("replay"), []string{"replay charge by ann err=<nil>"})
		check(t, "the attempts", d.about("activity charge attempt"), []string{
			"activity charge attempt=1 from=inside err=broken", "activity charge attempt=1 from=inside err=<nil>",
		})
	})
}
