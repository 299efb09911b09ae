package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var workers = []behaviour{
	{"a worker is listed as it was registered, newest first", workerListed},
	{"an id is not used twice", workerTwice},
	{"a renewal extends the lease and stores state and used slots", workerRenewed},
	{"a renewal tells when the next lease of another worker ends", workerNext},
	{"a worker that is not there cannot renew", workerUnknown},
	{"a retired worker is stopped and its tasks are due at once, without a crash", workerRetired},
}

func workerListed(h *harness) {
	w := backend.Worker{
		ID: "first", Host: "host", PID: 42, Queues: []string{"a", "b"}, Tags: []string{"gpu"}, Steps: []string{"wf", "act"},
		Limits: map[string]int{"act": 3}, Slots: 10, State: backend.WorkerStarting, Version: "v1",
	}
	now, err := h.db.Register(h.ctx, w, long)
	h.ok(err)
	h.worker("second")
	all, err := h.db.Workers(h.ctx)
	h.ok(err)
	equal(h, "workers", len(all), 2)
	equal(h, "newest", all[0].ID, "second")
	got := all[1]
	h.that("its times are the database's", got.Started.Equal(now) && got.Renewed.Equal(now))
	h.after("end of the lease", got.LeaseEnd, now, long)
	w.Started, w.Renewed, w.LeaseEnd = got.Started, got.Renewed, got.LeaseEnd
	equal(h, "worker", got, w)
}

func workerTwice(h *harness) {
	h.worker("w")
	_, err := h.db.Register(h.ctx, backend.Worker{ID: "w", State: backend.WorkerReady}, long)
	h.that("a second registration is an error", err != nil)
}

// theWorker is the only worker.
func (h *harness) theWorker(id string) backend.Worker {
	h.t.Helper()
	all, err := h.db.Workers(h.ctx)
	h.ok(err)
	for _, w := range all {
		if w.ID == id {
			return w
		}
	}
	h.t.Fatalf("no worker %s among %d", id, len(all))
	return backend.Worker{}
}

func workerRenewed(h *harness) {
	h.register(backend.Worker{ID: "w", State: backend.WorkerStarting}, brief)
	r, err := h.db.Renew(h.ctx, "w", backend.WorkerDraining, 7, long)
	h.ok(err)
	h.after("until", r.Until, r.Now, long)
	h.that("there is no other", r.Next < 0)
	w := h.theWorker("w")
	equal(h, "state and slots", []any{w.State, w.Used}, []any{backend.WorkerDraining, 7})
	h.that("its times are the database's", w.Renewed.Equal(r.Now) && w.LeaseEnd.Equal(r.Until))
	reaped, err := h.db.Reap(h.ctx, 5)
	h.ok(err)
	equal(h, "dead", len(reaped.Workers), 0)
}

func workerNext(h *harness) {
	h.worker("w")
	h.register(backend.Worker{ID: "sooner"}, long/2)
	h.register(backend.Worker{ID: "later"}, long)
	r, err := h.db.Renew(h.ctx, "w", backend.WorkerReady, 0, time.Second)
	h.ok(err)
	h.that("it is the earliest", r.Next > long/4 && r.Next <= long/2)
	h.ok(h.db.Retire(h.ctx, "sooner"))
	r, err = h.db.Renew(h.ctx, "w", backend.WorkerReady, 0, time.Second)
	h.ok(err)
	h.that("an ended worker has none", r.Next > long/2 && r.Next <= long)
}

func workerUnknown(h *harness) {
	_, err := h.db.Renew(h.ctx, "nobody", backend.WorkerReady, 0, long)
	h.is("renew", err, backend.ErrLeaseLost)
}

func workerRetired(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Pending))
	h.claim(w, 1)
	equal(h, "held", h.held(w), []string{"a.0", "a.1", "a.2"})
	h.ok(h.db.Retire(h.ctx, w))
	equal(h, "state", h.theWorker(w).State, backend.WorkerStopped)
	equal(h, "held", len(h.held(w)), 0)
	got := h.claim(other, 10)
	equal(h, "claimed", len(got), 3)
	for _, t := range got {
		equal(h, "attempt and crashes", [2]int{t.Attempt, t.Crashes}, [2]int{1, 0})
	}
	h.ok(h.db.Retire(h.ctx, w))
	equal(h, "held by the other after a second retirement", len(h.held(other)), 3)
}
