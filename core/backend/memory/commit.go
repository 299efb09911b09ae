package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Commit applies a batch.
func (db *DB) Commit(ctx context.Context, b *backend.Batch) error {
	return db.do(ctx, func(t *tx) error {
		if err := check(b); err != nil {
			return err
		}
		b.Now, t.worker, t.alive = t.now, b.Worker, t.mayWrite(b.Worker)
		for _, c := range b.Commands {
			if _, claim := c.(*backend.Claim); !claim {
				t.command(c)
			}
		}
		for _, c := range b.Commands {
			if c, claim := c.(*backend.Claim); claim {
				t.claimDue(c)
			}
		}
		if changes(b) {
			t.wrote(b.Worker)
		}
		return nil
	}, "commit %d commands", len(b.Commands))
}

// check finds what is wrong with a batch as a whole, before anything is applied.
func check(b *backend.Batch) error {
	for _, c := range b.Commands {
		switch c := c.(type) {
		case *backend.Start, *backend.Signalled, *backend.Complete, *backend.Retry, *backend.Bury, *backend.Release, *backend.Beat,
			*backend.Cancel, *backend.Trim, *backend.Claim:
		case *backend.Turn:
			for _, a := range c.Added {
				if a.Seq < 1 {
					return fmt.Errorf("%s: place %d of a history is not 1 or more", c.Execution, a.Seq)
				}
			}
		default:
			return fmt.Errorf("unknown command %T", c)
		}
	}
	return nil
}

// changes tells whether there may be something to be told of: a claim that took nothing is no news.
func changes(b *backend.Batch) bool {
	return slices.ContainsFunc(b.Commands, func(c backend.Command) bool {
		claim, ok := c.(*backend.Claim)
		return !ok || len(claim.Tasks) > 0
	})
}

func (t *tx) mayWrite(id string) bool {
	w := t.findWorker(id)
	return w != nil && w.ended.IsZero()
}

func (t *tx) command(c backend.Command) {
	switch c := c.(type) {
	case *backend.Start:
		t.start(c)
	case *backend.Signalled:
		t.signalled(c)
	case *backend.Trim:
		c.Left = t.trim(t.find(c.Execution))
	case *backend.Cancel:
		c.Ended = false
		c.State, c.Err = t.cancel(c)
	case *backend.Turn:
		c.Err = t.turn(c)
	case *backend.Complete:
		c.Err = t.leased(func() bool { return t.completeAndWake(c) })
	case *backend.Retry:
		c.Err = t.leased(func() bool { return t.retry(c) })
	case *backend.Bury:
		c.Err = t.leased(func() bool { return t.buryAndWake(c) })
	case *backend.Release:
		c.Err = t.leased(func() bool { return t.release(c) })
	case *backend.Beat:
		c.Err = t.leased(func() bool { return t.beat(c) })
	}
}

// leased runs a command that stands on the worker's lease. fn tells whether the command was applied, now or before.
func (t *tx) leased(fn func() bool) error {
	if !t.alive || !fn() {
		return backend.ErrLeaseLost
	}
	return nil
}

func (t *tx) start(c *backend.Start) {
	c.Claimed, c.Existed, c.Err = time.Time{}, false, nil
	if e := t.find(c.ID); e != nil {
		if c.Existed = e.Workflow == c.Workflow && e.InputHash == c.InputHash; !c.Existed {
			c.Err = backend.ErrAlreadyExists
		}
		return
	}
	e := t.begin(c, nil)
	if c.Claim && t.alive && !t.pausedNow(c.Queue) {
		c.Claimed = t.take(&e.claimable).Started
	}
}

// begin makes an execution that is not there; parent is the call that it is of, if any.
func (t *tx) begin(c *backend.Start, parent *backend.TaskID) *execution {
	e := &execution{
		Execution: backend.Execution{
			ID: c.ID, Workflow: c.Workflow, Queue: c.Queue, Priority: c.Priority, Tags: slices.Clone(c.Tags),
			State: backend.Pending, TaskState: backend.Pending, Attempt: 1, Policy: payload(c.Policy), Input: payload(c.Input),
			InputHash: c.InputHash, Created: t.now, Metadata: maps.Clone(c.Metadata), Carrier: maps.Clone(c.Carrier),
			Parent: parent, Run: 1,
		},
		reopenedToken: -1, counters: map[string]float64{}, custom: map[string]json.RawMessage{},
	}
	e.claimable = claimable{execution: e, serial: t.next()}
	if c.MaxDuration > 0 {
		e.lasts, e.Deadline = c.MaxDuration, t.in(c.MaxDuration)
	}
	due := t.in(c.Delay)
	if !c.At.IsZero() {
		due = c.At.UTC()
	}
	t.executions[c.ID], t.live[e] = e, true
	t.order = append(t.order, e)
	t.setDue(&e.claimable, due)
	return e
}

func (t *tx) signalled(c *backend.Signalled) {
	c.Err = nil
	e := t.find(c.Execution)
	switch {
	case e == nil:
		c.Err = backend.ErrNotFound
	case slices.ContainsFunc(e.signals, func(s *signal) bool { return s.ID == c.ID }):
	case e.State.Final():
		c.Err = backend.ErrFinished
	default:
		e.signals = append(e.signals, &signal{Signal: backend.Signal{
			Seq: t.next(), ID: c.ID, Name: c.Name, Payload: payload(c.Payload), Sent: t.now,
		}})
		t.wake(e)
	}
}

// wake tells an execution's orchestrator that something happened: one that waits is due, the holder of one that runs is
// to be told.
func (t *tx) wake(e *execution) {
	switch e.TaskState {
	case backend.Waiting:
		if e.at.IsZero() || e.at.After(t.now) {
			t.setDue(&e.claimable, t.now)
		}
	case backend.Running:
		e.woken = true
		e.Wakes++
	}
}
