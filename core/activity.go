package core

import (
	"context"
	"fmt"
	"reflect"

	"github.com/stentgo/stent/core/backend"
)

// Activity describes a step that does something in the world: its name, its types and its options. A caller needs only
// the descriptor; the function is bound to it with [Activity.Handle] in the program that runs it.
type Activity[I, O any] struct{ callee }

// callee is what descriptors of workflows and activities have in common.
type callee struct {
	name     string
	settings settings
}

// Name is the name under which the activity or workflow is stored.
func (c *callee) Name() string { return c.name }

// NewActivity describes an activity. The name is stored with every task, so it outlives a rename of the function; it
// appears as the step in metrics, logs, spans and the console. A bad name or option is reported by Register and by
// every use.
func NewActivity[I, O any](name string, opts ...ActivityOption) *Activity[I, O] {
	a := &Activity[I, O]{callee{name: name}}
	for _, opt := range opts {
		opt.toActivity(&a.settings)
	}
	if err := checkName("activity", name); err != nil {
		a.settings.fail(err)
	}
	if of := a.settings.sharing.keyOf; a.settings.sharing.keyFunc != nil && of != reflect.TypeFor[I]() {
		a.settings.fail(fmt.Errorf("cache key: the function takes %s, the activity %s", of, reflect.TypeFor[I]()))
	}
	return a
}

// Handle binds the activity to the function that does it, for [Engine.Register].
//
// The function's context is cancelled when the worker loses its lease ([ErrLeaseLost]), when its execution has ended
// ([ErrExecutionEnded]), when the worker must stop ([ErrShutdown]) and when an attempt takes longer than
// [StartToClose]; [context.Cause] tells which. [InfoFrom] tells it which task it works on.
func (a *Activity[I, O]) Handle(fn func(ctx context.Context, in I) (O, error)) Handler {
	return Handler{
		kind:   backend.Activity,
		callee: &a.callee,
		activity: func(ctx context.Context, p payloads, input []byte) ([]byte, error) {
			var in I
			if err := p.decode("input of activity ", a.name, input, &in); err != nil {
				return nil, err
			}
			out, err := fn(ctx, in)
			if err != nil {
				return nil, err
			}
			data, err := p.encode("result of activity ", a.name, out)
			return data, err
		},
	}
}

// Call runs the activity and waits for its result. The error is an [*ActivityError] when the activity has failed for
// good.
func (a *Activity[I, O]) Call(flow *Flow, in I, opts ...CallOption) (O, error) {
	return a.Go(flow, in, opts...).Get(flow)
}

// Go starts the activity and returns at once; the result is got from the future. Activities that are started before
// the workflow waits are written together.
func (a *Activity[I, O]) Go(flow *Flow, in I, opts ...CallOption) *Future[O] {
	return &Future[O]{step: flow.callActivity(&a.callee, in, opts)}
}

// Map calls the activity for each item and returns the results in the order of the items. At most [Parallel] calls are
// under way at once. After a failure no further calls are made; those under way are waited for, and the error is that
// of the first item that failed.
func (a *Activity[I, O]) Map(flow *Flow, items []I, opts ...CallOption) ([]O, error) {
	s := a.settings
	for _, opt := range opts {
		opt.toCall(&s)
	}
	return mapCalls(flow, a.name, items, s.parallel, func(in I) *Future[O] { return a.Go(flow, in, opts...) })
}
