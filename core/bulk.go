package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// BulkReport is what an operation on many dead letters has done, also where it ended early.
type BulkReport struct {
	Matched  int            // dead letters that fit the filter, as far as it came
	Done     int            // replayed or discarded
	Skipped  int            // somebody else was faster, or the execution goes on without the task
	Canaries []CanaryResult // how the first ones ended; see the option Canary
}

// CanaryResult is a task that was replayed to see whether others would end well.
type CanaryResult struct {
	Task    backend.TaskID
	Step    string
	State   backend.State    // completed is well
	Failure *backend.Failure // of one that failed again
}

// BulkProgress is one step of an operation on many dead letters.
type BulkProgress struct {
	BulkReport
	Letter backend.DeadLetter
	Err    error // why it was skipped
}

// CanaryError says that canaries did not end well, so that the other dead letters were left where they are.
type CanaryError struct {
	Canaries []CanaryResult // those that did not
	Of       int
	Timeout  time.Duration // not 0 if some had not ended after that time
}

func (e *CanaryError) Error() string {
	var list []string
	for _, c := range e.Canaries {
		s := fmt.Sprintf("%s (%s) is %s", c.Task, c.Step, c.State)
		if c.Failure != nil {
			s += ": " + oneLine(c.Failure.Message, 200)
		}
		list = append(list, s)
	}
	after := ""
	if e.Timeout > 0 {
		after = fmt.Sprintf(" within %v", e.Timeout)
	}
	return fmt.Sprintf("%d of %d canaries did not end well%s, the others were left: %s", len(e.Canaries), e.Of, after, strings.Join(list, "; "))
}

// ReplayAll replays the dead letters that fit a filter and are there now, newest first, each in a transaction of its own,
// with an entry of its own in the audit. What fails again meanwhile is not replayed a second time.
//
// With [Canary] the first ones go alone; if not all of them complete, the error is a [*CanaryError]. The report is right
// whatever the error is: when ctx ends, the replay under way is finished before ReplayAll returns.
func (e *Engine) ReplayAll(ctx context.Context, f DeadLetterFilter, opts ...BulkReplayOption) (BulkReport, error) {
	s := operation{canaryWithin: 10 * time.Minute}
	for _, opt := range opts {
		opt.toBulkReplay(&s)
	}
	b := &bulk{e: e, operation: s, do: func(ctx context.Context, l *backend.DeadLetter) error { return e.replay(ctx, l, s) }}
	if err := b.run(ctx, f); err != nil {
		return b.report, fmt.Errorf("replay all: %w", err)
	}
	return b.report, nil
}

// DiscardAll is [Engine.Discard] for all dead letters that fit a filter and are there now, as ReplayAll is for Replay.
func (e *Engine) DiscardAll(ctx context.Context, f DeadLetterFilter, opts ...BulkOption) (BulkReport, error) {
	var s operation
	for _, opt := range opts {
		opt.toBulk(&s)
	}
	b := &bulk{e: e, operation: s, do: func(ctx context.Context, l *backend.DeadLetter) error { return e.discard(ctx, l, s.actor) }}
	if err := b.run(ctx, f); err != nil {
		return b.report, fmt.Errorf("discard all: %w", err)
	}
	return b.report, nil
}

// bulk is an operation on many dead letters under way.
type bulk struct {
	operation
	e      *Engine
	do     func(ctx context.Context, l *backend.DeadLetter) error
	begun  time.Time
	report BulkReport
	flying []backend.DeadLetter // canaries that were replayed
}

// actTimeout is how long one replay or discard may take that its context no longer ends.
const actTimeout = 30 * time.Second

