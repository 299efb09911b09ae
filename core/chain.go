package core

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// chain is the middleware of an engine, the first outermost, or what is left of it for an execution.
type chain struct {
	all []Middleware
	log *slog.Logger
}

func (c *chain) any() bool { return len(c.all) > 0 }

// around does something within all middleware, at most once.
func (c *chain) around(ctx context.Context, x crossing) error {
	return (&passage{chain: c, crossing: x}).through(ctx)
}

// always is around for what must be done whatever the middleware does: it is done exactly once.
func (c *chain) always(ctx context.Context, x crossing) error {
	return (&passage{chain: c, crossing: x, always: true}).through(ctx)
}

// passage is the way of a crossing through a chain, from one middleware on.
type passage struct {
	*chain
	crossing crossing
	always   bool
	at       int // which middleware is next

	once  sync.Once
	begun atomic.Bool // what is behind that middleware
	err   error
}

// through passes the middleware that is next, and all behind it.
func (p *passage) through(ctx context.Context) error {
	if p.at == len(p.all) {
		return p.crossing.arrive(ctx)
	}
	next := func(within context.Context) error {
		if within == nil {
			within = ctx
		}
		return p.goOn(within)
	}
	panicked, err := p.guarded(ctx, p.all[p.at], next)
	switch {
	case panicked || p.always && !p.begun.Load():
		return p.goOn(ctx)
	case p.begun.Load():
		_ = p.goOn(ctx) // waits, should the middleware have left it behind on another goroutine
	case err == nil:
		return fmt.Errorf("middleware %T returned without having called next", p.all[p.at])
	}
	return err
}

// goOn does what is behind the middleware, the first time.
func (p *passage) goOn(ctx context.Context) error {
	p.once.Do(func() {
		p.begun.Store(true)
		if p.at == len(p.all)-1 {
			p.err = p.crossing.arrive(ctx)
		} else {
			p.err = (&passage{chain: p.chain, crossing: p.crossing, always: p.always, at: p.at + 1}).through(ctx)
		}
	})
	return p.err
}

// guarded calls one middleware, whose panic is logged and harms nobody.
func (p *passage) guarded(ctx context.Context, m Middleware, next Next) (panicked bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			p.panicked(ctx, m, v)
		}
	}()
	return false, p.crossing.call(ctx, m, next)
}

func (c *chain) panicked(ctx context.Context, m Middleware, v any) {
	c.log.ErrorContext(ctx, "a middleware panicked and is passed over",
		"middleware", fmt.Sprintf("%T", m), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}
