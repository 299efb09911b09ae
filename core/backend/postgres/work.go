package postgres

import (
	"cmp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// work is a batch in the order in which it is written: by kind of command, and each kind by execution, so that
// transactions lock rows in the same order.
type work struct {
	batch  *backend.Batch
	worker int32     // its number
	now    time.Time // set by write

	starts    []*backend.Start
	signals   []*backend.Signalled
	cancels   []*backend.Cancel
	turns     []keyed[*backend.Turn]
	completes []keyed[*backend.Complete]
	buries    []keyed[*backend.Bury]
	retries   []keyed[*backend.Retry]
	releases  []keyed[*backend.Release]
	beats     []keyed[*backend.Beat]
	claims    []*backend.Claim
	trims     []keyed[*backend.Trim]

	claiming bool                       // it may take tasks for the worker
	begun    map[key]pgtype.Timestamptz // the executions that this transaction began, with when they were claimed with that
	claimed  []claimed                  // what its claims took
	news     news                       // what others are to be told
}

// keyed is a command with its execution's key.
type keyed[C any] struct {
	key key
	cmd C
}

func sorted[C any](list []keyed[C], seq func(C) int) {
	slices.SortFunc(list, func(a, b keyed[C]) int {
		return cmp.Or(compareKeys(a.key, b.key), cmp.Compare(seq(a.cmd), seq(b.cmd)))
	})
}

// sort takes a batch apart.
func (db *DB) sort(b *backend.Batch) (*work, error) {
	w := &work{batch: b}
	for _, c := range b.Commands {
		if err := reset(c); err != nil {
			return nil, err
		}
		if err := w.put(c); err != nil {
			return nil, err
		}
	}
	sorted(w.turns, func(*backend.Turn) int { return 0 })
	sorted(w.completes, func(c *backend.Complete) int { return c.Task.Seq })
	sorted(w.buries, func(c *backend.Bury) int { return c.Task.Seq })
	sorted(w.retries, func(c *backend.Retry) int { return c.Task.Seq })
	sorted(w.releases, func(c *backend.Release) int { return c.Task.Seq })
	sorted(w.beats, func(c *backend.Beat) int { return c.Task.Seq })
	return w, nil
}

func (w *work) put(c backend.Command) error {
	switch c := c.(type) {
	case *backend.Start:
		w.starts, w.claiming = append(w.starts, c), w.claiming || c.Claim
	case *backend.Signalled:
		w.signals = append(w.signals, c)
	case *backend.Cancel:
		w.cancels = append(w.cancels, c)
	case *backend.Turn:
		if err := checkTurn(c); err != nil {
			return err
		}
		if w.turns == nil {
			w.turns = make([]keyed[*backend.Turn], 0, len(w.batch.Commands))
		}
		w.turns = append(w.turns, keyed[*backend.Turn]{keyOf(c.Execution), c})
	case *backend.Complete:
		w.completes = append(w.completes, keyed[*backend.Complete]{keyOf(c.Task.Execution), c})
	case *backend.Bury:
		w.buries = append(w.buries, keyed[*backend.Bury]{keyOf(c.Task.Execution), c})
	case *backend.Retry:
		w.retries = append(w.retries, keyed[*backend.Retry]{keyOf(c.Task.Execution), c})
	case *backend.Release:
		w.releases = append(w.releases, keyed[*backend.Release]{keyOf(c.Task.Execution), c})
	case *backend.Trim:
		w.trims = append(w.trims, keyed[*backend.Trim]{keyOf(c.Execution), c})
	case *backend.Beat:
		w.beats = append(w.beats, keyed[*backend.Beat]{keyOf(c.Task.Execution), c})
	case *backend.Claim:
		w.claims, w.claiming = append(w.claims, c), true
	}
	return nil
}

func (w *work) empty() bool {
	return len(w.starts)+len(w.signals)+len(w.cancels)+len(w.trims) == 0 && !w.leased()
}

// leased tells whether there is anything that stands on the worker's lease.
func (w *work) leased() bool { return w.fenced() || w.claiming }

// fenced tells whether there is anything that a statement may refuse.
func (w *work) fenced() bool {
	return len(w.turns)+len(w.completes)+len(w.buries)+len(w.retries)+len(w.releases)+len(w.beats) > 0
}

// takeLeased takes out what may be refused.
func (w *work) takeLeased() []backend.Command {
	var all []backend.Command
	all = take(all, &w.turns)
	all = take(all, &w.completes)
	all = take(all, &w.buries)
	all = take(all, &w.retries)
	all = take(all, &w.releases)
	return take(all, &w.beats)
}

// takeValues takes out all that writes values, which is all but claims.
func (w *work) takeValues() []backend.Command {
	all := w.takeLeased()
	for _, c := range w.starts {
		all = append(all, c)
	}
	for _, c := range w.signals {
		all = append(all, c)
	}
	for _, c := range w.cancels {
		all = append(all, c)
	}
	w.starts, w.signals, w.cancels = nil, nil, nil
	return take(all, &w.trims)
}

func take[C backend.Command](all []backend.Command, from *[]keyed[C]) []backend.Command {
	for _, k := range *from {
		all = append(all, k.cmd)
	}
	*from = nil
	return all
}

// refuseAll refuses what stands on a lease, since the worker has none.
func (w *work) refuseAll() {
	for _, c := range w.takeLeased() {
		backend.Refuse(c, backend.ErrLeaseLost)
	}
	for _, c := range w.claims {
		c.Err = backend.ErrLeaseLost
	}
	w.claims, w.claiming = nil, false
}

// begin forgets what an earlier try has read.
func (w *work) begin() {
	w.begun = make(map[key]pgtype.Timestamptz, len(w.starts))
	w.claimed, w.news = nil, news{worker: w.batch.Worker}
}

// lock locks the executions that are changed, in the order of their keys, if they are changed in several statements, or
// if tasks are changed that others may be changing too. Turns of executions that this worker alone works on, which are
// what has to be fast, need it not.
func (w *work) lock(p *pipeline) {
	keys := make([]key, 0, len(w.turns)+len(w.completes))
	kinds, shared := 0, len(w.retries) > 0
	add := func(has bool, k key) {
		if has {
			keys = append(keys, k)
		}
	}
	for _, kind := range []func(t *backend.Turn) bool{
		func(t *backend.Turn) bool { return t.Close != nil },
		func(t *backend.Turn) bool { return t.Yield != nil },
		func(t *backend.Turn) bool { return t.Again != nil },
		func(t *backend.Turn) bool { return t.Continue != nil },
		func(t *backend.Turn) bool { return len(t.Effects) > 0 },
	} {
		before := len(keys)
		for _, t := range w.turns {
			add(kind(t.cmd), t.key)
			shared = shared || len(t.cmd.Forgotten)+len(t.cmd.Stopped) > 0
		}
		if len(keys) > before {
			kinds++
		}
	}
	before := len(keys)
	for _, parent := range w.parents() {
		add(true, parent)
	}
	for _, s := range w.signals {
		add(true, keyOf(s.Execution))
	}
	for _, c := range w.cancels {
		add(true, keyOf(c.Execution))
	}
	for _, child := range w.deserted() {
		add(true, child)
	}
	for _, c := range w.completes {
		add(true, c.key)
	}
	for _, c := range w.buries {
		add(true, c.key)
	}
	for _, c := range w.releases {
		add(c.cmd.Task.IsRoot(), c.key)
		shared = true
	}
	shared = shared || len(keys) > before
	if len(keys) > 1 && (shared || kinds > 1) || len(w.signals)+len(w.cancels) > 0 || w.families() {
		slices.SortFunc(keys, compareKeys)
		p.add("lock", nil, slices.Compact(keys))
	}
}
