package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var expirations = []behaviour{
	{"an execution times out after its maximal duration, wherever it stands", expireExecutions},
	{"its unfinished tasks are cancelled, and their workers are told", expireTasks},
	{"one that has ended is never touched", expireEnded},
	{"one that is cancelling is cancelled then", expireCancelling},
	{"the caller of one that has timed out is told", expireChild},
	{"a replay gives it the same duration again", expireReplayed},
	{"a renewal and Expire tell how long it is until the next", expireNext},
	{"an activity that no worker takes in time is buried and wakes its workflow", startWithin},
	{"one that is taken in time, or runs at once, is not", startedWithin},
	{"the time begins anew when it goes back to its queue", startWithinAgain},
}

func (h *harness) lasting(id string, d time.Duration) {
	h.t.Helper()
	s := newStart(id)
	s.MaxDuration = d
	h.commit("", s)
	h.ok(s.Err)
}

// expire looks until something has used up its time.
func (h *harness) expire() (all backend.Expired) {
	h.t.Helper()
	h.until("something has used up its time", func() bool {
		x, err := h.db.Expire(h.ctx)
		h.ok(err)
		all.Executions, all.Tasks, all.Next = append(all.Executions, x.Executions...), append(all.Tasks, x.Tasks...), x.Next
		return len(all.Executions)+len(all.Tasks) > 0 && x.Next != 0
	})
	return all
}

func expireExecutions(h *harness) {
	w := h.worker("w")
	h.lasting("held", soon)
	equal(h, "claimed", len(h.claim(w, 1)), 1)
	h.lasting("waits", soon)
	got := h.claimOne(w)
	h.yield(w, "waits", got.Token)
	late := newStart("queued")
	late.MaxDuration, late.Delay = soon, long
	h.commit("", late)
	h.start("free")

	seen := map[string]backend.State{}
	h.until("all three have timed out", func() bool {
		x, err := h.db.Expire(h.ctx)
		h.ok(err)
		for _, e := range x.Executions {
			seen[e.ID] = e.State
			equal(h, "failure", *e.Failure, backend.Overdue(soon))
			equal(h, "workflow", e.Workflow, "wf")
		}
		return len(seen) == 3
	})
	for id := range seen {
		h.state(id, backend.TimedOut, backend.TimedOut)
		e := h.execution(id)
		equal(h, "failure", *e.Failure, backend.Overdue(soon))
		h.that("it has ended and is not due", !e.Finished.IsZero() && e.Due.IsZero())
		h.that("it was not too early", !e.Finished.Before(e.Deadline))
	}
	equal(h, "dead letters", len(h.letters()), 3)
	h.state("free", backend.Pending, backend.Pending)
	h.counts(map[backend.State]int64{backend.TimedOut: 3, backend.Pending: 1})
	equal(h, "recalled", h.recalled(w), []string{"held.0"})
	equal(h, "held", len(h.held(w)), 0)
	turn := &backend.Turn{Execution: "held", Token: 1, Close: &backend.Close{State: backend.Completed}}
	h.commit(w, turn)
	h.is("a late turn", turn.Err, backend.ErrLeaseLost)
	h.state("held", backend.TimedOut, backend.TimedOut)
}

func expireTasks(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	h.lasting("a", soon)
	got := h.claimOne(w)
	h.add(w, "a", got.Token, activity(1, backend.Running), activity(2, backend.Pending), timer(3, long))
	claimed := h.claimOne(other)
	h.expire()
	for seq := 1; seq <= 3; seq++ {
		equal(h, "state", h.entry("a", seq).State, backend.Cancelled)
	}
	equal(h, "recalled", h.recalled(w), []string{"a.0", "a.1"})
	equal(h, "recalled", h.renew(other).Recalled, []backend.Recall{{Task: claimed.ID, Token: claimed.Token, State: backend.TimedOut, Limit: soon}})
	end := &backend.Complete{Task: claimed.ID, Token: claimed.Token}
	h.commit(other, end)
	h.is("a late end", end.Err, backend.ErrLeaseLost)
	h.state("a", backend.TimedOut, backend.TimedOut)
}

func expireEnded(h *harness) {
	w := h.worker("w")
	for _, end := range []backend.State{backend.Completed, backend.Failed} {
		h.lasting(string(end), short)
		got := h.claimOne(w)
		h.turn(w, &backend.Turn{Execution: string(end), Token: got.Token, Close: &backend.Close{State: end}})
	}
	h.lasting("cancelled", short)
	h.cancel("cancelled", backend.Cancelled)
	h.lasting("late", short)
	x := h.expire()
	equal(h, "expired", len(x.Executions), 1)
	equal(h, "next", x.Next, -1)
	for _, end := range []backend.State{backend.Completed, backend.Failed, backend.Cancelled} {
		h.state(string(end), end, end)
	}
}

func expireCancelling(h *harness) {
	w := h.worker("w")
	h.lasting("a", soon)
	h.claimOne(w)
	h.cancel("a", backend.Cancelling)
	x := h.expire()
	equal(h, "expired", x.Executions, []backend.ExpiredExecution{{ID: "a", Workflow: "wf", Queue: "default", State: backend.Cancelled}})
	h.state("a", backend.Cancelled, backend.Cancelled)
	h.that("it has no failure", h.execution("a").Failure == nil)
	equal(h, "dead letters", len(h.letters()), 0)
}

