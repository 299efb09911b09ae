package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var beats = []behaviour{
	{"what an activity says is there for its next attempt, also after a crash", beatKept},
	{"a retry and a release keep what was said last, or what was there", beatWithRetry},
	{"a stale attempt says nothing", beatStale},
}

func beatKept(h *harness) {
	d := h.doomed("d")
	got := h.queued(d, "a")
	equal(h, "detail at first", len(got.Detail), 0)
	h.twice(d, &backend.Beat{Task: got.ID, Token: got.Token, Detail: []byte("1")})
	beat := &backend.Beat{Task: got.ID, Token: got.Token, Detail: []byte("2")}
	h.commit(d, beat)
	h.is("beat", beat.Err, nil)
	equal(h, "detail in the history", string(h.entry("a", 1).Detail), "2")
	h.reap(5, d)
	w := h.worker("w")
	equal(h, "detail of the next attempt", string(h.claimOne(w).Detail), "2")
	tasks, err := h.db.Tasks(h.ctx, backend.TaskFilter{Execution: "a", Kinds: []backend.Kind{backend.Activity}})
	h.ok(err)
	equal(h, "detail in a list", string(tasks[0].Detail), "2")
}

func beatWithRetry(h *harness) {
	w := h.worker("w")
	got := h.queued(w, "a")
	for _, step := range []struct {
		end  backend.Command
		want string
	}{
		{&backend.Retry{Task: got.ID, Token: 1, Failure: oops(), Detail: []byte("one")}, "one"},
		{&backend.Retry{Task: got.ID, Token: 2, Failure: oops()}, "one"},
		{&backend.Release{Task: got.ID, Token: 3, Detail: []byte("two")}, "two"},
		{&backend.Release{Task: got.ID, Token: 4}, "two"},
	} {
		h.commit(w, step.end)
		equal(h, "detail", string(h.claimOne(w).Detail), step.want)
	}
}

func beatStale(h *harness) {
	w := h.worker("w")
	got := h.queued(w, "a")
	h.commit(w, &backend.Release{Task: got.ID, Token: got.Token})
	again := h.claimOne(w)
	stale := &backend.Beat{Task: got.ID, Token: got.Token, Detail: []byte("stale")}
	other := newStart("b")
	h.commit(w, stale, other)
	h.is("a stale beat", stale.Err, backend.ErrLeaseLost)
	h.is("another command", other.Err, nil)
	h.commit(w, &backend.Complete{Task: got.ID, Token: again.Token})
	ended := &backend.Beat{Task: got.ID, Token: again.Token, Detail: []byte("late")}
	h.commit(w, ended)
	h.is("a beat after the end", ended.Err, backend.ErrLeaseLost)
	equal(h, "detail", len(h.entry("a", 1).Detail), 0)
}
