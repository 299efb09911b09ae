package backendtest

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

var replays = []behaviour{
	{"a replayed activity is due with fresh attempts and its execution goes on", replayHeals},
	{"it may go to another queue", replayElsewhere},
	{"history written after the failure is marked as healed", replayMarks},
	{"tasks that were cancelled because the execution ended are put back as they were", replayRestores},
	{"a replayed orchestrator is due", replayRoot},
	{"where the execution goes on, has completed or was cancelled, nothing can be replayed", replayRefused},
	{"several dead letters of an execution can be replayed before it goes on", replaySeveral},
	{"an orchestrator can be buried again while its older dead letter is there", replayLeavesRoot},
	{"the same task can fail and be replayed again", replayTwice},
}

func replayHeals(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending))
	first := h.claimOne(w)
	h.commit(w, &backend.Retry{Task: first.ID, Token: first.Token, Failure: oops()})
	second := h.claimOne(w)
	h.commit(w, &backend.Bury{Task: first.ID, Token: second.Token, State: backend.Failed, Failure: oops(), Reason: "r"})
	cause, f := first.ID, oops()
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})

	h.ok(h.db.Replay(h.ctx, first.ID, "", "me"))
	h.audited(first.ID, "me", "replay")
	equal(h, "dead letters", len(h.letters()), 0)
	h.state("a", backend.Running, backend.Waiting)
	e := h.execution("a")
	h.that("nothing is left of the failure", e.Failure == nil && e.Cause == nil && e.Finished.IsZero())
	t := h.entry("a", 1)
	equal(h, "task", []any{t.State, t.Attempt, t.Crashes, t.Failure == nil, t.Finished.IsZero()}, []any{backend.Pending, 1, 0, true, true})

	third := h.claimOne(w)
	equal(h, "claimed", third.ID, first.ID)
	h.that("the token grows", third.Token > second.Token)
	h.commit(w, &backend.Complete{Task: third.ID, Token: third.Token, Result: []byte("r")})
	got := h.claimOne(w)
	equal(h, "claimed", got.ID, root("a"))
	h.that("the token grows", got.Token > token)
	h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, Close: &backend.Close{State: backend.Completed}})
	h.state("a", backend.Completed, backend.Completed)
}

func replayElsewhere(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	h.ok(h.db.Replay(h.ctx, task("a", 1), "canary", "me"))
	equal(h, "claimed from the old queue", len(h.claim(w, 5)), 0)
	c := newClaim(5)
	c.Queues = []string{"canary"}
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"a.1"})
	equal(h, "queue", c.Tasks[0].Queue, "canary")
}

func replayMarks(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), timer(2, -1))
	h.commit(w, &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})
	e := h.execution("a")
	equal(h, "healed", [2]int{e.HealedFrom, e.HealedTo}, [2]int{0, 0})
	h.add(w, "a", token, timer(3, 0), timer(4, 0))
	f := oops()
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{timer(5, 0)}, Close: &backend.Close{State: backend.Failed, Failure: &f}})
	h.ok(h.db.Replay(h.ctx, task("a", 1), "", "me"))
	e = h.execution("a")
	equal(h, "healed", [2]int{e.HealedFrom, e.HealedTo}, [2]int{2, 5})
}

func replayRestores(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	late := activity(3, backend.Pending)
	late.Delay = long
	h.add(w, "a", token, activity(1, backend.Running), timer(2, long), late, activity(4, backend.Pending), activity(5, backend.Running))
	h.claim(w, 1)
	before := h.history("a").Tasks
	h.buryAndFail(w, "a", token, 2, 3, 4, 5)
	equal(h, "state", h.entry("a", 3).State, backend.Cancelled)
	h.ok(h.db.Replay(h.ctx, task("a", 1), "", "me"))
	for i, want := range []backend.State{backend.Pending, backend.Waiting, backend.Pending, backend.Pending, backend.Pending} {
		t := h.entry("a", i+1)
		equal(h, fmt.Sprint("state of ", t.ID), t.State, want)
		h.that("it has not finished", t.Finished.IsZero())
	}
	equal(h, "timer", h.entry("a", 2).Due.Equal(before[1].Due), true)
	equal(h, "delay", h.entry("a", 3).Due.Equal(before[2].Due), true)
	equal(h, "claimed", len(h.claim(w, 10)), 3)
}

