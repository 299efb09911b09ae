package sqlite

import (
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

func (t *tx) start(c *backend.Start) error {
	c.Claimed, c.Existed, c.Err = time.Time{}, false, nil
	n, begun, err := t.insert(t.q.start, startArgs(nil, c, t.now)...)
	if err != nil {
		return err
	}
	if begun == 0 {
		return t.startExisting(c)
	}
	t.tally("", backend.Pending)
	t.started(n, c)
	_, err = t.exec(t.q.startInput, inputArgs(nil, n, c)...)
	return err
}

// started notes an execution that the worker is to claim with its start.
func (t *tx) started(n int64, c *backend.Start) {
	if c.Claim && t.alive {
		t.toClaim = append(t.toClaim, begun{n, c})
	}
}

// begun is an execution with the start that began it.
type begun struct {
	n     int64
	start *backend.Start
}

// claimStarted claims what is to be claimed with its start, but for what is in paused queues.
func (t *tx) claimStarted() error {
	if len(t.toClaim) == 0 {
		return nil
	}
	open := t.toClaim
	err := t.each(t.ctx, t.q.claimPaused, func(r *row) error {
		paused := r.text()
		open = slices.DeleteFunc(open, func(b begun) bool { return b.start.Queue == paused })
		return nil
	})
	if err != nil || len(open) == 0 {
		return err
	}
	numbers := make([]int64, len(open))
	for i, b := range open {
		numbers[i], b.start.Claimed = b.n, t.time
	}
	t.tallyMany(backend.Pending, -int64(len(open)))
	t.tallyMany(backend.Running, int64(len(open)))
	_, err = t.exec(t.q.claimExecutions, keyList(numbers), t.workerArg, t.now)
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
