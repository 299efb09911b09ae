package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var activities = []behaviour{
	{"a completed activity has its result", activityCompletes},
	{"a retry is in its queue with the next attempt, due after its delay", activityRetries},
	{"a retry of an activity that ran beside its orchestrator goes to its queue", activityRetriesRiding},
	{"a buried activity is in the dead letters with all attempts", activityBuried},
	{"a released task is due at once as if it had not been claimed", activityReleased},
	{"a released orchestrator is pending again", rootReleased},
}

func activityCompletes(h *harness) {
	w := h.worker("w")
	got := h.queued(w, "a")
	c := &backend.Complete{Task: got.ID, Token: got.Token, Result: []byte("r")}
	h.commit(w, c)
	h.is("complete", c.Err, nil)
	t := h.entry("a", 1)
	equal(h, "state", t.State, backend.Completed)
	equal(h, "result", string(t.Result), "r")
	h.that("it has finished", !t.Finished.IsZero())
	equal(h, "held", len(h.held(w)), 0)
}

func activityRetries(h *harness) {
	w := h.worker("w")
	got := h.queued(w, "a")
	r := &backend.Retry{Task: got.ID, Token: got.Token, Failure: oops(), Delay: soon}
	b := &backend.Batch{Worker: w, Commands: []backend.Command{r}}
	h.ok(h.db.Commit(h.ctx, b))
	h.is("retry", r.Err, nil)
	t := h.entry("a", 1)
	equal(h, "state", t.State, backend.Pending)
	equal(h, "attempt", t.Attempt, 2)
	h.after("due", t.Due, b.Now, soon)
	equal(h, "held", len(h.held(w)), 0)
	h.state("a", backend.Running, backend.Waiting)
	h.that("nobody is woken", h.execution("a").Due.IsZero())
	again := h.claimOne(w)
	equal(h, "attempt", again.Attempt, 2)
	h.that("the token grows", again.Token > got.Token)
	h.that("it was due after its delay", !again.Started.Before(t.Due))
}

func activityRetriesRiding(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	r := &backend.Retry{Task: task("a", 1), Token: 1, Failure: oops()}
	h.commit(w, r)
	h.is("retry", r.Err, nil)
	got := h.claimOne(w)
	equal(h, "task", got.ID, task("a", 1))
	equal(h, "token and attempt", [2]int{int(got.Token), got.Attempt}, [2]int{2, 2})
	equal(h, "held", h.held(w), []string{"a.0", "a.1"})
}

func activityBuried(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	add := activity(1, backend.Pending)
	add.Queue, add.Tags = "q", []string{"t"}
	h.add(w, "a", token, add)
	claim := func() backend.Claimed {
		c := newClaim(1)
		c.Queues, c.Tags = []string{"q"}, add.Tags
		h.commit(w, c)
		return c.Tasks[0]
	}
	first := claim()
	one, two := oops(), oops()
	one.Message, two.Message = "one", "two"
	h.commit(w, &backend.Retry{Task: first.ID, Token: first.Token, Failure: one})
	second := claim()
	b := &backend.Bury{Task: first.ID, Token: second.Token, State: backend.TimedOut, Failure: two, Reason: "too late"}
	h.commit(w, b)
	h.is("bury", b.Err, nil)

	t := h.entry("a", 1)
	equal(h, "state", t.State, backend.TimedOut)
	equal(h, "failure", *t.Failure, two)
	got, err := h.db.DeadLetter(h.ctx, first.ID)
	h.ok(err)
	got.N = 0
	equal(h, "dead letter", got, backend.DeadLetter{
		Task: first.ID, Workflow: "wf", Step: "act", Kind: backend.Activity, Queue: "q", Tags: add.Tags, Attempts: 2,
		Reason: "too late", Failure: two, Moved: got.Moved, Errors: got.Errors,
	})
	h.that("it has a time", !got.Moved.IsZero())
	equal(h, "attempts", messages(got.Errors), []string{"1 one retried", "2 two"})
	equal(h, "attempt", got.Errors[0], backend.Attempt{
		Task: first.ID, Attempt: 1, Worker: w, Failure: one, At: got.Errors[0].At, Retried: true, Token: first.Token, Started: first.Started,
	})
	h.that("it has a time", !got.Errors[0].At.IsZero() && !got.Errors[0].Started.IsZero())
	if db, ok := h.db.(backend.Attempts); ok {
		all, err := db.Attempts(h.ctx, "a")
		h.ok(err)
		equal(h, "attempts of the execution", all, got.Errors)
		none, err := db.Attempts(h.ctx, "b")
		h.ok(err)
		equal(h, "attempts of another", len(none), 0)
	}
}

func activityReleased(h *harness) {
	w := h.worker("w")
	got := h.queued(w, "a")
	r := &backend.Release{Task: got.ID, Token: got.Token}
	h.commit(w, r)
	h.is("release", r.Err, nil)
	t := h.entry("a", 1)
	equal(h, "state", t.State, backend.Pending)
	equal(h, "attempt and crashes", [2]int{t.Attempt, t.Crashes}, [2]int{1, 0})
	equal(h, "held", len(h.held(w)), 0)
	again := h.claimOne(w)
	h.that("the token grows", again.ID == got.ID && again.Token > got.Token)
}

func rootReleased(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	r := &backend.Release{Task: root("a"), Token: token}
	h.commit(w, r)
	h.is("release", r.Err, nil)
	e := h.execution("a")
	equal(h, "state", e.State, backend.Pending)
	equal(h, "attempt and crashes", [2]int{e.Attempt, e.Crashes}, [2]int{1, 0})
	h.that("it has not started", e.Started.IsZero())
	again := h.claimOne(w)
	h.that("it is fresh and its token grows", again.Fresh && again.Token > token)
	h.state("a", backend.Running, backend.Running)

	h.yield(w, "a", again.Token)
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	third := h.claimOne(w)
	h.commit(w, &backend.Release{Task: root("a"), Token: third.Token})
	equal(h, "state of one that has run before", h.execution("a").State, backend.Running)
	equal(h, "claimed", h.claimOne(w).ID, root("a"))
}
