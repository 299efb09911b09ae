package sqlite

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Register adds a worker.
func (db *DB) Register(ctx context.Context, w backend.Worker, lease time.Duration) (now time.Time, err error) {
	err = db.write(ctx, func(t *tx) error {
		now = t.time
		_, err := t.exec(t.q.register, w.ID, w.Host, w.PID, list(w.Queues), list(w.Tags), list(w.Steps), limits(w.Limits), w.Slots, w.Used,
			w.State, w.Version, t.now, t.in(lease))
		if isUnique(err) {
			return fmt.Errorf("a worker with this id was registered before; an id is never used twice")
		}
		return err
	})
	if err != nil {
		return time.Time{}, db.wrap(err, "register worker %s", w.ID)
	}
	db.wrote(w.ID)
	return now, nil
}

// Renew extends a worker's lease.
func (db *DB) Renew(ctx context.Context, worker string, state backend.WorkerState, used int, lease time.Duration) (backend.Renewal, error) {
	var r backend.Renewal
	err := db.write(ctx, func(t *tx) error {
		r = backend.Renewal{Now: t.time, Until: time.UnixMicro(t.in(lease)).UTC(), Next: -1, Expiry: -1, Tick: -1}
		rows, err := t.exec(t.q.renew, worker, state, used, t.now, t.in(lease))
		if err != nil {
			return err
		}
		if rows == 0 {
			return backend.ErrLeaseLost
		}
		_, err = t.one(t.ctx, t.q.renewNext, func(row *row) { r.Next, r.Tick = t.countdown(row), t.countdown(row) }, worker)
		if err != nil {
			return err
		}
		if r.Expiry, err = t.nextExpiry(t.ctx, t.q, t.now); err != nil {
			return err
		}
		r.Recalled, err = t.recalled(worker)
		return err
	})
	if err != nil {
		return backend.Renewal{}, db.wrap(err, "renew the lease of worker %s", worker)
	}
	return r, nil
}

// countdown reads how long it is until a time, 0 where it has come; negative where there is none.
func (t *tx) countdown(r *row) time.Duration {
	at, ok := r.next().(int64)
	if !ok {
		return -1
	}
	return micros(max(at-t.now, 0))
}

// keepEnded is how long ended workers are listed.
const keepEnded = 24 * time.Hour

// Reap declares dead every worker whose lease ran out and gives back what it held.
func (db *DB) Reap(ctx context.Context, maxCrashes int) (backend.Reaped, error) {
	var reaped backend.Reaped
	any, err := db.anyToReap(ctx)
	if err != nil || !any {
		return reaped, db.wrap(err, "look for dead workers")
	}
	err = db.write(ctx, func(t *tx) error {
		reaped = backend.Reaped{}
		if _, err := t.exec(t.q.reapForget, t.now-keepEnded.Microseconds()); err != nil {
			return err
		}
		err := t.each(ctx, t.q.reapWorkers, func(r *row) error {
			reaped.Workers = append(reaped.Workers, r.text())
			return nil
		}, t.now)
		for _, worker := range reaped.Workers {
			if err == nil {
				err = t.reap(worker, maxCrashes, &reaped)
			}
		}
		return err
	})
	if err != nil {
		return backend.Reaped{}, db.wrap(err, "take over from dead workers")
	}
	db.wrote("")
	return reaped, nil
}

// anyToReap looks without holding up writers; mostly there is nothing.
func (db *DB) anyToReap(ctx context.Context) (any bool, err error) {
	now := db.now().UnixMicro()
	err = db.read(ctx, func(c *conn) error {
		_, err := c.one(ctx, db.q.reapLook, func(r *row) { any = r.bool() }, now, now-keepEnded.Microseconds())
		return err
	})
	return any, err
}

