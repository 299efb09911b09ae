package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// History reads executions with all that is needed to go on with them, in the order of the ids.
func (db *DB) History(ctx context.Context, ids []string) (all []backend.History, err error) {
	err = db.do(ctx, func(t *tx) error {
		all = make([]backend.History, 0, len(ids))
		for _, id := range ids {
			if e := t.find(id); e != nil {
				all = append(all, e.history(t.now))
			}
		}
		return nil
	}, "read %d histories", len(ids))
	return all, err
}

// News reads what others may have written of executions, in their order.
func (db *DB) News(ctx context.Context, of []backend.Known) (all []backend.History, err error) {
	err = db.do(ctx, func(t *tx) error {
		all = make([]backend.History, 0, len(of))
		for _, k := range of {
			if e := t.find(k.Execution); e != nil {
				all = append(all, e.news(k.Seq))
			}
		}
		return nil
	}, "read news of %d executions", len(of))
	return all, err
}

func (e *execution) news(known int) backend.History {
	whole := e.history(time.Time{})
	x := &whole.Execution
	h := backend.History{Signals: whole.Signals, Execution: backend.Execution{
		ID: x.ID, State: x.State, Priority: x.Priority, Token: x.Token, Run: x.Run, Effects: x.Effects, Wakes: x.Wakes,
	}}
	for _, t := range whole.Tasks {
		if t.ID.Seq > known && t.State.Final() {
			h.Tasks = append(h.Tasks, backend.Task{ID: t.ID, Kind: t.Kind, State: t.State, Attempt: t.Attempt, Result: t.Result, Failure: t.Failure})
		}
	}
	return h
}

func (e *execution) history(now time.Time) backend.History {
	h := backend.History{Execution: e.record(), Now: now}
	for _, s := range e.tasks {
		if s != nil && s.ID.Seq > e.Base {
			h.Tasks = append(h.Tasks, s.record())
		}
	}
	for _, s := range e.signals {
		if !s.consumed {
			h.Signals = append(h.Signals, s.Signal)
		}
	}
	return h
}

// Held lists the tasks that a worker holds.
func (db *DB) Held(ctx context.Context, worker string) (held []backend.Task, err error) {
	err = db.do(ctx, func(t *tx) error {
		for _, x := range t.heldBy(worker) {
			task := x.record()
			held = append(held, backend.Task{ID: task.ID, Kind: task.Kind, Step: task.Step, Queue: task.Queue, Token: task.Token})
		}
		return nil
	}, "list what worker %s holds", worker)
	return held, err
}

// Execution reads one execution.
func (db *DB) Execution(ctx context.Context, id string) (x backend.Execution, err error) {
	err = db.do(ctx, func(t *tx) error {
		e, err := t.known(id)
		if err == nil {
			x = e.record()
		}
		return err
	}, "read execution %s", id)
	return x, err
}

func (t *tx) known(id string) (*execution, error) {
	if e := t.find(id); e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("execution %q: %w", id, backend.ErrNotFound)
}

// Executions lists executions, newest first, or those of given ids. The id of ExecutionFilter.After must be known.
func (db *DB) Executions(ctx context.Context, f backend.ExecutionFilter) (all []backend.Execution, err error) {
	err = db.do(ctx, func(t *tx) error {
		if f.IDs != nil {
			for _, id := range f.IDs {
				if e := t.find(id); e != nil {
					all = append(all, e.record())
				}
			}
			return nil
		}
		before := len(t.order)
		if f.After != "" {
			e, err := t.known(f.After)
			if err != nil {
				return err
			}
			before = slices.Index(t.order, e)
		}
		for _, e := range slices.Backward(t.order[:before]) {
			if len(all) == limit(f.Limit, 20) {
				break
			}
			if chosen(f, e) {
				all = append(all, e.record())
			}
		}
		return nil
	}, "list executions")
	return all, err
}

func chosen(f backend.ExecutionFilter, e *execution) bool {
	return strings.HasPrefix(e.ID, f.IDPrefix) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State)) &&
		(f.Workflow == "" || f.Workflow == e.Workflow) &&
		(f.Queue == "" || f.Queue == e.Queue) &&
		(f.Tag == "" || slices.Contains(e.Tags, f.Tag)) &&
		!e.Created.Before(f.Since)
}