func expireChild(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	late := call(1, "c")
	late.Child.MaxDuration = short
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{late}, Yield: &backend.Yield{WakeIn: -1}})
	h.claimOne(w)
	h.expire()
	got := h.entry("a", 1)
	equal(h, "state", got.State, backend.TimedOut)
	want := backend.Overdue(short)
	want.Cause = "c.0"
	equal(h, "failure", *got.Failure, want)
	equal(h, "claimed", h.claimOne(w).ID, root("a"))
}

func expireReplayed(h *harness) {
	h.lasting("a", soon)
	for range 2 {
		h.expire()
		h.ok(h.db.Replay(h.ctx, root("a"), "", "me"))
		e, now := h.execution("a"), h.history("a").Now
		h.state("a", backend.Pending, backend.Waiting)
		left := e.Deadline.Sub(now)
		h.that("it has at most its duration", left <= soon)
	}
	h.expire()
	h.state("a", backend.TimedOut, backend.TimedOut)
}

func expireNext(h *harness) {
	w := h.worker("w")
	equal(h, "with nothing", h.renew(w).Expiry, -1)
	x, err := h.db.Expire(h.ctx)
	h.ok(err)
	equal(h, "with nothing", x, backend.Expired{Next: -1})
	h.lasting("a", long)
	for _, next := range []time.Duration{h.renew(w).Expiry, func() time.Duration {
		x, err := h.db.Expire(h.ctx)
		h.ok(err)
		return x.Next
	}()} {
		h.that("it is until the deadline", next > long/2 && next <= long)
	}
	claimed := h.claimOne(w)
	h.that("a claim tells as well", claimed.Expiry > long/2 && claimed.Expiry <= long)
	token := claimed.Token
	limited := activity(1, backend.Pending)
	limited.StartWithin = long / 4
	h.add(w, "a", token, limited)
	h.that("it is until the first of the two", h.renew(w).Expiry <= long/4)
}

func startWithin(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	limited := activity(1, backend.Pending)
	limited.StartWithin = short
	h.add(w, "a", token, limited, activity(2, backend.Pending))
	h.yield(w, "a", token)
	x := h.expire()
	want := backend.ExpiredTask{Task: task("a", 1), Step: "act", Queue: "default", Failure: backend.Unstarted("default", short)}
	equal(h, "expired", x, backend.Expired{Tasks: []backend.ExpiredTask{want}, Next: -1})
	got := h.entry("a", 1)
	equal(h, "state", got.State, backend.TimedOut)
	equal(h, "failure", *got.Failure, want.Failure)
	h.that("it is not due", got.Due.IsZero())
	letter, err := h.db.DeadLetter(h.ctx, task("a", 1))
	h.ok(err)
	equal(h, "reason", letter.Reason, want.Failure.Message)
	equal(h, "claimed", ids(h.claim(w, 10)), []string{"a.2", "a.0"})
}

func startedWithin(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	taken, here, late := activity(1, backend.Pending), activity(2, backend.Running), activity(3, backend.Pending)
	taken.StartWithin, here.StartWithin, late.StartWithin = short, short, short
	h.add(w, "a", token, taken, here)
	h.claimOne(w)
	h.add(w, "a", token, late)
	x := h.expire()
	equal(h, "expired", len(x.Tasks), 1)
	equal(h, "expired", x.Tasks[0].Task, task("a", 3))
	equal(h, "next", x.Next, -1)
	equal(h, "states", [2]backend.State{h.entry("a", 1).State, h.entry("a", 2).State}, [2]backend.State{backend.Running, backend.Running})
}

func startWithinAgain(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	one, two := activity(1, backend.Running), activity(2, backend.Running)
	one.StartWithin, two.StartWithin = short, short
	h.add(w, "a", token, one, two)
	h.commit(w, &backend.Retry{Task: task("a", 1), Token: 1, Failure: oops(), Delay: short}, &backend.Release{Task: task("a", 2), Token: 1})
	due := h.entry("a", 1).Due
	seen := map[int]bool{}
	h.until("both have expired", func() bool {
		x, err := h.db.Expire(h.ctx)
		h.ok(err)
		for _, t := range x.Tasks {
			seen[t.Task.Seq] = true
		}
		return len(seen) == 2
	})
	h.that("the time counts from when it was due", h.entry("a", 1).Finished.Sub(due) >= short)

	h.ok(h.db.Replay(h.ctx, h.failAndLetter(w, "a", token), "", "me"))
	x := h.expire()
	equal(h, "expired after a replay", x.Tasks[0].Task.Execution, "a")
}

// failAndLetter ends an execution because of its first dead letter.
func (h *harness) failAndLetter(worker, id string, token int64) backend.TaskID {
	h.t.Helper()
	cause, f := task(id, 1), oops()
	h.turn(worker, &backend.Turn{Execution: id, Token: token, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})
	return cause
}
