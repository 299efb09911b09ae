package stent_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// chooser is middleware that stays with the executions that a program called "loud" has started.
type chooser struct{ diary }

type entered struct{}

func (c *chooser) Enter(ctx context.Context, task *core.TaskInfo, carrier map[string]string) (context.Context, bool) {
	if info, ok := core.InfoFrom(ctx); !ok || info != *task {
		c.write("entered with another's context")
	}
	c.write("enter %s of %s", task.Step, task.ExecutionID)
	return context.WithValue(ctx, entered{}, carrier["from"]), carrier["from"] == "loud"
}

func TestSelectiveMiddlewareIsAskedOnceAndNotCalledWhereItDoesNotStay(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		near := core.NewActivity[string, string]("near")
		far := core.NewActivity[string, string]("far", core.Queue("remote"), core.Elsewhere())
		wf := core.NewWorkflow[string, string]("chosen")
		from := func(ctx context.Context, in string) (string, error) {
			info, _ := core.InfoFrom(ctx)
			return in + " " + info.Step + "=" + ctx.Value(entered{}).(string), nil
		}
		c, every := &chooser{diary{name: "chooser"}}, &diary{name: "every"}
		ms := []core.Middleware{c, every}
		p := w.observed(ms, near.Handle(from), wf.Handle(func(flow *core.Flow, in string) (string, error) {
			out, err := from(flow.Context(), in)
			for _, activity := range []*core.Activity[string, string]{near, far} {
				if err == nil {
					out, err = activity.Call(flow, out)
				}
			}
			if flow.Context().Done() != nil {
				t.Error("the workflow's context can end")
			}
			return out, err
		})).serve(core.WorkerConfig{Queues: []string{core.DefaultQueue}})
		w.observed(ms, far.Handle(from)).serve(core.WorkerConfig{Queues: []string{"remote"}})

		for _, test := range []struct {
			from   string
			called bool
		}{{"quiet", false}, {"loud", true}} {
			run := start(w.observed([]core.Middleware{&diary{name: test.from}}), wf, "in", core.ID(test.from))
			want := strings.ReplaceAll("in chosen=X near=X far=X", "X", test.from)
			if got := wait(p, run); got != want {
				t.Errorf("the tasks ran with the contexts %q, want %q", got, want)
			}
			w.eventually("the end is told to who stays", func() bool { return len(every.about("ended chosen completed from="+test.from)) == 1 })
			w.eventually("it was asked", func() bool { return len(c.about("of "+test.from)) >= 2 })
			check(t, "asked", c.about("of "+test.from), []string{"enter chosen of " + test.from, "enter far of " + test.from})
			w.eventually("it is called if it stays", func() bool { return !test.called || len(c.about("ended chosen completed from="+test.from)) == 1 })
			calls := len(c.about("from=" + test.from))
			if all := len(every.about("from=" + test.from)); test.called && calls != all || !test.called && calls > 0 {
				t.Errorf("%s: called %d times, another middleware %d times", test.from, calls, all)
			}
		}
		check(t, "what was wrong", c.about("another's"), nil)
	})
}

// What a middleware makes contexts of must not keep them from ending.
func TestAnActivityWhoseMiddlewareDidNotStayIsStillStopped(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		begun := make(chan struct{}, 2)
		hangs := func(ctx context.Context, in string) (string, error) {
			begun <- struct{}{}
			<-ctx.Done()
			return in, ctx.Err()
		}
		near := core.NewActivity[string, string]("near")
		far := core.NewActivity[string, string]("far", core.Queue("remote"), core.Elsewhere())
		wf := core.NewWorkflow[string, string]("chosen")
		ms := []core.Middleware{&chooser{diary{name: "quiet"}}}
		p := w.observed(ms, near.Handle(hangs), wf.Handle(func(flow *core.Flow, in string) (string, error) {
			here, there := near.Go(flow, in), far.Go(flow, in)
			_, _ = here.Get(flow)
			return there.Get(flow)
		})).serve(core.WorkerConfig{Queues: []string{core.DefaultQueue}})
		w.observed(ms, far.Handle(hangs)).serve(core.WorkerConfig{Queues: []string{"remote"}})
		run := start(p, wf, "in")
		<-begun
		<-begun
		p.cancel(run.ID())
		p.inState(run.ID(), backend.Cancelled)
	})
}
