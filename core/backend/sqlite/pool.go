package sqlite

import (
	"context"
	"errors"
)

// pool lends out connections, each to one user at a time, and opens them when they are first wanted.
type pool struct {
	idle    chan *conn // nil stands for one that is not open
	open    func(ctx context.Context) (*conn, error)
	closing <-chan struct{}
}

func newPool(size int, closing <-chan struct{}, open func(ctx context.Context) (*conn, error)) *pool {
	p := &pool{idle: make(chan *conn, size), open: open, closing: closing}
	for range size {
		p.idle <- nil
	}
	return p
}

// use runs fn with a connection of its own. One that broke is opened anew the next time.
func (p *pool) use(ctx context.Context, fn func(c *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-p.closing:
		return errClosed
	default:
	}
	select {
	case c := <-p.idle:
		return p.lend(ctx, c, fn)
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closing:
		return errClosed
	}
}

func (p *pool) lend(ctx context.Context, c *conn, fn func(c *conn) error) (err error) {
	defer func() {
		if c != nil && breaksConnection(err) {
			c.close()
			c = nil
		}
		p.idle <- c
	}()
	if c == nil {
		if c, err = p.open(ctx); err != nil {
			c = nil
			return err
		}
	}
	return fn(c)
}

// close waits until all connections have come back.
func (p *pool) close() error {
	var errs []error
	for range cap(p.idle) {
		if c := <-p.idle; c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}
