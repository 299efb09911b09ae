package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

func (s *store) findWorker(id string) *worker {
	for _, w := range s.workers {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// Register adds a worker.
func (db *DB) Register(ctx context.Context, w backend.Worker, lease time.Duration) (now time.Time, err error) {
	err = db.do(ctx, func(t *tx) error {
		if t.findWorker(w.ID) != nil {
			return errors.New("a worker with this id was registered before; an id is never used twice")
		}
		w.Queues, w.Tags, w.Steps = slices.Clone(w.Queues), slices.Clone(w.Tags), slices.Clone(w.Steps)
		w.Started, w.Renewed, w.LeaseEnd = t.now, t.now, t.in(lease)
		t.workers = append(t.workers, &worker{Worker: w})
		now = t.now
		return nil
	}, "register worker %s", w.ID)
	return now, err
}

// Renew extends a worker's lease.
func (db *DB) Renew(ctx context.Context, id string, state backend.WorkerState, used int, lease time.Duration) (r backend.Renewal, err error) {
	err = db.do(ctx, func(t *tx) error {
		w := t.findWorker(id)
		if w == nil || !w.ended.IsZero() {
			return backend.ErrLeaseLost
		}
		w.State, w.Used, w.Renewed, w.LeaseEnd = state, used, t.now, t.in(lease)
		r = backend.Renewal{Now: t.now, Until: w.LeaseEnd, Next: -1, Expiry: t.nextExpiry(), Tick: t.nextTick(), Recalled: t.recalled(id)}
		for _, other := range t.workers {
			if other == w || !other.ended.IsZero() {
				continue
			}
			if left := max(other.LeaseEnd.Sub(t.now), 0); r.Next < 0 || left < r.Next {
				r.Next = left
			}
		}
		return nil
	}, "renew the lease of worker %s", id)
	return r, err
}

// keepEnded is how long ended workers are listed.
const keepEnded = 24 * time.Hour

// Reap declares dead every worker whose lease ran out and gives back what it held.
func (db *DB) Reap(ctx context.Context, maxCrashes int) (r backend.Reaped, err error) {
	err = db.do(ctx, func(t *tx) error {
		t.workers = slices.DeleteFunc(t.workers, func(w *worker) bool { return !w.ended.IsZero() && t.now.Sub(w.ended) >= keepEnded })
		for _, w := range t.workers {
			if w.ended.IsZero() && !w.LeaseEnd.After(t.now) {
				t.reap(w, maxCrashes, &r)
			}
		}
		if len(r.Workers) > 0 {
			t.wrote("")
		}
		return nil
	}, "take over from dead workers")
	return r, err
}

func (t *tx) reap(w *worker, maxCrashes int, r *backend.Reaped) {
	held := t.heldBy(w.ID)
	t.end(w, backend.WorkerDead)
	r.Workers = append(r.Workers, w.ID)
	waited := map[*execution]bool{} // executions whose orchestrator only waited
	for _, x := range held {
		waited[x.execution] = waited[x.execution] || x.task != nil
	}
	// Activities first: the end of an orchestrator cancels what is unfinished.
	slices.SortStableFunc(held, func(a, b *claimable) int {
		return cmp.Compare(boolInt(a.task == nil), boolInt(b.task == nil))
	})
	for _, x := range held {
		crashes := 1
		if x.task == nil && waited[x.execution] {
			crashes = 0
		}
		buried := t.takeBack(x, crashes, maxCrashes)
		task := x.record()
		r.Tasks = append(r.Tasks, backend.ReapedTask{
			Task: task.ID, Kind: task.Kind, Step: task.Step, Queue: task.Queue, Worker: w.ID, Buried: buried,
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *tx) end(w *worker, state backend.WorkerState) {
	w.State, w.Used, w.ended = state, 0, t.now
	delete(t.recalls, w.ID)
}

// takeBack gives a task of an ended worker back to its queue, or buries it.
func (t *tx) takeBack(x *claimable, crashes, maxCrashes int) (buried bool) {
	e, s := x.execution, x.task
	var count int
	if s != nil {
		s.Crashes += crashes
		count = s.Crashes
	} else {
		e.Crashes += crashes
		count = e.Crashes
	}
	if crashes > 0 && maxCrashes > 0 && count >= maxCrashes {
		t.poison(x, count)
		return true
	}
	if s != nil {
		s.State = backend.Pending
		t.claim(s, "")
	} else {
		e.TaskState, e.woken = backend.Pending, false
	}
	t.setDue(x, t.now)
	return false
}

// poison buries a task of which workers died too often.
func (t *tx) poison(x *claimable, crashes int) {
	reason := fmt.Sprintf("poison: %d workers in a row died while they ran it", crashes)
	failure := backend.Failure{Message: reason, Code: "poison"}
	if s := x.task; s != nil {
		t.bury(s, &backend.Bury{State: backend.Failed, Failure: failure, Reason: reason})
		t.wake(s.execution)
		return
	}
	t.forgetAll(x.execution)
	t.close(x.execution, &backend.Close{State: backend.Failed, Failure: &failure, Reason: reason})
}

// Retire ends a worker by its own wish.
func (db *DB) Retire(ctx context.Context, id string) error {
	return db.do(ctx, func(t *tx) error {
		w := t.findWorker(id)
		if w == nil || !w.ended.IsZero() {
			return nil
		}
		held := t.heldBy(id)
		t.end(w, backend.WorkerStopped)
		for _, x := range held {
			t.takeBack(x, 0, 0)
		}
		t.wrote(id)
		return nil
	}, "retire worker %s", id)
}

// heldBy is what a worker holds, by execution and place.
func (s *store) heldBy(worker string) (held []*claimable) {
	for e := range s.live {
		if e.TaskState == backend.Running && e.Worker == worker {
			held = append(held, &e.claimable)
		}
		for _, x := range e.tasks {
			if x != nil && x.holder() == worker {
				held = append(held, &x.claimable)
			}
		}
	}
	slices.SortFunc(held, func(a, b *claimable) int { return compareTasks(a.record().ID, b.record().ID) })
	return held
}

func (c *claimable) record() backend.Task {
	if c.task != nil {
		return c.task.record()
	}
	return c.execution.root()
}

func compareTasks(a, b backend.TaskID) int {
	return cmp.Or(cmp.Compare(a.Execution, b.Execution), cmp.Compare(a.Seq, b.Seq))
}
