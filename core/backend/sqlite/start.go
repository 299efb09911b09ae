package sqlite

import "github.com/stentgo/stent/core/backend"

func (t *tx) start(c *backend.Start) error {
	c.Existed, c.Err = false, nil
	n, begun, err := t.insert(t.q.start, startArgs(nil, c, t.now)...)
	if err != nil {
		return err
	}
	if begun == 0 {
		return t.startExisting(c)
	}
	t.tally("", backend.Pending)
	_, err = t.exec(t.q.startInput, inputArgs(nil, n, c)...)
	return err
}

// startArgs appends the arguments of start.sql.
func startArgs(args []any, c *backend.Start, now int64) []any {
	var created, deadline any = now, nil
	due := created
	switch {
	case !c.At.IsZero():
		due = c.At.UnixMicro()
	case c.Delay > 0:
		due = now + c.Delay.Microseconds()
	}
	if c.MaxDuration > 0 {
		deadline = now + c.MaxDuration.Microseconds()
	}
	return append(args, c.ID, c.Workflow, c.Queue, c.Priority, list(c.Tags), due, c.InputHash, created, deadline)
}

// inputArgs appends the arguments of start_input.sql.
func inputArgs(args []any, n int64, c *backend.Start) []any {
	return append(args, n, c.Policy, dict(c.Metadata), dict(c.Carrier), c.Input)
}

func (t *tx) startExisting(c *backend.Start) error {
	_, err := t.one(t.ctx, t.q.startExisting, func(r *row) {
		c.Existed = r.text() == c.Workflow && r.int() == c.InputHash
	}, c.ID)
	if err == nil && !c.Existed {
		c.Err = backend.ErrAlreadyExists
	}
	return err
}

func (t *tx) signalled(c *backend.Signalled) error {
	c.Err = nil
	n, state, err := t.find(c.Execution)
	if err != nil {
		return err
	}
	if n == 0 {
		c.Err = backend.ErrNotFound
		return nil
	}
	if state.Final() {
		known, err := t.one(t.ctx, t.q.signalKnown, func(*row) {}, n, c.ID)
		if err == nil && !known {
			c.Err = backend.ErrFinished
		}
		return err
	}
	delivered, err := t.exec(t.q.signal, n, c.ID, c.Name, c.Payload, t.now)
	if err != nil || delivered == 0 {
		return err
	}
	return t.wake(n)
}

// wake tells an execution's orchestrator that something happened.
func (t *tx) wake(n int64) error {
	_, err := t.exec(t.q.wake, n, t.now)
	return err
}
