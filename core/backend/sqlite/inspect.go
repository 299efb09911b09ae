package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Execution reads one execution.
func (db *DB) Execution(ctx context.Context, id string) (e backend.Execution, err error) {
	err = db.read(ctx, func(c *conn) error {
		n, err := db.number(ctx, c, id)
		if err != nil {
			return err
		}
		return c.readExecutions(ctx, db.q, []int64{n}, func(_ int64, read *backend.Execution, _ bool) { e = *read })
	})
	return e, db.wrap(err, "read execution %s", id)
}

// number finds an execution's number.
func (db *DB) number(ctx context.Context, c *conn, id string) (n int64, err error) {
	found, err := c.one(ctx, db.q.findExecution, func(r *row) { n = r.int() }, id)
	if err == nil && !found {
		err = fmt.Errorf("execution %q: %w", id, backend.ErrNotFound)
	}
	return n, err
}

// readThese reads the executions that there are of some ids, in their order.
func (db *DB) readThese(ctx context.Context, ids []string) (all []backend.Execution, err error) {
	err = db.read(ctx, func(c *conn) error {
		numbers := make([]int64, 0, len(ids))
		for _, id := range ids {
			n, err := db.number(ctx, c, id)
			switch {
			case err == nil:
				numbers = append(numbers, n)
			case !errors.Is(err, backend.ErrNotFound):
				return err
			}
		}
		return c.readExecutions(ctx, db.q, numbers, func(_ int64, e *backend.Execution, _ bool) { all = append(all, *e) })
	})
	return all, db.wrap(err, "read %d executions", len(ids))
}

// Executions lists executions, newest first, or those of given ids. The id of ExecutionFilter.After must be known.
func (db *DB) Executions(ctx context.Context, f backend.ExecutionFilter) (all []backend.Execution, err error) {
	if f.IDs != nil {
		return db.readThese(ctx, f.IDs)
	}
	err = db.read(ctx, func(c *conn) error {
		before := int64(math.MaxInt64)
		if f.After != "" {
			if before, err = db.number(ctx, c, f.After); err != nil {
				return err
			}
		}
		first, err := db.firstSince(ctx, c, f.Since)
		if err != nil {
			return err
		}
		q, args := db.executionList(f, before, first)
		var numbers []int64
		err = c.each(ctx, q, func(r *row) error {
			numbers = append(numbers, r.int())
			return nil
		}, args...)
		if err != nil || len(numbers) == 0 {
			return err
		}
		return c.readExecutions(ctx, db.q, numbers, func(_ int64, e *backend.Execution, _ bool) { all = append(all, *e) })
	})
	return all, db.wrap(err, "list executions")
}

// clockSteps is by how much the machine's clock may have been set back without firstSince passing over an execution.
const clockSteps = 24 * time.Hour

// firstSince finds a number before which no execution was created since a time, but for clockSteps. Numbers grow with the
// time of creation, so the place is found by halving.
func (db *DB) firstSince(ctx context.Context, c *conn, since time.Time) (int64, error) {
	if since.IsZero() {
		return 0, nil
	}
	before := since.Add(-clockSteps).UnixMicro()
	var low, high, created int64 // all up to low were created earlier
	find := func(most int64) (n int64, err error) {
		_, err = c.one(ctx, db.q.created, func(r *row) { n, created = r.int(), r.int() }, most)
		return n, err
	}
	high, err := find(math.MaxInt64)
	for err == nil && low < high {
		middle := low + (high-low+1)/2
		var n int64
		if n, err = find(middle); n > low && created >= before {
			high = n - 1
		} else {
			low = middle
		}
	}
	return low, err
}

// executionList chooses the statement that looks at the fewest rows.
func (db *DB) executionList(f backend.ExecutionFilter, before, first int64) (*query, []any) {
	since := int64(math.MinInt64)
	if !f.Since.IsZero() {
		since = f.Since.UnixMicro()
	}
	args := []any{before, list(f.States), f.Workflow, f.Queue, f.Tag, since, f.IDPrefix, first, limit(f.Limit, 20)}
	final := func(s backend.State) bool { return s.Final() }
	switch {
	case len(f.States) > 0 && !slices.ContainsFunc(f.States, final):
		return db.q.listLive, args
	case len(f.States) > 0 && !slices.ContainsFunc(f.States, func(s backend.State) bool { return !final(s) || s == backend.Completed }):
		return db.q.listUnsuccessful, args
	case f.IDPrefix != "":
		return db.q.listPrefix, append(args, f.IDPrefix+"\U0010FFFF")
	}
	return db.q.listExecutions, args
}

