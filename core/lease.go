package core

import (
	"context"
	"errors"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// keepLease renews the worker's lease until ctx ends or the lease is lost, and takes over from workers that died.
//
// The lease is counted from before the renewal was sent, by the worker's own monotonic clock, so that the worker stops
// no later than the database lets others begin. A renewal that fails is tried again until the lease is over.
func (w *worker) keepLease(ctx context.Context) {
	var (
		renewed = w.e.clock.Now()
		wait    = time.Duration(0)
		reap    = true // a predecessor may have died just before
	)
	for w.pause(ctx, wait) {
		if reap {
			w.reap(ctx)
		}
		sent := w.e.clock.Now()
		renewal, err := w.renew(ctx)
		switch {
		case err == nil:
			w.measureRenewal(Renewed)
			w.e.outage.worked()
			renewed = sent
			w.sweepAfter(renewal)
			w.hasRivals(renewal.Next >= 0)
			wait = w.cfg.Lease / 3
			reap = renewal.Next >= 0 && renewal.Next < wait
			if reap { // someone is late with a renewal: be there when that lease ends
				wait = renewal.Next + reapMargin
			}
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrLeaseLost):
			w.measureRenewal(RenewalLost)
			w.lose()
			return
		default:
			w.e.measureError("renew", err)
			left := w.cfg.Lease - w.e.clock.Now().Sub(renewed)
			if left <= 0 {
				w.measureRenewal(RenewalLost)
				w.e.log.Error("the lease is over and could not be renewed", "stent_worker_id", w.id, "error", err)
				w.lose()
				return
			}
			w.measureRenewal(RenewalError)
			wait, reap = min(w.cfg.Lease/30, time.Second, left), false
			w.e.outage.failed("renew the lease", err, "stent_worker_id", w.id, "in", wait, "left", left)
		}
	}
}

// reapMargin is how long after the end of a lease its tasks are taken over, so that one look is enough.
const reapMargin = 5 * time.Millisecond

func (w *worker) renew(ctx context.Context) (backend.Renewal, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Lease/3)
	defer cancel()
	w.mu.Lock()
	state, used := w.state, w.used
	w.mu.Unlock()
	w.sayDetails()
	renewal, err := w.e.db.Renew(ctx, w.id, state, used, w.cfg.Lease)
	for _, r := range renewal.Recalled {
		w.recall(r)
	}
	return renewal, err
}

// renewNow makes the worker's state known at once.
func (w *worker) renewNow() {
	if _, err := w.renew(context.Background()); errors.Is(err, ErrLeaseLost) {
		w.lose()
	}
}

// reap takes over from dead workers: what they held is due again, here or elsewhere.
func (w *worker) reap(ctx context.Context) {
	reaped, err := w.e.db.Reap(ctx, w.cfg.MaxCrashes)
	if err != nil {
		if ctx.Err() == nil {
			w.e.measureError("reap", err)
			w.e.outage.failed("look for dead workers", err, "stent_worker_id", w.id)
		}
		return
	}
	for _, id := range reaped.Workers {
		w.e.log.Warn("a worker died; its tasks are taken over", "stent_worker_id", id, "by", w.id)
	}
	for i, t := range reaped.Tasks {
		w.measureReaped(ctx, &reaped.Tasks[i])
		if t.Buried {
			w.e.log.Error("workers died of this task too often; it is in the dead letters",
				"stent_execution_id", t.Task.Execution, "stent_task_id", t.Task, "stent_step", t.Step, "crashes", w.cfg.MaxCrashes)
			if t.Task.IsRoot() {
				w.endedElsewhere(t.Task.Execution)
			}
		}
	}
	if len(reaped.Tasks) > 0 {
		w.due(0)
	}
}

// lose is called when others may have the worker's tasks: everything here stops.
func (w *worker) lose() {
	w.loseOnce.Do(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.state = backend.WorkerDead
		close(w.lostLease)
		w.fewer.Broadcast()
	})
}

func (w *worker) lost() <-chan struct{} { return w.lostLease }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// recheck makes good what was lost with the answer of a claim. What it told of executions held here is read for all of
// them, and what it took is given back.
func (w *worker) recheck() {
	if isClosed(w.lostLease) {
		return
	}
	w.goroutines.Go(func() {
		var ids []string
		for _, r := range w.resident() {
			ids = append(ids, r.info.ExecutionID)
		}
		if len(ids) > 0 {
			w.hear(ids)
		}
	})
	w.recheckHeld()
}

// recheckHeld gives back the tasks that the database says this worker holds and that the worker does not know of.
func (w *worker) recheckHeld() {
	if isClosed(w.lostLease) {
		return
	}
	w.mu.Lock()
	underWay := w.rechecking
	w.rechecking, w.doubts = true, true
	w.mu.Unlock()
	if !underWay {
		w.goroutines.Go(func() {
			for w.inDoubt() {
				w.giveBackUnknown()
			}
		})
	}
}

// inDoubt tells whether recheckHeld was called since the last look began. If not, there is no other.
func (w *worker) inDoubt() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rechecking, w.doubts = w.doubts, false
	return w.rechecking
}

// giveBackUnknown looks twice, since a claim may just be on its way here, and for as long as the database does not answer.
func (w *worker) giveBackUnknown() {
	before := map[backend.TaskID]int64{}
	for looks := 0; looks < 2 && w.pause(w.ctx, time.Second); {
		held, err := w.e.db.Held(w.ctx, w.id)
		w.e.measureError("held", err)
		if err != nil {
			continue
		}
		looks++
		strange := map[backend.TaskID]int64{}
		for _, t := range held {
			if w.isHere(t.ID) {
				continue
			}
			strange[t.ID] = t.Token
			if before[t.ID] == t.Token {
				w.giveBack(w.ctx, &backend.Release{Task: t.ID, Token: t.Token})
			}
		}
		before = strange
	}
}

func (w *worker) isHere(id backend.TaskID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id.IsRoot() {
		return w.runs[id.Execution] != nil
	}
	return w.activities[id] != nil
}
