package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var closings = []behaviour{
	{"a completed execution has its result and nothing due", closeCompletes},
	{"a failure without a reason is no dead letter and may point to one", closeFails},
	{"a failure with a reason is in the dead letters", closeBuries},
	{"what is forgotten is cancelled, and its worker is refused", closeForgets},
	{"an execution that is asked to cancel ends as cancelled", closeCancels},
}

func closeCompletes(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	turn := &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{timer(1, -1)},
		Close: &backend.Close{State: backend.Completed, Result: []byte("r")}}
	h.turn(w, turn)
	equal(h, "state", turn.State, backend.Completed)
	h.state("a", backend.Completed, backend.Completed)
	e := h.execution("a")
	equal(h, "result", string(e.Result), "r")
	h.that("it has finished", !e.Finished.IsZero() && e.Failure == nil && e.Due.IsZero())
	equal(h, "worker", e.Worker, w)
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	equal(h, "held", len(h.held(w)), 0)
}

func closeFails(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	f, cause := oops(), task("b.c", 3)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})
	h.state("a", backend.Failed, backend.Failed)
	e := h.execution("a")
	equal(h, "failure", *e.Failure, f)
	equal(h, "cause", *e.Cause, cause)
	equal(h, "dead letters", len(h.letters()), 0)
}

func closeBuries(h *harness) {
	w := h.worker("w")
	s := newStart("a")
	s.Queue, s.Tags = "q", []string{"t"}
	h.commit("", s)
	c := newClaim(1)
	c.Queues, c.Tags = []string{"q"}, s.Tags
	h.commit(w, c)
	f := oops()
	h.turn(w, &backend.Turn{Execution: "a", Token: c.Tasks[0].Token, Close: &backend.Close{State: backend.TimedOut, Failure: &f, Reason: "why"}})
	h.state("a", backend.TimedOut, backend.TimedOut)
	got, err := h.db.DeadLetter(h.ctx, root("a"))
	h.ok(err)
	h.that("it has a time", !got.Moved.IsZero())
	got.N = 0
	equal(h, "dead letter", got, backend.DeadLetter{
		Task: root("a"), Workflow: "wf", Step: "wf", Kind: backend.Orchestrator, Queue: "q", Tags: s.Tags, Attempts: 1,
		Reason: "why", Failure: f, Moved: got.Moved, Errors: got.Errors,
	})
	equal(h, "attempts", messages(got.Errors), []string{"1 oops"})
}

func closeForgets(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending), activity(2, backend.Pending), timer(3, long), activity(4, backend.Running))
	running := h.claim(w, 1)[0]
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Forgotten: []int{1, 2, 3, 4}, Close: &backend.Close{State: backend.Completed}})
	for seq := 1; seq <= 4; seq++ {
		equal(h, "state", h.entry("a", seq).State, backend.Cancelled)
		h.that("it has finished", !h.entry("a", seq).Finished.IsZero())
	}
	late := &backend.Complete{Task: running.ID, Token: running.Token}
	h.commit(w, late)
	h.is("late end", late.Err, backend.ErrLeaseLost)
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	equal(h, "held", len(h.held(w)), 0)
}

func closeCancels(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.cancel("a", backend.Cancelling)
	h.state("a", backend.Cancelling, backend.Running)
	h.add(w, "a", token, timer(1, 0))
	f, cause := oops(), task("a", 1)
	turn := &backend.Turn{Execution: "a", Token: token,
		Close: &backend.Close{State: backend.Failed, Result: []byte("r"), Failure: &f, Reason: "why", Cause: &cause}}
	h.turn(w, turn)
	equal(h, "state", turn.State, backend.Cancelled)
	h.state("a", backend.Cancelled, backend.Cancelled)
	e := h.execution("a")
	h.that("it has neither result nor failure", e.Result == nil && e.Failure == nil && e.Cause == nil)
	equal(h, "dead letters", len(h.letters()), 0)
}
