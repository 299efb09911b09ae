package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stentgo/stent/core"
)

// Source is what is to be imported.
type Source struct{ Rows int }

var (
	CopyRows = core.NewActivity[Source, int]("copy_rows",
		core.HeartbeatTimeout(30*time.Second), core.StartToClose(time.Hour), core.ScheduleToStart(10*time.Minute))
	TakeAway = core.NewActivity[Source, int]("take_away")
	Import   = core.NewWorkflow[Source, int]("import", core.MaxDuration(24*time.Hour))
)

// importRows copies everything, or leaves nothing behind.
func importRows(flow *core.Flow, s Source) (int, error) {
	n, err := CopyRows.Call(flow, s)
	if err != nil {
		if _, undo := TakeAway.Call(flow, s); undo != nil {
			return 0, errors.Join(err, undo)
		}
		return 0, err
	}
	return n, nil
}

// table is where rows are copied to.
type table struct {
	pace time.Duration

	mu   sync.Mutex
	rows map[int]bool
}

func (t *table) handlers() []core.Handler {
	return []core.Handler{Import.Handle(importRows), CopyRows.Handle(t.copyRows), TakeAway.Handle(t.takeAway)}
}

// copyRows goes on where the attempt before it was.
func (t *table) copyRows(ctx context.Context, s Source) (int, error) {
	var next int
	if _, err := core.HeartbeatDetail(ctx, &next); err != nil {
		return 0, err
	}
	for ; next < s.Rows; next++ {
		t.put(next)
		if err := core.Heartbeat(ctx, next+1); err != nil {
			return 0, err // it is to stop, and why
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(t.pace):
		}
	}
	return next, nil
}

func (t *table) takeAway(context.Context, Source) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.rows)
	t.rows = nil
	return n, nil
}

func (t *table) put(row int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[int]bool{}
	}
	t.rows[row] = true
}

func (t *table) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rows)
}

// stopImport is what the button does.
func stopImport(ctx context.Context, engine *core.Engine, id string) error {
	return engine.Cancel(ctx, id, core.By("ada"), core.Because("the wrong file"))
}

// ending tells in a sentence how an import ended.
func ending(rows int, err error) string {
	var late *core.TimeoutError
	switch {
	case err == nil:
		return fmt.Sprintf("Imported %d rows.", rows)
	case errors.Is(err, core.ErrCancelled):
		return "The import was cancelled."
	case errors.As(err, &late):
		return fmt.Sprintf("The import took too long: %s after %v.", late.Kind, late.Limit)
	default:
		return "The import failed: " + err.Error()
	}
}
