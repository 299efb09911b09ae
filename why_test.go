package stent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

var (
	whyStep   = core.NewActivity[string, string]("why_step", core.Elsewhere())
	whyOnce   = core.NewActivity[string, string]("why_once", core.Retry(core.RetryPolicy{MaxAttempts: 1}))
	whyAgain  = core.NewActivity[string, string]("why_again", core.Retry(core.RetryPolicy{InitialDelay: time.Hour, MaxDelay: time.Hour}))
	whyAlone  = core.NewActivity[string, string]("why_alone", core.MaxConcurrent(1))
	whySignal = core.NewSignal[string]("approval")
	whyFlow   = core.NewWorkflow[string, string]("why_flow")
)

// whyHandlers do what the input says; an activity blocks until release is closed.
func whyHandlers(release <-chan struct{}) []core.Handler {
	block := func(ctx context.Context, in string) (string, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return in, nil
	}
	fail := func(context.Context, string) (string, error) { return "", errors.New("the gateway is down") }
	return []core.Handler{
		whyOnce.Handle(fail), whyAgain.Handle(fail), whyAlone.Handle(block),
		whyFlow.Handle(func(flow *core.Flow, in string) (string, error) {
			switch in {
			case "unserved":
				return whyStep.Call(flow, in, core.Queue("nobody"))
			case "unknown":
				return whyStep.Call(flow, in)
			case "untagged":
				return whyAlone.Call(flow, in, core.Tags("gpu"))
			case "fails":
				return whyOnce.Call(flow, in)
			case "backs off":
				return whyAgain.Call(flow, in)
			case "alone":
				return whyAlone.Call(flow, in)
			case "signal":
				return whySignal.Receive(flow)
			case "child":
				return whyFlow.Call(flow, "signal")
			case "sleeps":
				return in, flow.Sleep(24 * time.Hour)
			}
			return in, nil
		}),
	}
}

// What keeps an execution where it is has a name, and the sentence about it names what a person needs to know.
func TestWhyNamesTheCause(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		release := make(chan struct{})
		defer close(release)
		p := w.program(whyHandlers(release)...).serve(core.WorkerConfig{Queues: []string{"default"}, Slots: 10})

		for _, c := range []struct {
			in     string
			opts   []core.StartOption
			reason core.Reason
			says   []string
		}{
			{"ends", nil, core.ReasonCompleted, []string{"It completed at 20"}},
			{"unserved", nil, core.ReasonNoWorker, []string{"why_step", `"nobody"`, "served: default"}},
			{"unknown", nil, core.ReasonNoHandler, []string{`no worker that serves its queue "default" has a handler for "why_step"`, "why_once"}},
			{"untagged", nil, core.ReasonNoTag, []string{"gpu", "they have: none"}},
			{"fails", nil, core.ReasonDeadLettered, []string{"why_once failed for good", "after 1 attempt: the gateway is down"}},
			{"backs off", nil, core.ReasonBackingOff, []string{"why_again is tried again at 20", "as attempt 2: the gateway is down"}},
			{"signal", nil, core.ReasonSignal, []string{`the signal "approval"`}},
			{"child", nil, core.ReasonChild, []string{"waits for its child", "a why_flow"}},
			{"sleeps", nil, core.ReasonSleeping, []string{"sleeps until 20"}},
			{"delayed", []core.StartOption{core.Delay(time.Hour)}, core.ReasonDelayed, []string{"Its workflow why_flow is not due before 20"}},
			{"alone", nil, core.ReasonRunning, []string{"Its activity why_alone is running since 20"}},
			{"alone", nil, core.ReasonLimit, []string{"why_alone is due, and as many of them run as its limit of 1"}},
		} {
			run := start(p, whyFlow, c.in, c.opts...)
			w.eventually(fmt.Sprintf("%s is explained by %s, with %q", c.in, c.reason, c.says), func() bool {
				because, err := p.Why(w.ctx(), run.ID())
				if err != nil {
					w.Fatal(err)
				}
				sentence := because.Sentence(nil)
				return because.Reason == c.reason && !slices.ContainsFunc(c.says, func(text string) bool { return !strings.Contains(sentence, text) })
			})
		}
	})
}

