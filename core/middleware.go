package core

import (
	"context"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Next does what a [Middleware] stands around, with the context that it is given, and returns when that is done. It does
// it once: a second call returns what the first did.
type Next = func(ctx context.Context) error

// Middleware stands around what an engine does. It can add to the context, measure, refuse, and keep values with an
// execution. [WithMiddleware] installs it; embed [NopMiddleware], so that a new method breaks nobody.
//
// Each method but Ended calls next once, with a context made from its own, and returns next's error or another. Methods
// are called concurrently, on the goroutine that does the work: one that is slow makes that work slow and nothing else. A
// method that panics is logged, and the work is done as if it were not there. One that has nothing to do in many
// executions is [Selective] besides.
type Middleware interface {
	// Start stands around the writing of new executions: one where [Workflow.Start] or [Workflow.StartTx] is called, all
	// of a [Workflow.StartMany]. An error before next is called refuses them. A child that a workflow calls is written with
	// its parent's turn, after this, and cannot be refused.
	Start(ctx context.Context, starts []*StartInfo, next Next) error

	// Execute stands around the user's code of a task.
	//
	// Of an activity that is one attempt. What Execute returns is the attempt's error, which its policy retries or not: so
	// it can refuse an attempt, fail one, or change its error, but not make a success of a failure.
	//
	// Of a workflow that is one turn: from where it has something new to do until it waits, is put aside, or ends. It is
	// called in the middle of the workflow's function where that has run through its history, and not at all where there
	// is nothing else in it. So nothing that a workflow repeats is seen here, and no call lasts as long as a workflow waits.
	// The context goes to [Flow.Context], up to the next turn. next returns the workflow's error if it ended with one. A
	// turn cannot be refused, and what Execute returns is ignored.
	Execute(ctx context.Context, task *ExecuteInfo, next Next) error

	// Signal stands around the sending of a signal. An error before next is called refuses it.
	Signal(ctx context.Context, signal *SignalInfo, next Next) error

	// Replay stands around putting a dead letter back to work. An error before next is called refuses it.
	Replay(ctx context.Context, letter *ReplayInfo, next Next) error

	// Ended is told that an execution has ended, after that was committed, by the process that did it: once, except
	// where that process dies at that moment or cannot tell whether the commit went through.
	Ended(ctx context.Context, end *EndInfo)
}

// StartInfo is an execution that is being started.
type StartInfo struct {
	ExecutionID string
	Workflow    string
	Queue       string
	Parent      string // the execution that starts it as a child; "" for any other

	// Carrier is kept with the execution, and comes back in ExecuteInfo and EndInfo, in whatever process: write into it
	// before next is called. It is never nil. A child's begins as a copy of its parent's.
	Carrier map[string]string

	// Existed and Err are set when next has returned: that the execution was there already, with the carrier that it had,
	// and why it was refused. next returns the error of a single start, and of several only what befell them all.
	Existed bool
	Err     error

	// Withdrawn is set when next has returned with an error, for a schedule's tick that another worker has made meanwhile:
	// nothing was started here, and there is nothing to tell.
	Withdrawn bool
}

// ExecuteInfo is an attempt at an activity, or a turn of a workflow.
type ExecuteInfo struct {
	TaskInfo
	// Token is the task's fencing token. No two attempts at a task have the same, also where the worker of one crashed;
	// turns of a workflow share it until the execution leaves the worker's memory.
	Token   int64
	Crashes int               // workers that died of the task
	Carrier map[string]string // the execution's; not to be changed
}

// SignalInfo is a signal that is being sent.
type SignalInfo struct {
	ExecutionID string
	Name        string
}

// ReplayInfo is a dead letter that is being put back to work.
type ReplayInfo struct {
	Letter backend.DeadLetter
	Queue  string // where it goes
	Actor  string // who asked for it; "" where nobody said
}

// EndInfo is an execution that has ended.
type EndInfo struct {
	TaskInfo                  // of its orchestrator; WorkerID is who held it last, "" where nobody did
	State    backend.State    // a final one
	Failure  *backend.Failure // nil where it completed
	Created  time.Time        // by the database's clock
	Started  time.Time        // the first claim, by the database's clock; zero if there was none
	Carrier  map[string]string
	Reopened bool // it had ended before, and the replay of a dead letter reopened it
}

// NopMiddleware does nothing but call next.
type NopMiddleware struct{}

var _ Middleware = NopMiddleware{}

// Start calls next.
func (NopMiddleware) Start(ctx context.Context, _ []*StartInfo, next Next) error { return next(ctx) }

// Execute calls next.
func (NopMiddleware) Execute(ctx context.Context, _ *ExecuteInfo, next Next) error { return next(ctx) }

// Signal calls next.
func (NopMiddleware) Signal(ctx context.Context, _ *SignalInfo, next Next) error { return next(ctx) }

// Replay calls next.
func (NopMiddleware) Replay(ctx context.Context, _ *ReplayInfo, next Next) error { return next(ctx) }

// Ended does nothing.
func (NopMiddleware) Ended(context.Context, *EndInfo) {}

// WithMiddleware puts middleware around what the engine does; the first is outermost. Given more than once, it adds up.
// Without any, nothing is spent on it.
func WithMiddleware(ms ...Middleware) Option {
	return func(e *Engine) error {
		for i, m := range ms {
			if m == nil {
				return fmt.Errorf("WithMiddleware: number %d is nil", i+1)
			}
		}
		e.middleware.all = append(e.middleware.all, ms...)
		return nil
	}
}
