package memory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// cleanStretch is how many executions one Clean looks at.
const cleanStretch = 1000

// Clean looks at the next executions, oldest first, and deletes those that are over.
func (db *DB) Clean(ctx context.Context, c backend.Cleanup) (cleaned backend.Cleaned, err error) {
	cleaned.Executions = map[backend.State]int{}
	after := int64(-1)
	if c.From != "" {
		if after, err = strconv.ParseInt(c.From, 10, 64); err != nil {
			return cleaned, fmt.Errorf("memory: clean: the place to go on from: %q is none of this database", c.From)
		}
	}
	err = db.do(ctx, func(t *tx) error {
		looked, deleted, last := 0, 0, int64(-1)
		for _, e := range slices.Clone(t.order) {
			if e.serial <= after {
				continue
			}
			if looked == cleanStretch || deleted == limit(c.Most, 500) {
				cleaned.Next = strconv.FormatInt(last, 10)
				break
			}
			looked, last = looked+1, e.serial
			keep, ok := c.Keep[e.State]
			if !ok || !e.State.Final() || !e.Finished.Before(t.now.Add(-keep)) {
				continue
			}
			deleted++
			cleaned.Executions[e.State]++
			cleaned.Tasks += len(slices.DeleteFunc(slices.Clone(e.tasks), func(s *task) bool { return s == nil }))
			if !c.DryRun {
				t.deleteExecution(e)
			}
		}
		return nil
	}, "clean")
	return cleaned, err
}

func (t *tx) deleteExecution(e *execution) {
	delete(t.executions, e.ID)
	t.order = slices.DeleteFunc(t.order, func(o *execution) bool { return o == e })
	for id := range t.used {
		if id.Execution == e.ID {
			delete(t.used, id)
		}
	}
	for id := range t.attempts {
		if id.Execution == e.ID {
			t.forgetAttempts(id)
		}
	}
}

// forgetAttempts deletes the failed attempts of a task, but those of a dead letter.
func (t *tx) forgetAttempts(id backend.TaskID) {
	if _, err := t.letter(id); err != nil {
		delete(t.attempts, id)
	}
}

// chore is a piece of housekeeping.
type chore struct {
	worker string
	due    time.Time
}

// TakeChore makes a piece of housekeeping the worker's.
func (db *DB) TakeChore(ctx context.Context, name, by string) (taken bool, err error) {
	err = db.do(ctx, func(t *tx) error {
		c, ok := t.chores[name]
		if taken = !ok || c.worker == "" && !c.due.After(t.now) || c.worker != "" && (c.worker == by || !t.registered(c.worker)); taken {
			t.chores[name] = chore{by, c.due}
		}
		return nil
	}, "take the chore %s", name)
	return taken, err
}

// EndChore gives it up.
func (db *DB) EndChore(ctx context.Context, name, by string, again time.Duration) error {
	return db.do(ctx, func(t *tx) error {
		if t.chores[name].worker == by {
			t.chores[name] = chore{due: t.in(again)}
		}
		return nil
	}, "end the chore %s", name)
}