func limit(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Tasks lists tasks, by execution and Seq, orchestrators included.
func (db *DB) Tasks(ctx context.Context, f backend.TaskFilter) (all []backend.Task, err error) {
	err = db.do(ctx, func(t *tx) error {
		for _, e := range t.order {
			if f.Execution != "" && f.Execution != e.ID || e.ID < f.After.Execution {
				continue
			}
			t.tasksOf(e, f, &all)
		}
		slices.SortFunc(all, func(a, b backend.Task) int { return compareTasks(a.ID, b.ID) })
		all = all[:min(len(all), limit(f.Limit, 1000))]
		return nil
	}, "list tasks")
	return all, err
}

func (t *tx) tasksOf(e *execution, f backend.TaskFilter, all *[]backend.Task) {
	add := func(task backend.Task) {
		if (f.After.Execution != "" && compareTasks(task.ID, f.After) <= 0) ||
			len(f.States) > 0 && !slices.Contains(f.States, task.State) || len(f.Kinds) > 0 && !slices.Contains(f.Kinds, task.Kind) {
			return
		}
		if task.State == backend.Running {
			if w := t.findWorker(task.Worker); w != nil && w.ended.IsZero() {
				task.LeaseUntil = w.LeaseEnd
			}
		}
		*all = append(*all, task)
	}
	add(e.root())
	for _, s := range e.tasks {
		if s != nil && s.ID.Seq > e.Base {
			add(s.record())
		}
	}
}

// Progress reads an execution's counters and custom state.
func (db *DB) Progress(ctx context.Context, id string) (p backend.Progress, err error) {
	err = db.do(ctx, func(t *tx) error {
		e, err := t.known(id)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(e.counters)) {
			p.Counters = append(p.Counters, backend.Counter{Name: name, Value: e.counters[name]})
		}
		for _, name := range slices.Sorted(maps.Keys(e.custom)) {
			p.Custom = append(p.Custom, backend.CustomItem{Name: name, Value: slices.Clone(e.custom[name])})
		}
		return nil
	}, "read the progress of %s", id)
	return p, err
}

// Workers lists the workers, newest first.
func (db *DB) Workers(ctx context.Context) (all []backend.Worker, err error) {
	err = db.do(ctx, func(t *tx) error {
		for _, w := range slices.Backward(t.workers) {
			x := w.Worker
			x.Queues, x.Tags, x.Steps = slices.Clone(x.Queues), slices.Clone(x.Tags), slices.Clone(x.Steps)
			all = append(all, x)
		}
		return nil
	}, "list workers")
	return all, err
}

// Stats counts.
func (db *DB) Stats(ctx context.Context) (s backend.Stats, err error) {
	err = db.do(ctx, func(t *tx) error {
		s = backend.Stats{Now: t.now, Executions: map[backend.State]int64{}, Workers: map[backend.WorkerState]int64{}}
		queues := map[string]*backend.QueueStats{}
		of := func(queue string) *backend.QueueStats {
			if queues[queue] == nil {
				queues[queue] = &backend.QueueStats{Queue: queue, Paused: t.pausedNow(queue)}
			}
			return queues[queue]
		}
		for _, e := range t.order {
			s.Executions[e.State]++
		}
		t.countTasks(of)
		for _, l := range t.letters {
			q := of(l.Queue)
			q.Dead++
			q.OldestDead = earlier(q.OldestDead, l.Moved)
		}
		for _, w := range t.workers {
			live := w.ended.IsZero() && w.LeaseEnd.After(t.now)
			switch {
			case w.ended.IsZero() && !live:
				s.Workers[backend.WorkerDead]++
			case w.State != backend.WorkerStopped:
				s.Workers[w.State]++
			}
			for _, queue := range w.Queues {
				if live {
					of(queue).Workers++
				}
			}
		}
		for queue := range t.paused {
			of(queue)
		}
		for _, q := range queues {
			s.Queues = append(s.Queues, *q)
		}
		slices.SortFunc(s.Queues, func(a, b backend.QueueStats) int { return cmp.Compare(a.Queue, b.Queue) })
		return nil
	}, "count")
	return s, err
}

func (t *tx) countTasks(of func(queue string) *backend.QueueStats) {
	for x := range t.due {
		q := of(x.record().Queue)
		if x.at.After(t.now) {
			q.Scheduled++
			continue
		}
		if q.Depth++; q.OldestDue.IsZero() || x.at.Before(q.OldestDue) {
			q.OldestDue = x.at
		}
	}
	for e := range t.live {
		if e.TaskState == backend.Running {
			of(e.Queue).Running++
		}
		for _, s := range e.tasks {
			if s != nil && s.State == backend.Running {
				q := of(s.Queue)
				q.Running++
				q.OldestRunning = earlier(q.OldestRunning, s.Started)
			}
		}
	}
}

// earlier is the earlier of two times, of which the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
