package backendtest

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

var deadLetters = []behaviour{
	{"they are listed newest first, filtered and by pages", lettersListed},
	{"a list goes on after a letter that is gone, or has come back", lettersPaged},
	{"they can be chosen by when they were moved", lettersByAge},
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
	equal(h, "of a workflow", len(list(backend.DeadLetterFilter{Workflow: "wf"})), 6)
	equal(h, "of another workflow", len(list(backend.DeadLetterFilter{Workflow: "other"})), 0)
	equal(h, "of an execution", list(backend.DeadLetterFilter{Execution: "e2"}), []string{"e2.1"})
	equal(h, "of none", len(list(backend.DeadLetterFilter{Execution: "e2", Step: "mail"})), 0)
	equal(h, "page", list(backend.DeadLetterFilter{Step: "act", Limit: 2}), []string{"e4.1", "e3.1"})
	equal(h, "next page", list(backend.DeadLetterFilter{Step: "act", Limit: 2, After: task("e3", 1)}), []string{"e2.1", "e1.1"})
}

func lettersPaged(h *harness) {
	w := h.worker("w")
	for i := range 4 {
		h.failed(w, fmt.Sprint("e", i))
	}
	page := func(f backend.DeadLetterFilter) []string {
		h.t.Helper()
		f.Limit = 2
		all, err := h.db.DeadLetters(h.ctx, f)
		h.ok(err)
		var names []string
		for i, l := range all {
			names = append(names, l.Task.String())
			h.that("the numbers fall", i == 0 || l.N < all[i-1].N)
		}
		return names
	}
	first, err := h.db.DeadLetters(h.ctx, backend.DeadLetterFilter{Limit: 2})
	h.ok(err)
	last := first[1]
	equal(h, "last of the first page", last.Task, task("e2", 1))
	rest := []string{"e1.1", "e0.1"}
	equal(h, "before its number", page(backend.DeadLetterFilter{Before: last.N}), rest)
	h.ok(h.db.Replay(h.ctx, last.Task, "", "me"))
	equal(h, "after it is gone", page(backend.DeadLetterFilter{After: last.Task}), rest)
	equal(h, "before its number, when it is gone", page(backend.DeadLetterFilter{Before: last.N}), rest)
	again := h.claimOne(w)
	h.commit(w, &backend.Bury{Task: again.ID, Token: again.Token, State: backend.Failed, Failure: oops(), Reason: "r"})
	equal(h, "it is the newest now", page(backend.DeadLetterFilter{}), []string{"e2.1", "e3.1"})
	equal(h, "after it, where it is now", page(backend.DeadLetterFilter{After: last.Task}), []string{"e3.1", "e1.1"})
	equal(h, "before the number that it had", page(backend.DeadLetterFilter{Before: last.N}), rest)
}

func lettersByAge(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	h.failed(w, "b")
	all, err := h.db.DeadLetters(h.ctx, backend.DeadLetterFilter{})
	h.ok(err)
	second := all[0].Moved
	h.that("they were moved one after the other", all[1].Moved.Before(second))
	for _, x := range []struct {
		f    backend.DeadLetterFilter
		want []string
	}{
		{backend.DeadLetterFilter{MovedSince: second}, []string{"b.1"}},
		{backend.DeadLetterFilter{MovedBefore: second}, []string{"a.1"}},
		{backend.DeadLetterFilter{MovedSince: all[1].Moved, MovedBefore: second.Add(1000)}, []string{"b.1", "a.1"}},
	} {
		found, err := h.db.DeadLetters(h.ctx, x.f)
		h.ok(err)
		var names []string
		for _, l := range found {
			names = append(names, l.Task.String())
		}
		equal(h, fmt.Sprintf("%+v", x.f), names, x.want)
	}
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
	entries, err := h.db.Audit(h.ctx, backend.AuditFilter{Task: id, Actor: actor, Action: action})
	h.ok(err)
	equal(h, action+" by "+actor, len(entries), 1)
}
