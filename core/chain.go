package core

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// chain is the middleware of an engine, the first outermost.
type chain struct {
	all []Middleware
	log *slog.Logger
}

func (c *chain) any() bool { return len(c.all) > 0 }

// around calls all middleware, and innermost last, at most once.
func (c *chain) around(ctx context.Context, call callMiddleware, last Next) error {
	return (&passage{c, call, last, false}).through(ctx, 0)
}

// always is around for what must be done whatever the middleware does: last is called exactly once.
func (c *chain) always(ctx context.Context, call callMiddleware, last Next) error {
	return (&passage{c, call, last, true}).through(ctx, 0)
}

// callMiddleware calls the method of m that is meant.
type callMiddleware = func(ctx context.Context, m Middleware, next Next) error

// passage is one way through a chain.
type passage struct {
	*chain
	call   callMiddleware
	last   Next
	always bool
}

// through passes the middleware from number i on.
func (p *passage) through(ctx context.Context, i int) error {
	if i == len(p.all) {
		return p.last(ctx)
	}
	var (
		once  sync.Once
		begun atomic.Bool
		inner error
	)
	next := func(within context.Context) error {
		if within == nil {
			within = ctx
		}
		once.Do(func() {
			begun.Store(true)
			inner = p.through(within, i+1)
		})
		return inner
	}
	panicked, err := p.guarded(ctx, p.all[i], next)
	switch {
	case panicked || p.always && !begun.Load():
		return next(ctx)
	case begun.Load():
		_ = next(ctx) // waits, should the middleware have left it behind on another goroutine
	case err == nil:
		return fmt.Errorf("middleware %T returned without having called next", p.all[i])
	}
	return err
}

// guarded calls one middleware, whose panic is logged and harms nobody.
func (p *passage) guarded(ctx context.Context, m Middleware, next Next) (panicked bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			p.log.ErrorContext(ctx, "a middleware panicked and is passed over",
				"middleware", fmt.Sprintf("%T", m), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	return false, p.call(ctx, m, next)
}
