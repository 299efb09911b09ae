package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

// place names a task by its execution's key.
type place struct {
	key key
	seq int32
}

// standing is what is in the database of what a batch belongs to.
type standing struct {
	executions map[key]executionStanding
	tasks      map[place]taskStanding
	signals    map[keyed[int64]]bool // not consumed
	alive      bool
	worker     int32
}

type executionStanding struct {
	state      backend.State
	token      int64
	worker     int32
	effects    int
	cancelling bool
	run        int
}

type taskStanding struct {
	state backend.State
	token int64
	key   string
}

// sift takes out of a batch the commands that are refused, and those that an earlier commit of unknown outcome applied.
func (db *DB) sift(ctx context.Context, w *work) error {
	s, err := db.standing(ctx, w)
	if err != nil {
		return err
	}
	if !s.alive {
		db.forget(w.batch.Worker)
		w.refuseAll()
		return nil
	}
	w.turns = siftKind(w.turns, func(k keyed[*backend.Turn]) verdict { return s.ofTurn(k) })
	w.completes = siftKind(w.completes, func(k keyed[*backend.Complete]) verdict {
		return s.ofEnd(k.key, k.cmd.Task.Seq, k.cmd.Token, backend.Completed)
	})
	w.buries = siftKind(w.buries, func(k keyed[*backend.Bury]) verdict {
		return s.ofEnd(k.key, k.cmd.Task.Seq, k.cmd.Token, k.cmd.State)
	})
	w.retries = siftKind(w.retries, func(k keyed[*backend.Retry]) verdict {
		return s.ofEnd(k.key, k.cmd.Task.Seq, k.cmd.Token, backend.Pending)
	})
	w.releases = siftKind(w.releases, func(k keyed[*backend.Release]) verdict {
		if k.cmd.Task.IsRoot() {
			return s.ofOrchestrator(k.key, k.cmd.Token, backend.Pending)
		}
		return s.ofEnd(k.key, k.cmd.Task.Seq, k.cmd.Token, backend.Pending)
	})
	w.beats = siftKind(w.beats, func(k keyed[*backend.Beat]) verdict {
		return s.ofEnd(k.key, k.cmd.Task.Seq, k.cmd.Token, backend.Running)
	})
	return nil
}

// verdict is what is known of a command before it is written.
type verdict int

const (
	due     verdict = iota // it can be written
	applied                // it was written before
	lost                   // its lease is lost
)

func siftKind[C backend.Command](list []keyed[C], judge func(keyed[C]) verdict) []keyed[C] {
	var rest []keyed[C]
	for _, k := range list {
		switch judge(k) {
		case due:
			rest = append(rest, k)
		case applied:
			backend.Refuse(k.cmd, nil)
		case lost:
			backend.Refuse(k.cmd, backend.ErrLeaseLost)
		}
	}
	return rest
}

// ofEnd judges a command that takes a running task with a token to another state.
func (s *standing) ofEnd(k key, seq int, token int64, to backend.State) verdict {
	t, ok := s.tasks[place{k, number(seq)}]
	switch {
	case !ok || t.token != token:
		return lost
	case t.state == backend.Running:
		return due
	case t.state == to:
		return applied
	}
	return lost
}

func (s *standing) ofOrchestrator(k key, token int64, to backend.State) verdict {
	e, ok := s.executions[k]
	switch {
	case !ok || e.token != token:
		return lost
	case e.state == backend.Running && e.worker == s.worker:
		return due
	case e.state == to:
		return applied
	}
	return lost
}

// ofTurn judges a turn: whether each of its parts can be written, or else whether the first that it would have written
// is there.
func (s *standing) ofTurn(k keyed[*backend.Turn]) verdict {
	e, ok := s.executions[k.key]
	if !ok {
		return lost
	}
	if e.token == k.cmd.Token && e.state == backend.Running && e.worker == s.worker && s.canBeWritten(k) {
		return due
	}
	if !s.hasTurned(k, e) {
		return lost
	}
	k.cmd.State = e.state
	if !e.state.Final() {
		k.cmd.State = backend.Running
		if e.cancelling {
			k.cmd.State = backend.Cancelling
		}
	}
	return applied
}

func (s *standing) canBeWritten(k keyed[*backend.Turn]) bool {
	signal := func(seq int64) bool { return seq == 0 || s.signals[keyed[int64]{k.key, seq}] }
	for _, c := range k.cmd.Completed {
		if s.ofEnd(k.key, c.Task.Seq, c.Token, backend.Completed) != due {
			return false
		}
	}
	for _, c := range k.cmd.Buried {
		if s.ofEnd(k.key, c.Task.Seq, c.Token, c.State) != due {
			return false
		}
	}
	for _, c := range k.cmd.Settled {
		if s.tasks[place{k.key, number(c.Seq)}].state != backend.Waiting || !signal(c.Signal) {
			return false
		}
	}
	for _, a := range k.cmd.Added {
		if _, there := s.tasks[place{k.key, number(a.Seq)}]; there || !signal(a.Signal) {
			return false
		}
	}
	for _, seq := range k.cmd.Stopped {
		if t, ok := s.tasks[place{k.key, number(seq)}]; !ok || t.state.Final() && t.state != backend.Cancelled {
			return false
		}
	}
	if c := k.cmd.Continue; c != nil && s.executions[k.key].run >= c.Run {
		return false
	}
	return len(k.cmd.Effects) == 0 || s.executions[k.key].effects < k.cmd.EffectsSeen
}