// What a person did to a queue or an execution is told as such.
func TestWhyNamesWhatPeopleDid(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		defer close(release)
		tidy := core.NewActivity[string, string]("why_tidy")
		p := w.program(
			tidy.Handle(func(ctx context.Context, in string) (string, error) {
				select {
				case <-release:
				case <-ctx.Done():
				}
				return in, nil
			}),
			whyFlow.Handle(func(flow *core.Flow, in string) (string, error) {
				if in == "paused" {
					return tidy.Call(flow, in, core.Queue("stopped"))
				}
				if _, err := whySignal.Receive(flow); !errors.Is(err, core.ErrCancelled) {
					return "", err
				}
				return tidy.Call(flow, in) // what it puts right takes its time
			}),
		).serve(core.WorkerConfig{Queues: []string{"default", "stopped"}})
		if err := p.PauseQueue(w.ctx(), "stopped"); err != nil {
			t.Fatal(err)
		}
		explained := func(id string, reason core.Reason, says string) {
			t.Helper()
			w.eventually(fmt.Sprintf("%s is explained by %s, with %q", id, reason, says), func() bool {
				because, err := p.Why(w.ctx(), id)
				if err != nil {
					t.Fatal(err)
				}
				return because.Reason == reason && strings.Contains(because.Sentence(nil), says)
			})
		}

		paused := start(p, whyFlow, "paused").ID()
		explained(paused, core.ReasonPaused, `why_tidy is due, and its queue "stopped" is paused`)
		if err := p.ResumeQueue(w.ctx(), "stopped"); err != nil {
			t.Fatal(err)
		}
		explained(paused, core.ReasonRunning, "why_tidy is running")

		asked := start(p, whyFlow, "cancelling").ID()
		explained(asked, core.ReasonSignal, "approval")
		p.cancel(asked)
		explained(asked, core.ReasonCancelling, "It is asked to stop, and its workflow has not returned yet")

		later := start(p, whyFlow, "cancelled", core.Delay(time.Hour)).ID()
		p.cancel(later)
		explained(later, core.ReasonCancelled, "It was cancelled at 20")
	})
}

// A worker that is gone holds what it held until its lease is over, and then until somebody takes over.
func TestWhyNamesADeadWorker(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p := w.program(whyHandlers(nil)...)
		run := start(p, whyFlow, "ends")
		if _, err := p.db.Register(w.ctx(), backend.Worker{ID: "gone", Queues: []string{"default"}, State: backend.WorkerReady}, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		claim := &backend.Claim{Queues: []string{"default"}, Steps: []string{"why_flow"}, Max: 1}
		if err := p.db.Commit(w.ctx(), &backend.Batch{Worker: "gone", Commands: []backend.Command{claim}}); err != nil {
			t.Fatal(err)
		}
		if len(claim.Tasks) != 1 {
			t.Fatalf("claimed %d tasks: %v", len(claim.Tasks), claim.Err)
		}
		w.eventually("the lease is over", func() bool {
			because, err := p.Why(w.ctx(), run.ID())
			if err != nil {
				t.Fatal(err)
			}
			return because.Reason == core.ReasonDeadWorker && because.Worker == "gone" && !because.Until.IsZero()
		})
	})
}

// A workflow whose code changed under an execution is told from an ordinary failure.
func TestWhyNamesNonDeterminism(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		flow := func(first *core.Activity[string, string]) core.Handler {
			return whyFlow.Handle(func(flow *core.Flow, in string) (string, error) {
				if _, err := first.Call(flow, in, core.Key("first")); err != nil {
					return "", err
				}
				return whySignal.Receive(flow)
			})
		}
		one, two := core.NewActivity[string, string]("why_one"), core.NewActivity[string, string]("why_two")
		echo := func(_ context.Context, in string) (string, error) { return in, nil }

		old := w.program(flow(one), one.Handle(echo)).serve(core.WorkerConfig{EvictAfter: time.Millisecond})
		run := start(old, whyFlow, "x")
		w.eventually("it waits", func() bool {
			because, err := old.Why(w.ctx(), run.ID())
			return err == nil && because.Reason == core.ReasonSignal
		})
		old.stop()
		changed := w.program(flow(two), two.Handle(echo)).serve(core.WorkerConfig{})
		if err := whySignal.Send(w.ctx(), changed.Engine, run.ID(), "yes"); err != nil {
			t.Fatal(err)
		}
		changed.inState(run.ID(), backend.Failed)
		because, err := changed.Why(w.ctx(), run.ID())
		if err != nil || because.Reason != core.ReasonNonDeterminism || !strings.Contains(because.Sentence(nil), `"why_one"`) {
			t.Errorf("%s: %s, %v", because.Reason, because.Sentence(nil), err)
		}
	})
}