func replayRoot(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	f := oops()
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{timer(1, long)}, Forgotten: []int{1},
		Close: &backend.Close{State: backend.TimedOut, Failure: &f, Reason: "r"}})
	h.ok(h.db.Replay(h.ctx, root("a"), "", "me"))
	h.state("a", backend.Running, backend.Waiting)
	equal(h, "state", h.entry("a", 1).State, backend.Waiting)
	got := h.claimOne(w)
	equal(h, "task", got.ID, root("a"))
	equal(h, "attempt and crashes", [2]int{got.Attempt, got.Crashes}, [2]int{1, 0})
	h.that("the token grows", got.Token > token)
}

func replayRefused(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	h.commit(w, &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})
	for _, s := range []backend.State{backend.Running, backend.Completed} {
		if s == backend.Completed {
			h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: s}})
		}
		h.is("replay", h.db.Replay(h.ctx, task("a", 1), "", "me"), backend.ErrNotReplayable)
		equal(h, "state", h.entry("a", 1).State, backend.Failed)
		equal(h, "dead letters", h.letters(), []string{"a.1"})
		equal(h, "execution", h.execution("a").State, s)
	}
	token = h.begin(w, "b")
	h.add(w, "b", token, activity(1, backend.Running))
	h.cancel("b", backend.Cancelling)
	h.buryAndFail(w, "b", token)
	h.is("replay of a cancelled one", h.db.Replay(h.ctx, task("b", 1), "", "me"), backend.ErrNotReplayable)
}

func replaySeveral(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Running), activity(3, backend.Running))
	f := oops()
	bury := func(seq int) *backend.Bury {
		return &backend.Bury{Task: task("a", seq), Token: 1, State: backend.Failed, Failure: f, Reason: "r"}
	}
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Buried: []*backend.Bury{bury(1), bury(2), bury(3)},
		Close: &backend.Close{State: backend.Failed, Failure: &f}})
	h.ok(h.db.Replay(h.ctx, task("a", 1), "", "me"))
	h.ok(h.db.Replay(h.ctx, task("a", 2), "", "me"))
	h.state("a", backend.Running, backend.Waiting)
	got := h.claim(w, 10)
	equal(h, "claimed", len(got), 2)
	h.commit(w, &backend.Complete{Task: got[0].ID, Token: got[0].Token})
	goesOn := h.claimOne(w)
	equal(h, "claimed", goesOn.ID, root("a"))
	h.is("replay while it runs", h.db.Replay(h.ctx, task("a", 3), "", "me"), backend.ErrNotReplayable)
	h.yield(w, "a", goesOn.Token)
	h.is("replay when it has gone on", h.db.Replay(h.ctx, task("a", 3), "", "me"), backend.ErrNotReplayable)
}

func replayLeavesRoot(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	h.commit(w, &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})
	f := oops()
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Failed, Failure: &f, Reason: "first"}})
	h.ok(h.db.Replay(h.ctx, task("a", 1), "", "me"))
	got := h.claimOne(w)
	h.commit(w, &backend.Complete{Task: got.ID, Token: got.Token})
	again := h.claimOne(w)
	h.turn(w, &backend.Turn{Execution: "a", Token: again.Token, Close: &backend.Close{State: backend.Failed, Failure: &f, Reason: "second"}})
	letter, err := h.db.DeadLetter(h.ctx, root("a"))
	h.ok(err)
	equal(h, "reason", letter.Reason, "second")
	equal(h, "dead letters", h.letters(), []string{"a.0"})
}

func replayTwice(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	for range 2 {
		h.ok(h.db.Replay(h.ctx, task("a", 1), "", "me"))
		t := h.claimOne(w)
		h.commit(w, &backend.Bury{Task: t.ID, Token: t.Token, State: backend.Failed, Failure: oops(), Reason: "r"})
		f, r := oops(), h.claimOne(w)
		h.turn(w, &backend.Turn{Execution: "a", Token: r.Token, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &t.ID}})
		equal(h, "dead letters", h.letters(), []string{"a.1"})
	}
}
