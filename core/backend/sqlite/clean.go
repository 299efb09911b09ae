package sqlite

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/stentgo/stent/core/backend"
)

const (
	cleanStretch = 10_000 // executions that one Clean looks at
	cleanTasks   = 5_000  // entries of histories that it deletes, more or less
	cleanMost    = 500    // executions that it deletes, if nothing else is said
)

// Clean looks at the next stretch of executions, in the order of their creation, and deletes those that are over. What to
// delete is looked for without the write lock, and looked at again with it.
func (db *DB) Clean(ctx context.Context, c backend.Cleanup) (cleaned backend.Cleaned, err error) {
	s := stretch{cuts: cuts(c.Keep, db.now()), most: limit(c.Most, cleanMost), after: -1}
	if c.From != "" {
		if s.after, err = strconv.ParseInt(c.From, 10, 64); err != nil {
			return cleaned, db.wrap(fmt.Errorf("the place to go on from: %q is none of this database", c.From), "clean")
		}
	}
	if err = db.read(ctx, func(conn *conn) error { return s.look(ctx, conn, db.q) }); err != nil {
		return cleaned, db.wrap(err, "look for executions to delete")
	}
	cleaned.Executions = map[backend.State]int{}
	if c.DryRun {
		for _, f := range s.found {
			cleaned.Executions[f.state]++
			cleaned.Tasks += f.tasks
		}
	} else if len(s.found) > 0 {
		err = db.write(ctx, func(t *tx) error {
			cleaned.Executions, cleaned.Tasks = map[backend.State]int{}, 0
			return t.clean(s.keys(), s.cuts, &cleaned)
		})
	}
	if s.next >= 0 {
		cleaned.Next = strconv.FormatInt(s.next, 10)
	}
	return cleaned, db.wrap(err, "delete %d executions", len(s.found))
}

// cuts are the times before which executions must have ended: completed, failed, timed out, cancelled.
func cuts(keep map[backend.State]time.Duration, now time.Time) (at [4]int64) {
	for i, state := range []backend.State{backend.Completed, backend.Failed, backend.TimedOut, backend.Cancelled} {
		at[i] = math.MinInt64
		if d, ok := keep[state]; ok {
			at[i] = now.Add(-d).UnixMicro()
		}
	}
	return at
}

// stretch is a part of the table in which executions are looked for.
type stretch struct {
	cuts  [4]int64
	most  int
	after int64
	next  int64 // where to go on; -1 at the end
	found []finished
}

type finished struct {
	n     int64
	state backend.State
	tasks int
}

func (s *stretch) look(ctx context.Context, c *conn, q *queries) error {
	s.next, s.found = -1, nil
	until := int64(math.MaxInt64)
	_, err := c.one(ctx, q.cleanStretch, func(r *row) {
		if until = r.int(); r.int() < max(s.cuts[0], s.cuts[1], s.cuts[2], s.cuts[3]) {
			s.next = until // otherwise what follows was created too late to have ended long ago
		}
	}, s.after, cleanStretch)
	if err != nil {
		return err
	}
	tasks := 0
	return c.each(ctx, q.cleanLook, func(r *row) error {
		if len(s.found) == s.most || tasks >= cleanTasks {
			if last := s.found[len(s.found)-1].n; s.next < 0 || last < s.next {
				s.next = last
			}
			return nil
		}
		f := finished{n: r.int(), state: backend.State(r.text()), tasks: int(r.int())}
		tasks += f.tasks
		s.found = append(s.found, f)
		return nil
	}, s.after, until, s.cuts[0], s.cuts[1], s.cuts[2], s.cuts[3], s.most+1)
}

func (s *stretch) keys() string {
	keys := make([]int64, len(s.found))
	for i, f := range s.found {
		keys[i] = f.n
	}
	return encode(keys)
}

func (t *tx) clean(keys string, cuts [4]int64, cleaned *backend.Cleaned) error {
	var still []int64
	err := t.each(t.ctx, t.q.cleanCheck, func(r *row) error {
		still = append(still, r.int())
		state := backend.State(r.text())
		cleaned.Executions[state]++
		t.tallyMany(state, -1)
		return nil
	}, keys, cuts[0], cuts[1], cuts[2], cuts[3])
	if err != nil || len(still) == 0 {
		return err
	}
	keys = encode(still)
	for _, q := range []*query{t.q.cleanFailures, t.q.cleanResultsUsed, t.q.cleanTasks, t.q.cleanSignals, t.q.cleanCounters, t.q.cleanCustomState, t.q.cleanInputs, t.q.cleanExecutions} {
		rows, err := t.exec(q, keys)
		if err != nil {
			return err
		}
		if q == t.q.cleanTasks {
			cleaned.Tasks = int(rows)
		}
	}
	return nil
}

// TakeChore makes a piece of housekeeping the worker's.
func (db *DB) TakeChore(ctx context.Context, name, worker string) (taken bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		rows, err := t.exec(t.q.takeChore, name, worker, t.now)
		taken = rows > 0
		return err
	})
	return taken && err == nil, db.wrap(err, "take the chore %s", name)
}

// EndChore gives it up.
func (db *DB) EndChore(ctx context.Context, name, worker string, again time.Duration) error {
	err := db.write(ctx, func(t *tx) error {
		_, err := t.exec(t.q.endChore, name, worker, t.in(again))
		return err
	})
	return db.wrap(err, "end the chore %s", name)
}
