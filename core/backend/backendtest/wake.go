package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var wakes = []behaviour{
	{"the end of an activity makes a waiting orchestrator due", wakeByEnd},
	{"a signal makes a waiting orchestrator due, before its own time", wakeBySignal},
	{"the holder of a running orchestrator is told once", wakeTold},
	{"a claim for what was woken takes nothing", wakeAlone},
	{"a claim for what is due loses nothing that was woken", wakeLater},
	{"who ends an activity is not told that its orchestrator is held unless it is", wakeHeld},
	{"the ends in a turn wake nobody", wakeNotByTurn},
	{"what the worker has not seen makes a yield due at once", wakeNotLost},
	{"what the worker has seen does not", wakeSeen},
	{"an orchestrator that waits for a time is due then", wakeAtTime},
	{"a pending orchestrator keeps its time", wakePending},
}

func wakeByEnd(h *harness) {
	w := h.worker("w")
	for id, end := range map[string]func(backend.Claimed) backend.Command{
		"completed": func(t backend.Claimed) backend.Command { return &backend.Complete{Task: t.ID, Token: t.Token} },
		"buried": func(t backend.Claimed) backend.Command {
			return &backend.Bury{Task: t.ID, Token: t.Token, State: backend.Failed, Failure: oops(), Reason: "r"}
		},
	} {
		got := h.queued(w, id)
		equal(h, "due before", len(h.claim(w, 10)), 0)
		h.commit(w, end(got))
		equal(h, "claimed", h.claimOne(w).ID, root(id))
	}
}

func wakeBySignal(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Yield: &backend.Yield{WakeIn: long}})
	equal(h, "due before", len(h.claim(w, 10)), 0)
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	equal(h, "claimed", h.claimOne(w).ID, root("a"))
}

// woken is what a worker is told.
func (h *harness) woken(worker string) []string {
	h.t.Helper()
	c := newClaim(0)
	h.commit(worker, c)
	return c.Woken
}

func wakeTold(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.begin(w, "quiet")
	h.add(w, "a", token, activity(1, backend.Pending), activity(2, backend.Pending))
	for i, t := range h.claim(other, 2) {
		before := h.execution("a").Wakes
		h.commit(other, &backend.Complete{Task: t.ID, Token: t.Token})
		equal(h, "told to another", len(h.woken(other)), 0)
		equal(h, "told", h.woken(w), []string{"a"})
		equal(h, "told again", len(h.woken(w)), 0)
		h.that("it is counted", h.execution("a").Wakes > before || i < 0)
	}
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	equal(h, "told of a signal", h.woken(w), []string{"a"})
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	equal(h, "told of a repeated signal", len(h.woken(w)), 0)
	h.state("a", backend.Running, backend.Running)
}

func wakeAlone(h *harness) {
	w := h.worker("w")
	h.begin(w, "a")
	h.start("b")
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	c := newClaim(10)
	c.OnlyWoken = true
	h.commit(w, c)
	h.ok(c.Err)
	equal(h, "told", c.Woken, []string{"a"})
	equal(h, "claimed", ids(c.Tasks), []string{})
	h.that("it tells of nothing to come", c.NextDue < 0 && !c.More && c.Left == nil)
	equal(h, "what it left", h.claimOne(w).ID, root("b"))
}

func wakeLater(h *harness) {
	w := h.worker("w")
	h.begin(w, "a")
	h.start("b")
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	c := newClaim(10)
	c.OnlyDue = true
	h.commit(w, c)
	h.ok(c.Err)
	equal(h, "claimed", ids(c.Tasks), []string{"b.0"})
	equal(h, "told, with that or later", append(c.Woken, h.woken(w)...), []string{"a"})
}

func wakeHeld(h *harness) {
	w := h.worker("w")
	for id, end := range map[string]func(t backend.Claimed) (backend.Command, func() bool){
		"completed": func(t backend.Claimed) (backend.Command, func() bool) {
			c := &backend.Complete{Task: t.ID, Token: t.Token}
			return c, func() bool { return c.Held }
		},
		"buried": func(t backend.Claimed) (backend.Command, func() bool) {
			c := &backend.Bury{Task: t.ID, Token: t.Token, State: backend.Failed, Failure: oops(), Reason: "r"}
			return c, func() bool { return c.Held }
		},
	} {
		cmd, held := end(h.queued(w, id)) // its orchestrator waits
		h.commit(w, cmd)
		h.that("one that waits is not held", !held())
		token := h.claimOne(w).Token
		h.add(w, id, token, activity(2, backend.Pending))
		cmd, held = end(h.claimOne(w))
		h.commit(w, cmd)
		equal(h, "told", h.woken(w), []string{id})
		if held() {
			equal(h, "due", len(h.claim(w, 10)), 0)
		}
		h.commit(w, cmd)
		h.that("one that was ended before is not known to be held", !held())
	}
}

func wakeNotByTurn(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Running))
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Completed: []*backend.Complete{{Task: task("a", 1), Token: 1}},
		Buried: []*backend.Bury{{Task: task("a", 2), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"}}})
	equal(h, "told", len(h.woken(w)), 0)
	equal(h, "wakes", h.execution("a").Wakes, 0)
}

func wakeNotLost(h *harness) {
	w := h.worker("w")
	for id, told := range map[string]bool{"untold": false, "told": true} {
		token := h.begin(w, id)
		seen := h.execution(id).Wakes
		h.commit("", &backend.Signalled{Execution: id, ID: "1", Name: "n"})
		if told {
			equal(h, "told", h.woken(w), []string{id})
		}
		h.turn(w, &backend.Turn{Execution: id, Token: token, Yield: &backend.Yield{WakeIn: -1, Seen: seen}})
		h.state(id, backend.Running, backend.Waiting)
		equal(h, "claimed", h.claimOne(w).ID, root(id))
	}
	equal(h, "told of what it claimed since", len(h.woken(w)), 0)
}

func wakeSeen(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	h.yield(w, "a", token)
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	h.that("it is not due", h.execution("a").Due.IsZero())
}

func wakeAtTime(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Yield: &backend.Yield{WakeIn: soon}})
	h.state("a", backend.Running, backend.Waiting)
	due := h.execution("a").Due
	got := h.claimOne(w)
	h.that("it was claimed when it was due", got.Due.Equal(due) && !h.history("a").Now.Before(due))
}

func wakePending(h *harness) {
	s := newStart("a")
	s.Delay = long
	h.commit("", s)
	due := h.execution("a").Due
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	equal(h, "due", h.execution("a").Due.Equal(due), true)
	h.state("a", backend.Pending, backend.Pending)
}
