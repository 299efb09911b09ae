package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// Execution reads one execution.
func (db *DB) Execution(ctx context.Context, id string) (backend.Execution, error) {
	e, err := db.execution(ctx, db.pool, id)
	if err != nil {
		return backend.Execution{}, db.wrap(ended(ctx, err), "read execution %s", id)
	}
	return e, nil
}

func (db *DB) execution(ctx context.Context, in querier, id string) (backend.Execution, error) {
	all, err := db.readExecutions(ctx, in, []key{keyOf(id)})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("execution %q: %w", id, backend.ErrNotFound)
	}
	if err != nil {
		return backend.Execution{}, err
	}
	return all[0], nil
}

// readExecutions reads those that there are of some, in their order.
func (db *DB) readExecutions(ctx context.Context, in querier, keys []key) ([]backend.Execution, error) {
	rows, err := in.Query(ctx, db.q.get("read_executions"), keys)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows pgx.Rows) (backend.Execution, error) {
		e, _, err := scanExecution(rows)
		return e, err
	})
}

// Executions lists executions, newest first, or those of given ids. The id of ExecutionFilter.After must be known.
func (db *DB) Executions(ctx context.Context, f backend.ExecutionFilter) (all []backend.Execution, err error) {
	if f.IDs != nil {
		keys := make([]key, len(f.IDs))
		for i, id := range f.IDs {
			keys[i] = keyOf(id)
		}
		if all, err = db.readExecutions(ctx, db.pool, keys); err != nil {
			return nil, db.wrap(ended(ctx, err), "read %d executions", len(f.IDs))
		}
		return all, nil
	}
	err = db.snapshot(ctx, func(tx pgx.Tx) error {
		keys, err := db.listExecutions(ctx, tx, f)
		if err != nil || len(keys) == 0 {
			return err
		}
		all, err = db.readExecutions(ctx, tx, keys)
		return err
	})
	if err != nil {
		return nil, db.wrap(err, "list executions")
	}
	return all, nil
}

// spans are how far back a list looks, one after the other, until it is full. The summary index of the creation times
// finds the rows of a span, but does not have them in order; so a list of the newest must not ask for all.
var spans = []time.Duration{time.Minute, time.Hour, 24 * time.Hour, 30 * 24 * time.Hour}

func (db *DB) listExecutions(ctx context.Context, tx pgx.Tx, f backend.ExecutionFilter) ([]key, error) {
	var (
		now   time.Time
		after = pgtype.Timestamptz{}
		keys  []key
	)
	if err := tx.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
		return nil, err
	}
	before := pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	if f.After != "" {
		e, err := db.execution(ctx, tx, f.After)
		if err != nil {
			return nil, err
		}
		now, after = e.Created, moment(e.Created)
	}
	if f.IDPrefix != "" || listOf(f.States) != "list_executions" {
		return db.listSpan(ctx, tx, f, since(f), before, after, limit(f.Limit, 20))
	}
	live, err := db.live(ctx, tx, f)
	if err != nil || live == 0 {
		return nil, err
	}
	if live <= fewRunning && slices.Equal(f.States, []backend.State{backend.Running}) {
		found, keys, err := db.listRunning(ctx, tx, f, before, after)
		if err != nil || found == live {
			return keys, err
		}
	}
	most := int(min(int64(limit(f.Limit, 20)), live))
	for i := 0; i <= len(spans); i++ {
		from := since(f)
		last := i == len(spans)
		if !last {
			if start := now.Add(-spans[i]); f.Since.Before(start) {
				from = moment(start)
			} else {
				last = true
			}
		}
		more, err := db.listSpan(ctx, tx, f, from, before, after, most-len(keys))
		if err != nil {
			return nil, err
		}
		if keys = append(keys, more...); last || len(keys) == most {
			break
		}
		before = from
	}
	return keys, nil
}

// live is how many executions there are in states of which none is final. Often these are fewer than a list may have: with
// the last of them found, the search need not go through all that has ended.
func (db *DB) live(ctx context.Context, tx pgx.Tx, f backend.ExecutionFilter) (int64, error) {
	if len(f.States) == 0 || slices.ContainsFunc(f.States, backend.State.Final) {
		return math.MaxInt64, nil
	}
	rows, err := tx.Query(ctx, db.q.get("stats_executions"))
	if err != nil {
		return 0, err
	}
	var (
		state   backend.State
		n, live int64
	)
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		if slices.Contains(f.States, state) {
			live += n
		}
		return nil
	})
	return max(live, 0), err
}

// fewRunning is up to how many running executions are looked for where they are held and due: more are found among the
// newest.
const fewRunning = 1000

