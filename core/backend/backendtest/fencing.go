package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var fencings = []behaviour{
	{"a command with an old token changes nothing", fenceOldToken},
	{"a turn with an old token changes nothing", fenceOldTurn},
	{"a task or execution that does not exist is a lost lease", fenceUnknown},
	{"a worker that was never registered is refused everything but to start and signal", func(h *harness) { h.fenceWorker("nobody") }},
	{"a program without a worker is refused everything but to start and signal", func(h *harness) { h.fenceWorker("") }},
	{"a worker that was declared dead is refused everything but to start and signal", fenceDead},
	{"a retired worker is refused everything but to start and signal", fenceRetired},
}

func fenceOldToken(h *harness) {
	w := h.worker("w")
	old := h.queued(w, "a")
	h.commit(w, &backend.Release{Task: old.ID, Token: old.Token})
	now := h.claimOne(w)
	for _, token := range []int64{old.Token, now.Token + 1, 0} {
		complete := &backend.Complete{Task: old.ID, Token: token, Result: []byte("stale")}
		retry := &backend.Retry{Task: old.ID, Token: token, Failure: oops()}
		bury := &backend.Bury{Task: old.ID, Token: token, State: backend.Failed, Failure: oops()}
		release := &backend.Release{Task: old.ID, Token: token}
		h.commit(w, complete)
		h.commit(w, retry)
		h.commit(w, bury)
		h.commit(w, release)
		h.is("complete", complete.Err, backend.ErrLeaseLost)
		h.is("retry", retry.Err, backend.ErrLeaseLost)
		h.is("bury", bury.Err, backend.ErrLeaseLost)
		h.is("release", release.Err, backend.ErrLeaseLost)
	}
	t := h.entry("a", 1)
	equal(h, "state, token and attempt", []any{t.State, t.Token, t.Attempt, t.Result == nil}, []any{backend.Running, now.Token, 1, true})
	equal(h, "dead letters", len(h.letters()), 0)
	h.state("a", backend.Running, backend.Waiting)
	h.that("nobody was woken", h.execution("a").Due.IsZero())
}

func fenceOldTurn(h *harness) {
	w := h.worker("w")
	old := h.begin(w, "a")
	h.commit(w, &backend.Release{Task: root("a"), Token: old})
	now := h.claimOne(w).Token
	for _, token := range []int64{old, now + 1} {
		for _, turn := range []*backend.Turn{
			{Added: []backend.Add{activity(1, backend.Pending)}},
			{Close: &backend.Close{State: backend.Completed}},
			{Yield: &backend.Yield{}},
			{Again: &backend.Again{Failure: oops()}},
			{Effects: []backend.Effect{{Counter: "c", Delta: 1}}, EffectsSeen: 1},
		} {
			turn.Execution, turn.Token = "a", token
			h.commit(w, turn)
			h.is("turn", turn.Err, backend.ErrLeaseLost)
		}
		release := &backend.Release{Task: root("a"), Token: token}
		h.commit(w, release)
		h.is("release", release.Err, backend.ErrLeaseLost)
	}
	h.state("a", backend.Running, backend.Running)
	equal(h, "entries", len(h.history("a").Tasks), 0)
	equal(h, "counters", len(h.progress("a").Counters), 0)
	equal(h, "token", h.execution("a").Token, now)
}

func fenceUnknown(h *harness) {
	w := h.worker("w")
	h.begin(w, "a")
	for _, id := range []backend.TaskID{task("a", 9), task("nowhere", 1)} {
		complete, retry := &backend.Complete{Task: id, Token: 1}, &backend.Retry{Task: id, Token: 1}
		bury, release := &backend.Bury{Task: id, Token: 1, State: backend.Failed}, &backend.Release{Task: id, Token: 1}
		h.commit(w, complete)
		h.commit(w, retry)
		h.commit(w, bury)
		h.commit(w, release)
		for _, err := range []error{complete.Err, retry.Err, bury.Err, release.Err} {
			h.is("command", err, backend.ErrLeaseLost)
		}
	}
	turn, release := &backend.Turn{Execution: "nowhere", Token: 1, Yield: &backend.Yield{}}, &backend.Release{Task: root("nowhere"), Token: 1}
	h.commit(w, turn, release)
	h.is("turn", turn.Err, backend.ErrLeaseLost)
	h.is("release", release.Err, backend.ErrLeaseLost)
}

func fenceDead(h *harness) {
	h.doomed("dead")
	h.reap(5, "dead")
	h.fenceWorker("dead")
	_, err := h.db.Renew(h.ctx, "dead", backend.WorkerReady, 0, time.Minute)
	h.is("renew", err, backend.ErrLeaseLost)
}

func fenceRetired(h *harness) {
	h.worker("retired")
	h.ok(h.db.Retire(h.ctx, "retired"))
	h.fenceWorker("retired")
	_, err := h.db.Renew(h.ctx, "retired", backend.WorkerReady, 0, time.Minute)
	h.is("renew", err, backend.ErrLeaseLost)
}

// fenceWorker has a worker send right tokens and shows that they do not help it.
func (h *harness) fenceWorker(worker string) {
	w := h.worker("w")
	got := h.queued(w, "a")
	token := h.begin(w, "b")
	h.start("c")
	complete := &backend.Complete{Task: got.ID, Token: got.Token}
	turn := &backend.Turn{Execution: "b", Token: token, Added: []backend.Add{activity(1, backend.Pending)}}
	claim, start := newClaim(5), newStart("d")
	signal := &backend.Signalled{Execution: "b", ID: "1", Name: "n"}
	h.commit(worker, claim, complete, turn, start, signal)
	h.is("complete", complete.Err, backend.ErrLeaseLost)
	h.is("turn", turn.Err, backend.ErrLeaseLost)
	h.is("claim", claim.Err, backend.ErrLeaseLost)
	h.is("start", start.Err, nil)
	h.is("signal", signal.Err, nil)
	equal(h, "claimed", len(claim.Tasks), 0)

	retry := &backend.Retry{Task: got.ID, Token: got.Token}
	release := &backend.Release{Task: root("b"), Token: token}
	h.commit(worker, retry, release)
	h.is("retry", retry.Err, backend.ErrLeaseLost)
	h.is("release", release.Err, backend.ErrLeaseLost)
	bury := &backend.Bury{Task: got.ID, Token: got.Token, State: backend.Failed}
	h.commit(worker, bury)
	h.is("bury", bury.Err, backend.ErrLeaseLost)

	equal(h, "state", h.entry("a", 1).State, backend.Running)
	h.state("b", backend.Running, backend.Running)
	h.state("c", backend.Pending, backend.Pending)
	h.state("d", backend.Pending, backend.Pending)
}
