package backendtest

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

var deadLetters = []behaviour{
	{"they are listed newest first, filtered and by pages", lettersListed},
	{"one that is not there is not found", lettersNotFound},
	{"a discarded one is gone and nothing else has changed", letterDiscarded},
}

// failed begins an execution, buries an activity of it and ends it with that cause.
func (h *harness) failed(worker, id string, forget ...int) {
	h.t.Helper()
	token := h.begin(worker, id)
	h.add(worker, id, token, activity(1, backend.Running))
	h.buryAndFail(worker, id, token, forget...)
}

func (h *harness) buryAndFail(worker, id string, token int64, forget ...int) {
	h.t.Helper()
	f, cause := oops(), task(id, 1)
	h.turn(worker, &backend.Turn{
		Execution: id, Token: token,
		Buried:    []*backend.Bury{{Task: cause, Token: 1, State: backend.Failed, Failure: f, Reason: "r"}},
		Forgotten: forget,
		Close:     &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause},
	})
}

func lettersListed(h *harness) {
	w := h.worker("w")
	for i := range 5 {
		h.failed(w, fmt.Sprint("e", i))
	}
	token := h.begin(w, "other")
	add := activity(1, backend.Running)
	add.Step, add.Queue = "mail", "slow"
	h.add(w, "other", token, add)
	h.commit(w, &backend.Bury{Task: task("other", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})

	list := func(f backend.DeadLetterFilter) []string {
		h.t.Helper()
		all, err := h.db.DeadLetters(h.ctx, f)
		h.ok(err)
		var names []string
		for _, l := range all {
			names = append(names, l.Task.String())
			h.that("the list is without attempts", l.Errors == nil)
		}
		return names
	}
	equal(h, "all", list(backend.DeadLetterFilter{}), []string{"other.1", "e4.1", "e3.1", "e2.1", "e1.1", "e0.1"})
	equal(h, "of a step", list(backend.DeadLetterFilter{Step: "mail"}), []string{"other.1"})
	equal(h, "of a queue", list(backend.DeadLetterFilter{Queue: "slow"}), []string{"other.1"})
	equal(h, "of an execution", list(backend.DeadLetterFilter{Execution: "e2"}), []string{"e2.1"})
	equal(h, "of none", len(list(backend.DeadLetterFilter{Execution: "e2", Step: "mail"})), 0)
	equal(h, "page", list(backend.DeadLetterFilter{Step: "act", Limit: 2}), []string{"e4.1", "e3.1"})
	equal(h, "next page", list(backend.DeadLetterFilter{Step: "act", Limit: 2, After: task("e3", 1)}), []string{"e2.1", "e1.1"})
}

func lettersNotFound(h *harness) {
	h.begin(h.worker("w"), "a")
	for _, id := range []backend.TaskID{root("a"), task("b", 1)} {
		_, err := h.db.DeadLetter(h.ctx, id)
		h.is("read", err, backend.ErrNotFound)
		h.is("replay", h.db.Replay(h.ctx, id, "", "me"), backend.ErrNotFound)
		h.is("discard", h.db.Discard(h.ctx, id, "me"), backend.ErrNotFound)
	}
}

func letterDiscarded(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	before := h.history("a")
	h.ok(h.db.Discard(h.ctx, task("a", 1), "me"))
	equal(h, "dead letters", len(h.letters()), 0)
	after := h.history("a")
	before.Now = after.Now
	equal(h, "history", after, before)
	h.audited(task("a", 1), "me", "discard")
	h.is("discarded again", h.db.Discard(h.ctx, task("a", 1), "me"), backend.ErrNotFound)
}

// audited fails the test unless an action is noted once.
func (h *harness) audited(id backend.TaskID, actor, action string) {
	h.t.Helper()
	if h.features.Actions != nil {
		equal(h, action+" by "+actor, h.features.Actions(h.t, h.db, id, actor, action), 1)
	}
}
