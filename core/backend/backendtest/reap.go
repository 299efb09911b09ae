package backendtest

import (
	"sort"

	"github.com/stentgo/stent/core/backend"
)

var reaps = []behaviour{
	{"a living worker is left alone", reapAlive},
	{"all tasks of a dead worker are due at once, each with one crash more", reapGivesBack},
	{"an orchestrator of which the worker also held an activity is not blamed", reapNotBlamed},
	{"a dead worker is listed as dead and is reaped once", reapOnce},
	{"an activity of which too many workers died is buried and its orchestrator is woken", reapPoison},
	{"an orchestrator of which too many workers died fails its execution", reapPoisonRoot},
	{"a success ends the count of an orchestrator's crashes", reapForgiven},
}

func reapAlive(h *harness) {
	w := h.worker("w")
	h.begin(w, "a")
	r, err := h.db.Reap(h.ctx, 5)
	h.ok(err)
	equal(h, "reaped", len(r.Workers)+len(r.Tasks), 0)
	equal(h, "held", h.held(w), []string{"a.0"})
}

func reapGivesBack(h *harness) {
	w, other := h.doomed("w"), h.worker("other")
	h.begin(w, "c")
	token := h.begin(w, "a")
	foreign := h.begin(other, "b")
	h.add(w, "a", token, activity(1, backend.Running))
	h.add(other, "b", foreign, activity(1, backend.Pending), activity(2, backend.Running))
	claimed := h.claim(w, 5)
	equal(h, "claimed", ids(claimed), []string{"b.1"})

	given := h.reap(5, w)
	sort.Slice(given, func(i, j int) bool { return given[i].Task.String() < given[j].Task.String() })
	want := []backend.ReapedTask{
		{Task: root("a"), Kind: backend.Orchestrator, Step: "wf", Queue: "default", Worker: w},
		{Task: task("a", 1), Kind: backend.Activity, Step: "act", Queue: "default", Worker: w},
		{Task: task("b", 1), Kind: backend.Activity, Step: "act", Queue: "default", Worker: w},
		{Task: root("c"), Kind: backend.Orchestrator, Step: "wf", Queue: "default", Worker: w},
	}
	equal(h, "given back", given, want)
	equal(h, "held by the other", h.held(other), []string{"b.0", "b.2"})
	h.state("a", backend.Running, backend.Pending)

	late := &backend.Complete{Task: task("a", 1), Token: 1}
	turn := &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Completed}}
	h.commit(other, late)
	h.commit(other, turn)
	h.is("a late end", late.Err, backend.ErrLeaseLost)
	h.is("a late turn", turn.Err, backend.ErrLeaseLost)
	for _, t := range h.claim(other, 10) {
		crashes := 1
		if t.ID == root("a") {
			crashes = 0 // it only waited for a.1
		}
		equal(h, "attempt and crashes of "+t.ID.String(), [2]int{t.Attempt, t.Crashes}, [2]int{1, crashes})
		h.that("the token grows", t.Token > 1)
	}
	equal(h, "held by the other", len(h.held(other)), 6)
}

func reapNotBlamed(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{activity(1, backend.Pending)}, Yield: &backend.Yield{}})
	for _, id := range []string{"one", "two"} {
		d := h.doomed(id)
		equal(h, "claimed", len(h.claim(d, 5)), 2)
		for _, t := range h.reap(2, d) {
			equal(h, t.Task.String()+" is buried", t.Buried, id == "two" && !t.Task.IsRoot())
		}
	}
	h.state("a", backend.Running, backend.Pending)
	equal(h, "dead letters", h.letters(), []string{"a.1"})
	got := h.claimOne(w)
	equal(h, "claimed", got.ID, root("a"))
	equal(h, "crashes", got.Crashes, 0)
}

func reapOnce(h *harness) {
	w := h.doomed("w")
	h.reap(5, w)
	equal(h, "state", h.theWorker(w).State, backend.WorkerDead)
	r, err := h.db.Reap(h.ctx, 5)
	h.ok(err)
	equal(h, "reaped", len(r.Workers), 0)
}

func reapPoison(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending))
	h.yield(w, "a", token)
	for i, id := range []string{"one", "two", "three"} {
		equal(h, "claimed", ids(h.claim(h.doomed(id), 5)), []string{"a.1"})
		given := h.reap(3, id)
		equal(h, "given back", len(given), 1)
		equal(h, "buried", given[0].Buried, i == 2)
	}
	equal(h, "state", h.entry("a", 1).State, backend.Failed)
	equal(h, "claimed", h.claimOne(w).ID, root("a"))
	letter, err := h.db.DeadLetter(h.ctx, task("a", 1))
	h.ok(err)
	equal(h, "attempts and crashes", [2]int{letter.Attempts, letter.Crashes}, [2]int{1, 3})
	h.that("it has a reason and a failure", letter.Reason != "" && letter.Failure.Message != "" && h.entry("a", 1).Failure != nil)
}

func reapPoisonRoot(h *harness) {
	w := h.worker("w")
	h.start("a")
	for i, id := range []string{"one", "two"} {
		d := h.doomed(id)
		got := h.claim(d, 5)
		equal(h, "claimed", ids(got), []string{"a.0"})
		if i == 0 {
			elsewhere := activity(3, backend.Pending)
			elsewhere.Queue = "elsewhere"
			h.turn(d, &backend.Turn{Execution: "a", Token: got[0].Token, Added: []backend.Add{activity(1, backend.Pending), timer(2, long), elsewhere}})
			equal(h, "claimed", ids(h.claim(w, 1)), []string{"a.1"})
		}
		given := h.reap(2, id)
		equal(h, "given back", len(given), 1)
		equal(h, "buried", given[0].Buried, i == 1)
	}
	h.state("a", backend.Failed, backend.Failed)
	h.that("it has a failure", h.execution("a").Failure != nil && !h.execution("a").Finished.IsZero())
	equal(h, "dead letters", h.letters(), []string{"a.0"})
	for _, t := range h.history("a").Tasks {
		equal(h, "state of an unfinished task", t.State, backend.Cancelled)
	}
	c := newClaim(5)
	c.Queues = append(c.Queues, "elsewhere")
	h.commit(w, c)
	equal(h, "claimed", len(c.Tasks), 0)
}

func reapForgiven(h *harness) {
	h.start("a")
	d := h.doomed("one")
	h.claim(d, 1)
	h.reap(5, d)
	w := h.worker("w")
	got := h.claimOne(w)
	equal(h, "crashes", got.Crashes, 1)
	h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, Added: []backend.Add{timer(1, long)}, Yield: &backend.Yield{}})
	equal(h, "crashes", h.claimOne(w).Crashes, 0)
}
