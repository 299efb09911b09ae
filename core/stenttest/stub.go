package stenttest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/stentgo/stent/core"
)

// Stubbed is an activity whose calls are kept. It is safe for concurrent use.
type Stubbed[I, O any] struct {
	env  *Env
	name string

	mu    sync.Mutex
	calls []Call[I, O]
}

// Call is one attempt at an activity that has ended.
type Call[I, O any] struct {
	In    I
	Out   O
	Err   error
	Info  core.TaskInfo
	Began time.Time
	Ended time.Time
}

// Stub puts fn in the place of an activity and keeps its calls; a nil fn returns the zero value. To keep the calls of the
// real function, give that. It has to be there before the program begins.
func Stub[I, O any](env *Env, activity *core.Activity[I, O], fn func(ctx context.Context, in I) (O, error)) *Stubbed[I, O] {
	env.Helper()
	s := &Stubbed[I, O]{env: env, name: activity.Name()}
	env.Handle(activity.Handle(func(ctx context.Context, in I) (out O, err error) {
		call := Call[I, O]{In: in, Began: time.Now()}
		call.Info, _ = core.InfoFrom(ctx)
		env.began(call.Info)
		defer func() {
			call.Out, call.Err, call.Ended = out, err, time.Now()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, call)
		}()
		if fn == nil {
			return out, nil
		}
		return fn(ctx, in)
	}))
	return s
}

// Calls are the attempts so far that have ended, in the order of their ends.
func (s *Stubbed[I, O]) Calls() []Call[I, O] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Inputs are the inputs of the calls so far.
func (s *Stubbed[I, O]) Inputs() []I {
	var all []I
	for _, c := range s.Calls() {
		all = append(all, c.In)
	}
	return all
}

// Called fails the test unless there were n calls.
func (s *Stubbed[I, O]) Called(n int) {
	s.env.Helper()
	if got := len(s.Calls()); got != n {
		s.env.Errorf("activity %s was called %d times, want %d; inputs: %v", s.name, got, n, s.Inputs())
	}
}