func limit(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Tasks lists tasks, by execution and Seq, orchestrators included.
func (db *DB) Tasks(ctx context.Context, f backend.TaskFilter) (all []backend.Task, err error) {
	err = db.read(ctx, func(c *conn) error {
		keys, err := db.taskKeys(ctx, c, f)
		if err != nil || len(keys) == 0 {
			return err
		}
		all, err = db.tasks(ctx, c, keys)
		return err
	})
	return all, db.wrap(err, "list tasks")
}

// taskKeys finds the tasks that a filter chooses. An orchestrator's key has the place 0.
func (db *DB) taskKeys(ctx context.Context, c *conn, f backend.TaskFilter) ([]int64, error) {
	after := f.After
	if after.Execution == "" {
		after.Seq = -1
	}
	states, kinds, most := list(f.States), list(f.Kinds), limit(f.Limit, 1000)
	var q *query
	var args []any
	switch {
	case f.Execution != "" && after.Execution > f.Execution:
		return nil, nil
	case f.Execution != "":
		if after.Execution < f.Execution {
			after.Seq = -1
		}
		q, args = db.q.listTasksOf, []any{f.Execution, after.Seq, states, kinds, most}
	case len(f.States) == 1 && f.States[0] == backend.Running:
		q, args = db.q.listTasksRunning, []any{after.Execution, after.Seq, kinds, most}
	default:
		q, args = db.q.listTasks, []any{after.Execution, after.Seq, states, kinds, most}
	}
	var keys []int64
	err := c.each(ctx, q, func(r *row) error {
		keys = append(keys, r.int())
		return nil
	}, args...)
	return keys, err
}

// tasks reads tasks by their keys, in that order.
func (db *DB) tasks(ctx context.Context, c *conn, keys []int64) ([]backend.Task, error) {
	found := make(map[int64]backend.Task, len(keys))
	var numbers []int64
	for _, k := range keys {
		if k&maxSeq == 0 {
			numbers = append(numbers, k>>20)
		}
	}
	err := c.readExecutions(ctx, db.q, numbers, func(n int64, e *backend.Execution, _ bool) { found[n<<20] = rootTask(e) })
	if err != nil {
		return nil, err
	}
	err = c.each(ctx, db.q.readTasks, func(r *row) error {
		key := r.int()
		found[key] = scanTask(r)
		return nil
	}, keyList(keys))
	if err != nil {
		return nil, err
	}
	leases, err := db.leases(ctx, c)
	all := make([]backend.Task, len(keys))
	for i, k := range keys {
		all[i] = found[k]
		if all[i].State == backend.Running {
			all[i].LeaseUntil = leases[all[i].Worker]
		}
	}
	return all, err
}

func (db *DB) leases(ctx context.Context, c *conn) (map[string]time.Time, error) {
	until := map[string]time.Time{}
	return until, c.each(ctx, db.q.workerLeases, func(r *row) error {
		id := r.text()
		until[id] = r.time()
		return nil
	})
}

// Progress reads an execution's counters and custom state.
func (db *DB) Progress(ctx context.Context, id string) (p backend.Progress, err error) {
	err = db.read(ctx, func(c *conn) error {
		n, err := db.number(ctx, c, id)
		if err != nil {
			return err
		}
		err = c.each(ctx, db.q.counters, func(r *row) error {
			p.Counters = append(p.Counters, backend.Counter{Name: r.text(), Value: r.float()})
			return nil
		}, n)
		if err != nil {
			return err
		}
		return c.each(ctx, db.q.customState, func(r *row) error {
			p.Custom = append(p.Custom, backend.CustomItem{Name: r.text(), Value: json.RawMessage(r.text())})
			return nil
		}, n)
	})
	return p, db.wrap(err, "read the progress of %s", id)
}

// Workers lists the workers, newest first.
func (db *DB) Workers(ctx context.Context) (all []backend.Worker, err error) {
	err = db.read(ctx, func(c *conn) error {
		return c.each(ctx, db.q.workers, func(r *row) error {
			all = append(all, backend.Worker{
				ID: r.text(), Host: r.text(), PID: int(r.int()), Queues: r.list(), Tags: r.list(), Steps: r.list(), Limits: r.limits(),
				Slots: int(r.int()), Used: int(r.int()), State: backend.WorkerState(r.text()), Version: r.text(),
				Started: r.time(), Renewed: r.time(), LeaseEnd: r.time(),
			})
			return nil
		})
	})
	return all, db.wrap(err, "list workers")
}

// Stats counts.
func (db *DB) Stats(ctx context.Context) (s backend.Stats, err error) {
	err = db.read(ctx, func(c *conn) error {
		s = backend.Stats{Now: db.now(), Executions: map[backend.State]int64{}, Workers: map[backend.WorkerState]int64{}}
		err := c.each(ctx, db.q.statsExecutions, func(r *row) error {
			state := backend.State(r.text())
			if n := r.int(); n != 0 {
				s.Executions[state] = n
			}
			return nil
		})
		if err != nil {
			return err
		}
		err = c.each(ctx, db.q.statsQueues, func(r *row) error {
			s.Queues = append(s.Queues, backend.QueueStats{
				Queue: r.text(), Depth: r.int(), Scheduled: r.int(), Running: r.int(), Dead: r.int(), Workers: r.int(),
				Paused: r.bool(), OldestDue: r.time(), OldestRunning: r.time(), OldestDead: r.time(),
			})
			return nil
		}, s.Now.UnixMicro())
		if err != nil {
			return err
		}
		return c.each(ctx, db.q.statsWorkers, func(r *row) error {
			state := backend.WorkerState(r.text())
			s.Workers[state] = r.int()
			return nil
		}, s.Now.UnixMicro())
	})
	return s, db.wrap(err, "count")
}

// Diagnose tells how large the file and its write-ahead log are.
func (db *DB) Diagnose(context.Context) (backend.DatabaseStats, error) {
	s := backend.DatabaseStats{DeadTuples: -1, OldestTransaction: -1}
	var err error
	if s.Size, err = fileSize(db.path); err == nil {
		s.WAL, err = fileSize(db.path + "-wal")
	}
	return s, db.wrap(err, "look at the files")
}

// fileSize is 0 where there is no file, as before the first write.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