func (b *bulk) run(ctx context.Context, f DeadLetterFilter) error {
	if b.err != nil {
		return b.err
	}
	b.begun = b.e.clock.Now()
	err := b.e.eachDeadLetter(ctx, f, func(l backend.DeadLetter) (bool, error) {
		b.report.Matched++
		if err := b.one(ctx, l); err != nil {
			return false, err
		}
		if b.canary > 0 && len(b.flying) == b.canary && len(b.report.Canaries) == 0 {
			if err := b.watch(ctx); err != nil {
				return false, err
			}
		}
		return f.Limit == 0 || b.report.Matched < f.Limit, nil
	})
	if err == nil && len(b.flying) > 0 && len(b.report.Canaries) == 0 { // fewer than canaries were wanted
		err = b.watch(ctx)
	}
	return err
}

func (b *bulk) one(ctx context.Context, l backend.DeadLetter) (err error) {
	if !b.dryRun {
		if err := b.pace(ctx); err != nil {
			return err
		}
		err = b.act(ctx, &l)
	}
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrNotReplayable):
		b.report.Skipped++
	case err != nil:
		return err
	case !b.dryRun:
		b.report.Done++
		if len(b.flying) < b.canary {
			b.flying = append(b.flying, l)
		}
	}
	if b.progress != nil {
		b.progress(BulkProgress{b.report, l, err})
	}
	return nil
}

// act finishes what it has begun, so that it is known what was done.
func (b *bulk) act(ctx context.Context, l *backend.DeadLetter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	return b.do(ctx, l)
}

// pace waits until the rate allows one more.
func (b *bulk) pace(ctx context.Context) error {
	if err := ctx.Err(); err != nil || b.rate == 0 {
		return err
	}
	next := b.begun.Add(time.Duration(float64(b.report.Done+b.report.Skipped) / b.rate * float64(time.Second)))
	return b.e.sleep(ctx, next.Sub(b.e.clock.Now()))
}

// watch waits until all canaries have ended.
func (b *bulk) watch(ctx context.Context) error {
	var (
		began = b.e.clock.Now()
		ends  = make([]CanaryResult, len(b.flying))
	)
	for pause := waitFirst; ; pause = min(2*pause, waitPoll) {
		open := 0
		for i := range b.flying {
			if ends[i].State.Final() {
				continue
			}
			end, err := b.e.look(ctx, &b.flying[i])
			if err != nil {
				return err
			}
			if ends[i] = end; !end.State.Final() {
				open++
			}
		}
		late := b.e.clock.Now().Sub(began) >= b.canaryWithin
		if open == 0 || late {
			b.report.Canaries = ends
			return b.judge(ends, open)
		}
		if err := b.e.sleep(ctx, pause); err != nil {
			b.report.Canaries = ends
			return err
		}
	}
}

func (b *bulk) judge(ends []CanaryResult, open int) error {
	bad := &CanaryError{Of: len(ends)}
	for _, end := range ends {
		if end.State != backend.Completed {
			bad.Canaries = append(bad.Canaries, end)
		}
	}
	if open > 0 {
		bad.Timeout = b.canaryWithin
	}
	if len(bad.Canaries) > 0 {
		return bad
	}
	return nil
}

// look reads how a task stands that was a dead letter. One that is no longer there counts as cancelled: nobody knows how it
// ended.
func (e *Engine) look(ctx context.Context, l *backend.DeadLetter) (CanaryResult, error) {
	c := CanaryResult{Task: l.Task, Step: l.Step, State: backend.Cancelled}
	if l.Task.IsRoot() {
		x, err := e.db.Execution(ctx, l.Task.Execution)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return c, err
		}
		if err == nil {
			c.State, c.Failure = x.State, x.Failure
		}
		return c, nil
	}
	before := backend.TaskID{Execution: l.Task.Execution, Seq: l.Task.Seq - 1}
	tasks, err := e.db.Tasks(ctx, backend.TaskFilter{Execution: l.Task.Execution, After: before, Limit: 1})
	if err != nil {
		return c, err
	}
	if len(tasks) == 1 && tasks[0].ID == l.Task {
		c.State, c.Failure = tasks[0].State, tasks[0].Failure
	}
	return c, nil
}

// sleep waits for d, or until the context ends, which is the error.
func (e *Engine) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	over := make(chan struct{})
	defer e.clock.AfterFunc(d, func() { close(over) }).Stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
