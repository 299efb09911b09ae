package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var results = []behaviour{
	{"the first who asks for a key gets it, and others find it busy until there is a result", resultKept},
	{"a key that is freed goes to the next", resultFreed},
	{"a result expires by the database's clock", resultExpires},
	{"the key of a worker that has ended goes to the next, and a late result is refused", resultTakenOver},
	{"a worker takes over what it has reserved itself", resultOwn},
	{"a result can be empty", resultEmpty},
	{"expired results are forgotten, and what was used is deleted with its execution", resultsForgotten},
}

func reservation(worker, execution string) backend.Reservation {
	return backend.Reservation{Key: "k", Worker: worker, Task: task(execution, 1), Token: 1}
}

func (h *harness) reserve(r backend.Reservation) backend.Reserved {
	h.t.Helper()
	res, err := h.db.ReserveResult(h.ctx, r)
	h.ok(err)
	return res
}

func (h *harness) keep(r backend.Reservation, result string, ttl time.Duration) bool {
	h.t.Helper()
	kept, err := h.db.KeepResult(h.ctx, r, []byte(result), ttl)
	h.ok(err)
	return kept
}

func resultKept(h *harness) {
	a, b := reservation(h.worker("a"), "x"), reservation(h.worker("b"), "y")
	equal(h, "the first", h.reserve(a), backend.Reserved{})
	equal(h, "the second", h.reserve(b), backend.Reserved{Busy: true, Of: a.Task})
	h.that("another cannot keep one", !h.keep(b, "no", 0))
	h.that("it is kept", h.keep(a, "r", 0))
	equal(h, "the second", h.reserve(b), backend.Reserved{Kept: true, Result: []byte("r"), Of: a.Task})
	of, err := h.db.ResultsOf(h.ctx, "y")
	h.ok(err)
	equal(h, "whose it was", of, map[int]backend.TaskID{1: a.Task})
	equal(h, "the first once more", h.reserve(a), backend.Reserved{Kept: true, Result: []byte("r"), Of: a.Task})
	of, err = h.db.ResultsOf(h.ctx, "x")
	h.ok(err)
	equal(h, "of its own", len(of), 0)
	other := b
	other.Key = "another"
	equal(h, "another key", h.reserve(other), backend.Reserved{})
	of, err = h.db.ResultsOf(h.ctx, "y")
	h.ok(err)
	equal(h, "it runs itself now", len(of), 0)
}

func resultFreed(h *harness) {
	a, b := reservation(h.worker("a"), "x"), reservation(h.worker("b"), "y")
	h.reserve(a)
	h.ok(h.db.FreeResult(h.ctx, b))
	h.that("another cannot free it", h.reserve(b).Busy)
	h.ok(h.db.FreeResult(h.ctx, a))
	equal(h, "the second", h.reserve(b), backend.Reserved{})
	h.that("it is kept", h.keep(b, "r", 0))
	h.ok(h.db.FreeResult(h.ctx, b))
	h.that("a result is not freed", h.reserve(a).Kept)
}

func resultExpires(h *harness) {
	a, b := reservation(h.worker("a"), "x"), reservation(h.worker("b"), "y")
	h.reserve(a)
	h.that("it is kept", h.keep(a, "r", long))
	h.that("it is there", h.reserve(b).Kept)
	short := b
	short.Key = "short"
	h.reserve(short)
	h.that("it is kept", h.keep(short, "r", soon))
	again := a
	again.Key = "short"
	h.until("it has expired", func() bool { got := h.reserve(again); return !got.Kept && !got.Busy })
}

func resultTakenOver(h *harness) {
	dead, b := reservation(h.doomed("dead"), "x"), reservation(h.worker("b"), "y")
	h.reserve(dead)
	h.reap(5, "dead")
	equal(h, "the next", h.reserve(b), backend.Reserved{})
	h.that("a late result is refused", !h.keep(dead, "late", 0))
	h.that("it is kept", h.keep(b, "r", 0))
}

func resultOwn(h *harness) {
	w := h.worker("w")
	a, b := reservation(w, "x"), reservation(w, "y")
	h.reserve(a)
	equal(h, "the next", h.reserve(b), backend.Reserved{})
	h.that("the one before has lost it", !h.keep(a, "late", 0))
}

func resultEmpty(h *harness) {
	a, b := reservation(h.worker("a"), "x"), reservation(h.worker("b"), "y")
	h.reserve(a)
	kept, err := h.db.KeepResult(h.ctx, a, nil, 0)
	h.ok(err)
	h.that("it is kept", kept)
	got := h.reserve(b)
	h.that("it is there, and empty", got.Kept && len(got.Result) == 0)
}

func resultsForgotten(h *harness) {
	w := h.worker("w")
	a, b := reservation(w, "x"), reservation(h.worker("b"), "done")
	h.reserve(a)
	h.that("it is kept", h.keep(a, "r", 0))
	h.ended(w, "done", backend.Completed)
	h.that("it is used", h.reserve(b).Kept)
	short := a
	short.Key = "short"
	h.reserve(short)
	h.that("it is kept", h.keep(short, "r", time.Millisecond))
	h.until("the expired one is forgotten", func() bool {
		n, err := h.db.ForgetResults(h.ctx, 10)
		h.ok(err)
		return n == 1
	})
	h.that("the other one is there", h.reserve(b).Kept)
	h.clean(backend.Cleanup{Keep: keepNothing})
	of, err := h.db.ResultsOf(h.ctx, "done")
	h.ok(err)
	equal(h, "of the deleted execution", len(of), 0)
}