// listRunning lists running executions without a look at others, and tells how many it knows of.
func (db *DB) listRunning(ctx context.Context, tx pgx.Tx, f backend.ExecutionFilter, before, after pgtype.Timestamptz) (found int64, keys []key, err error) {
	err = tx.QueryRow(ctx, db.q.get("list_executions_running"),
		since(f), before, after, keyOf(f.After), []string{string(backend.Running)}, text(f.Workflow), text(f.Queue), text(f.Tag), limit(f.Limit, 20),
	).Scan(&found, &keys)
	return found, keys, err
}

// listOf names the statement that looks at the fewest executions to find those in some states.
func listOf(states []backend.State) string {
	switch {
	case unsuccessful(states):
		return "list_executions_unsuccessful"
	case slices.Equal(states, []backend.State{backend.Pending}):
		return "list_executions_pending"
	case slices.Equal(states, []backend.State{backend.Cancelling}):
		return "list_executions_cancelling"
	}
	return "list_executions"
}

// unsuccessful tells whether only executions are wanted that ended without a result.
func unsuccessful(states []backend.State) bool {
	for _, s := range states {
		if s != backend.Failed && s != backend.TimedOut && s != backend.Cancelled {
			return false
		}
	}
	return len(states) > 0
}

func since(f backend.ExecutionFilter) pgtype.Timestamptz {
	if f.Since.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return moment(f.Since)
}

// listSpan lists executions that were created in a span of time, newest first.
func (db *DB) listSpan(ctx context.Context, tx pgx.Tx, f backend.ExecutionFilter, from, before, after pgtype.Timestamptz, most int) ([]key, error) {
	states := pgtype.FlatArray[string](nil)
	for _, s := range f.States {
		states = append(states, string(s))
	}
	name, args := listOf(f.States), []any{from, before, after, keyOf(f.After), states, text(f.Workflow), text(f.Queue), text(f.Tag), most}
	if f.IDPrefix != "" {
		first, last, ok := prefixKeys(f.IDPrefix)
		if !ok {
			first, last = key{Valid: true}, key{Valid: true} // the nil UUID is nobody's
		}
		name, args = "list_executions_prefix", append(args, first, last, f.IDPrefix, f.IDPrefix+"\U0010FFFF")
	}
	rows, err := tx.Query(ctx, db.q.get(name), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[key])
}

func limit(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Tasks lists tasks, by execution and Seq, orchestrators included.
func (db *DB) Tasks(ctx context.Context, f backend.TaskFilter) (all []backend.Task, err error) {
	err = db.snapshot(ctx, func(tx pgx.Tx) error {
		places, err := db.listTasks(ctx, tx, f)
		if err != nil || len(places) == 0 {
			return err
		}
		all, err = db.readTasks(ctx, tx, places)
		return err
	})
	if err != nil {
		return nil, db.wrap(err, "list tasks")
	}
	return all, nil
}

// listTasks finds the tasks that a filter chooses. An orchestrator has the place 0.
func (db *DB) listTasks(ctx context.Context, tx pgx.Tx, f backend.TaskFilter) ([]place, error) {
	after := f.After
	if after.Execution == "" {
		after.Seq = -1
	}
	var states, kinds []string
	for _, s := range f.States {
		states = append(states, string(s))
	}
	for _, k := range f.Kinds {
		kinds = append(kinds, string(k))
	}
	most := limit(f.Limit, 1000)
	var (
		name string
		args []any
	)
	switch {
	case f.Execution != "" && after.Execution > f.Execution:
		return nil, nil
	case f.Execution != "":
		if after.Execution < f.Execution {
			after.Seq = -1
		}
		name, args = "list_tasks_of", []any{keyOf(f.Execution), number(after.Seq), states, kinds, most}
	case len(f.States) == 1 && f.States[0] == backend.Running:
		name, args = "list_tasks_running", []any{after.Execution, number(after.Seq), kinds, most}
	default:
		name, args = "list_tasks", []any{after.Execution, number(after.Seq), states, kinds, most}
	}
	rows, err := tx.Query(ctx, db.q.get(name), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows pgx.Rows) (p place, err error) {
		err = rows.Scan(&p.key, &p.seq)
		return p, err
	})
}