// hasTurned looks for the first thing that the turn would have written.
func (s *standing) hasTurned(k keyed[*backend.Turn], e executionStanding) bool {
	c := k.cmd
	task := func(seq int) taskStanding { return s.tasks[place{k.key, number(seq)}] }
	switch {
	case c.Continue != nil:
		return e.run >= c.Continue.Run
	case len(c.Completed) > 0:
		return s.ofEnd(k.key, c.Completed[0].Task.Seq, c.Completed[0].Token, backend.Completed) == applied
	case len(c.Buried) > 0:
		return s.ofEnd(k.key, c.Buried[0].Task.Seq, c.Buried[0].Token, c.Buried[0].State) == applied
	case len(c.Settled) > 0:
		return task(c.Settled[0].Seq).state == c.Settled[0].State
	case len(c.Added) > 0:
		_, there := s.tasks[place{k.key, number(c.Added[0].Seq)}]
		return there && task(c.Added[0].Seq).key == c.Added[0].Key
	case e.token != c.Token:
		return false
	case len(c.Effects) > 0:
		return e.effects >= c.EffectsSeen
	case c.Close != nil:
		return e.state == c.Close.State || e.state == backend.Cancelled
	case c.Yield != nil:
		return e.state == backend.Waiting
	case c.Again != nil:
		return e.state == backend.Pending
	}
	return false // nothing but what is forgotten or set aside, and the lease is lost
}

// standing reads all that a batch belongs to, as it is at one moment.
func (db *DB) standing(ctx context.Context, w *work) (*standing, error) {
	s := &standing{
		executions: map[key]executionStanding{}, tasks: map[place]taskStanding{}, signals: map[keyed[int64]]bool{}, worker: w.worker,
	}
	executions, tasks, signals := w.touched()
	err := db.snapshot(ctx, func(tx pgx.Tx) error {
		var n int32
		if err := tx.QueryRow(ctx, db.q.get("find_worker"), w.batch.Worker).Scan(&n, &s.alive); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := s.readExecutions(ctx, db, tx, executions); err != nil {
			return err
		}
		if err := s.readTasks(ctx, db, tx, tasks); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, db.q.get("known_signals"), column(signals, keyedKey), column(signals, func(k keyed[int64]) int64 { return k.cmd }))
		if err != nil {
			return err
		}
		var k keyed[int64]
		_, err = pgx.ForEachRow(rows, []any{&k.key, &k.cmd}, func() error {
			s.signals[k] = true
			return nil
		})
		return err
	})
	return s, err
}

// touched lists what must be known of to judge a batch.
func (w *work) touched() (executions []key, tasks []place, signals []keyed[int64]) {
	task := func(k key, seq int) { tasks = append(tasks, place{k, number(seq)}) }
	for _, t := range w.turns {
		executions = append(executions, t.key)
		for _, c := range t.cmd.Completed {
			task(t.key, c.Task.Seq)
		}
		for _, c := range t.cmd.Buried {
			task(t.key, c.Task.Seq)
		}
		for _, c := range t.cmd.Settled {
			task(t.key, c.Seq)
			signals = append(signals, keyed[int64]{t.key, c.Signal})
		}
		for _, seq := range t.cmd.Stopped {
			task(t.key, seq)
		}
		for _, c := range t.cmd.Added {
			task(t.key, c.Seq)
			signals = append(signals, keyed[int64]{t.key, c.Signal})
		}
	}
	for _, c := range w.completes {
		task(c.key, c.cmd.Task.Seq)
	}
	for _, c := range w.buries {
		task(c.key, c.cmd.Task.Seq)
	}
	for _, c := range w.retries {
		task(c.key, c.cmd.Task.Seq)
	}
	for _, c := range w.beats {
		task(c.key, c.cmd.Task.Seq)
	}
	for _, c := range w.releases {
		if c.cmd.Task.IsRoot() {
			executions = append(executions, c.key)
		} else {
			task(c.key, c.cmd.Task.Seq)
		}
	}
	return executions, tasks, signals
}

func (s *standing) readExecutions(ctx context.Context, db *DB, tx pgx.Tx, keys []key) error {
	rows, err := tx.Query(ctx, db.q.get("known_executions"), orEmpty(keys))
	if err != nil {
		return err
	}
	var (
		k key
		e executionStanding
	)
	_, err = pgx.ForEachRow(rows, []any{&k, &e.state, &e.token, &e.worker, &e.effects, &e.cancelling, &e.run}, func() error {
		s.executions[k] = e
		return nil
	})
	return err
}

func (s *standing) readTasks(ctx context.Context, db *DB, tx pgx.Tx, tasks []place) error {
	rows, err := tx.Query(ctx, db.q.get("known_tasks"),
		column(tasks, func(p place) key { return p.key }), column(tasks, func(p place) int32 { return p.seq }))
	if err != nil {
		return err
	}
	var (
		p    place
		t    taskStanding
		step string
	)
	_, err = pgx.ForEachRow(rows, []any{&p.key, &p.seq, &t.state, &t.token, &t.key, &step}, func() error {
		s.tasks[p] = taskStanding{t.state, t.token, unpackKey(step, t.key)}
		return nil
	})
	return err
}
