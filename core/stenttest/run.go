package stenttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Start begins an execution.
func Start[I, O any](env *Env, wf *core.Workflow[I, O], in I, opts ...core.StartOption) *core.Run[O] {
	env.Helper()
	env.Begin()
	run, err := wf.Start(env.Context(), env.Engine, in, opts...)
	if err != nil {
		env.Fatal(err)
	}
	return run
}

// Run begins an execution and waits for its end, however much time has to pass for it.
func Run[I, O any](env *Env, wf *core.Workflow[I, O], in I, opts ...core.StartOption) (O, error) {
	env.Helper()
	return Wait(env, Start(env, wf, in, opts...))
}

// Wait waits for the end of an execution, however much time has to pass for it. Where nothing can happen any more, the
// test fails and tells what is waited for.
func Wait[O any](env *Env, run *core.Run[O]) (O, error) {
	env.Helper()
	env.Begin()
	if env.memory != nil {
		env.waitFor(run.ID())
	}
	ctx, cancel := context.WithTimeout(env.Context(), patience)
	defer cancel()
	return run.Wait(ctx)
}

// patience is how long a wait in real time may take.
const patience = time.Minute

// Send sends a signal to an execution, which has to take it.
func Send[T any](env *Env, signal *core.Signal[T], execution string, v T) {
	env.Helper()
	env.Begin()
	if err := signal.Send(env.Context(), env.Engine, execution, v); err != nil {
		env.Fatal(err)
	}
	env.Settle()
}

// ticksFor is how long a wait goes on for which only schedules go on.
const ticksFor = 31 * 24 * time.Hour

// stuckAfter is how long nothing must happen, and nothing be known to come, until a wait is given up.
const stuckAfter = 10 * time.Minute

func (env *Env) waitFor(id string) {
	env.Helper()
	ctx, cancel := context.WithCancel(env.Context())
	defer cancel()
	news := make(chan struct{}, 1)
	go func() {
		_ = env.memory.Watch(ctx, "", nil, func(backend.News) {
			select {
			case news <- struct{}{}:
			default:
			}
		})
	}()
	for began := time.Now(); ; {
		env.Settle()
		x, err := env.memory.Execution(ctx, id)
		if err != nil || x.State.Final() {
			return // an unknown one is an error of Wait
		}
		if time.Since(began) >= ticksFor && env.hopeless(began) {
			env.Fatalf("stenttest: nothing but schedules has gone on for %v; execution %s will never end: %s", time.Since(began), id, env.why(id))
		}
		select {
		case <-news:
		case <-time.After(stuckAfter):
			env.Settle() // something else may have come due at this very moment
			select {
			case <-news:
				continue
			default:
			}
			if env.hopeless(began) {
				env.Fatalf("stenttest: execution %s will never end: %s", id, env.why(id))
			}
		}
	}
}

// hopeless tells whether nothing can happen any more, in a wait that began then.
func (env *Env) hopeless(began time.Time) bool {
	o := env.memory.Outlook()
	return o.Next.IsZero() && len(o.Running) == 0 && (o.Tick.IsZero() || time.Since(began) >= ticksFor)
}

// why tells what an execution waits for.
func (env *Env) why(id string) string {
	o := env.memory.Outlook()
	var why []string
	for _, t := range o.Waiting {
		if t.ID.Execution == id {
			why = append(why, fmt.Sprintf("it waits for %s %q, and nobody sends it", t.Kind, t.Step))
		}
	}
	for _, due := range o.Due {
		if due.Execution == id {
			why = append(why, fmt.Sprintf("task %s is due and no worker takes it: is there a handler, and does a worker serve its queue and have its tag?", due))
		}
	}
	if len(why) == 0 {
		why = append(why, "nothing is left that could happen to it")
	}
	return strings.Join(why, "; ")
}

// Failed fails the test unless err, from [Run] or [Wait], says that the execution failed, and gives that error.
func Failed(env *Env, err error) *core.ExecutionError {
	env.Helper()
	var failed *core.ExecutionError
	if !errors.As(err, &failed) || failed.State != backend.Failed {
		env.Fatalf("the execution should have failed; error: %v", err)
	}
	return failed
}