// readTasks reads tasks in the order of their places.
func (db *DB) readTasks(ctx context.Context, tx pgx.Tx, places []place) ([]backend.Task, error) {
	rows, err := tx.Query(ctx, db.q.get("read_executions"), column(places, func(p place) key {
		if p.seq > 0 {
			return key{}
		}
		return p.key
	}))
	if err != nil {
		return nil, err
	}
	roots, err := collect(rows, func(rows pgx.Rows) (backend.Task, error) {
		e, lease, err := scanExecution(rows)
		return rootTask(&e, lease), err
	})
	if err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, db.q.get("read_tasks"),
		column(places, func(p place) key { return p.key }), column(places, func(p place) int32 { return p.seq }))
	if err != nil {
		return nil, err
	}
	activities, err := collect(rows, scanTask)
	if err != nil {
		return nil, err
	}
	all := make([]backend.Task, 0, len(places))
	for _, p := range places { // both are in this order
		if p.seq == 0 {
			all, roots = append(all, roots[0]), roots[1:]
		} else {
			all, activities = append(all, activities[0]), activities[1:]
		}
	}
	return all, nil
}

// Progress reads an execution's counters and custom state.
func (db *DB) Progress(ctx context.Context, id string) (p backend.Progress, err error) {
	err = db.snapshot(ctx, func(tx pgx.Tx) error {
		if _, err := db.execution(ctx, tx, id); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, db.q.get("counters"), keyOf(id))
		if err != nil {
			return err
		}
		if p.Counters, err = collect(rows, func(rows pgx.Rows) (c backend.Counter, err error) {
			err = rows.Scan(&c.Name, &c.Value)
			return c, err
		}); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, db.q.get("custom_state"), keyOf(id)); err != nil {
			return err
		}
		p.Custom, err = collect(rows, func(rows pgx.Rows) (c backend.CustomItem, err error) {
			var value []byte
			err = rows.Scan(&c.Name, &value)
			c.Value = json.RawMessage(value)
			return c, err
		})
		return err
	})
	if err != nil {
		return backend.Progress{}, db.wrap(err, "read the progress of %s", id)
	}
	return p, nil
}

// Workers lists the workers, newest first.
func (db *DB) Workers(ctx context.Context) ([]backend.Worker, error) {
	rows, err := db.pool.Query(ctx, db.q.get("workers"))
	var all []backend.Worker
	if err == nil {
		all, err = collect(rows, func(rows pgx.Rows) (w backend.Worker, err error) {
			err = rows.Scan(&w.ID, &w.Host, &w.PID, &w.Queues, &w.Tags, &w.Steps, &w.Limits, &w.Slots, &w.Used, &w.State, &w.Version,
				&w.Started, &w.Renewed, &w.LeaseEnd)
			w.Started, w.Renewed, w.LeaseEnd = w.Started.UTC(), w.Renewed.UTC(), w.LeaseEnd.UTC()
			return w, err
		})
	}
	if err != nil {
		return nil, db.wrap(ended(ctx, err), "list workers")
	}
	return all, nil
}

// Stats counts.
func (db *DB) Stats(ctx context.Context) (s backend.Stats, err error) {
	s.Executions, s.Workers = map[backend.State]int64{}, map[backend.WorkerState]int64{}
	err = db.snapshot(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT now()").Scan(&s.Now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, db.q.get("stats_settings")); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, db.q.get("stats_executions"))
		if err != nil {
			return err
		}
		var (
			state backend.State
			n     int64
		)
		if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error {
			s.Executions[state] = n
			return nil
		}); err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, db.q.get("stats_queues"), s.Now); err != nil {
			return err
		}
		s.Queues, err = collect(rows, func(rows pgx.Rows) (q backend.QueueStats, err error) {
			var due, running, dead pgtype.Timestamptz
			err = rows.Scan(&q.Queue, &q.Depth, &q.Scheduled, &q.Running, &q.Dead, &q.Workers, &q.Paused, &due, &running, &dead)
			q.OldestDue, q.OldestRunning, q.OldestDead = at(due), at(running), at(dead)
			return q, err
		})
		if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, db.q.get("stats_workers"), s.Now); err != nil {
			return err
		}
		var of backend.WorkerState
		_, err = pgx.ForEachRow(rows, []any{&of, &n}, func() error {
			s.Workers[of] = n
			return nil
		})
		return err
	})
	if err != nil {
		return backend.Stats{}, db.wrap(err, "count")
	}
	s.Now = s.Now.UTC()
	return s, nil
}

// Diagnose tells how the tables and the server stand.
func (db *DB) Diagnose(ctx context.Context) (backend.DatabaseStats, error) {
	s := backend.DatabaseStats{WAL: -1}
	var oldest float64
	err := db.pool.QueryRow(ctx, db.q.get("diagnose")).Scan(&s.Size, &s.DeadTuples, &oldest)
	if err != nil {
		return backend.DatabaseStats{}, db.wrap(ended(ctx, err), "look at the tables")
	}
	s.OldestTransaction = time.Duration(max(oldest, 0) * float64(time.Second))
	return s, nil
}