// reap ends one dead worker.
func (t *tx) reap(worker string, maxCrashes int, reaped *backend.Reaped) error {
	tasks, err := readHeld(t.ctx, t.conn, t.q, worker)
	if err != nil {
		return err
	}
	if _, err := t.exec(t.q.retire, worker, backend.WorkerDead, t.now); err != nil {
		return err
	}
	if _, err := t.exec(t.q.recallNone, worker, int64(math.MaxInt64)); err != nil {
		return err
	}
	waited := map[int64]bool{} // executions whose orchestrator only waited
	for i := range tasks {
		waited[tasks[i].n] = waited[tasks[i].n] || !tasks[i].id.IsRoot()
	}
	// Activities first: the end of an orchestrator cancels what is unfinished.
	for _, root := range []bool{false, true} {
		for i := range tasks {
			h := &tasks[i]
			if h.id.IsRoot() != root {
				continue
			}
			crashes := 1
			if root && waited[h.n] {
				crashes = 0
			}
			buried := crashes > 0 && maxCrashes > 0 && h.crashes+1 >= int64(maxCrashes)
			if err := t.takeBack(h, crashes, buried); err != nil {
				return err
			}
			reaped.Tasks = append(reaped.Tasks, backend.ReapedTask{
				Task: h.id, Kind: h.kind(), Step: h.step, Queue: h.queue, Worker: worker, Buried: buried,
			})
		}
	}
	return nil
}

// takeBack gives a task of an ended worker back to its queue, or buries it.
func (t *tx) takeBack(h *held, crashes int, bury bool) (err error) {
	switch {
	case bury && h.id.IsRoot():
		return t.poisonRoot(h)
	case bury:
		return t.poison(h)
	case h.id.IsRoot():
		_, err = t.exec(t.q.giveBackExecution, h.n, h.token, crashes, t.now)
	default:
		_, err = t.exec(t.q.giveBack, h.n, h.id.Seq, h.token, crashes, t.now)
	}
	return err
}

// poison buries an activity of which workers died too often.
func (t *tx) poison(h *held) error {
	if _, err := t.exec(t.q.crash, h.n, h.id.Seq); err != nil {
		return err
	}
	reason, fail := poisoned(h)
	bury := &backend.Bury{Task: h.id, Token: h.token, State: backend.Failed, Failure: fail, Reason: reason}
	if _, err := t.bury(h.n, bury); err != nil {
		return err
	}
	return t.wake(h.n)
}

// poisonRoot buries an orchestrator of which workers died too often: its execution fails.
func (t *tx) poisonRoot(h *held) error {
	if _, err := t.exec(t.q.crashExecution, h.n); err != nil {
		return err
	}
	reason, fail := poisoned(h)
	end := backend.Failed
	if h.cancelling {
		end = backend.Cancelled
	}
	text := failure(&fail)
	if _, err := t.exec(t.q.closeExecution, h.n, h.token, end, nil, text, nil, t.now); err != nil {
		return err
	}
	t.tally(h.state, end)
	if err := t.settleParent(h.parent, h.id.Execution, end, &backend.Close{Failure: &fail, Reason: reason}); err != nil {
		return err
	}
	if err := t.forgetAll(h.n, h.id.Execution); err != nil || h.cancelling {
		return err
	}
	return t.buryRoot(h.n, text, reason)
}

func poisoned(h *held) (reason string, f backend.Failure) {
	reason = fmt.Sprintf("poison: %d workers in a row died while they ran it", h.crashes+1)
	return reason, backend.Failure{Message: reason, Code: "poison"}
}

// Retire ends a worker by its own wish. It is no error if the worker has ended before.
func (db *DB) Retire(ctx context.Context, worker string) error {
	err := db.write(ctx, func(t *tx) error {
		ended, err := t.exec(t.q.retire, worker, backend.WorkerStopped, t.now)
		if err != nil || ended == 0 {
			return err
		}
		if _, err := t.exec(t.q.recallNone, worker, int64(math.MaxInt64)); err != nil {
			return err
		}
		tasks, err := readHeld(t.ctx, t.conn, t.q, worker)
		for i := range tasks {
			if err == nil {
				err = t.takeBack(&tasks[i], 0, false)
			}
		}
		return err
	})
	if err == nil {
		db.wrote(worker)
	}
	return db.wrap(err, "retire worker %s", worker)
}
