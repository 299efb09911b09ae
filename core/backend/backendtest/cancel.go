package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var cancels = []behaviour{
	{"one that was never begun is cancelled at once and is claimed no more", cancelPending},
	{"one that waits is cancelling and due", cancelWaiting},
	{"the holder of a running one is told, and it ends as cancelled whatever the turn says", cancelRunning},
	{"one that is to begin again does so at once", cancelBackingOff},
	{"activities in queues are cancelled, timers and waits are the workflow's", cancelQueued},
	{"an activity that runs while nobody has the orchestrator is cancelled, its worker is told and refused", cancelElsewhere},
	{"an activity that runs here is the holder's to end", cancelHere},
	{"what a turn forgets on another worker is recalled there, and told again until it is", cancelForgotten},
	{"a turn that stops what has ended meanwhile is refused, and changes nothing", cancelEnded},
	{"an activity that is added afterwards runs", cancelThenAdd},
	{"entries that were cancelled are read as such", cancelEntries},
	{"one that is cancelling or cancelled is cancelled again without an error, and stays", cancelTwice},
	{"an unknown one is not found, one that has ended is finished", cancelRefused},
	{"who asked is kept once", cancelAudit},
	{"a cancelling one that crashes too often is cancelled and no dead letter", cancelPoison},
	{"a cancelling one that was released is read with its history", cancelReleased},
	{"the caller of one that is cancelled at once is told", cancelChild},
	{"executions are counted by state all the time", cancelStats},
	{"one that ends in the batch that cancels it ends as one of the two and is told which", cancelInBatch},
}

// cancel asks for a cancellation that must succeed.
func (h *harness) cancel(id string, want backend.State) {
	h.t.Helper()
	c := &backend.Cancel{Execution: id, Actor: "ada", Reason: "why"}
	h.commit("", c)
	h.is("cancel", c.Err, nil)
	equal(h, "state", c.State, want)
}

// recalled is what a worker is told when it renews its lease.
func (h *harness) recalled(worker string) (tasks []string) {
	h.t.Helper()
	for _, r := range h.renew(worker).Recalled {
		tasks = append(tasks, r.Task.String())
	}
	return tasks
}

func (h *harness) renew(worker string) backend.Renewal {
	h.t.Helper()
	r, err := h.db.Renew(h.ctx, worker, backend.WorkerReady, 0, long)
	h.ok(err)
	return r
}

func cancelPending(h *harness) {
	w := h.worker("w")
	later := newStart("later")
	later.Delay = long
	h.commit("", later)
	h.start("a")
	for _, id := range []string{"a", "later"} {
		h.cancel(id, backend.Cancelled)
		h.state(id, backend.Cancelled, backend.Cancelled)
		e := h.execution(id)
		h.that("it has ended and is not due", !e.Finished.IsZero() && e.Due.IsZero() && !e.CancelRequested.IsZero())
	}
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	equal(h, "dead letters", len(h.letters()), 0)
}

func cancelWaiting(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{timer(1, long)}, Yield: &backend.Yield{WakeIn: long}})
	h.cancel("a", backend.Cancelling)
	h.state("a", backend.Cancelling, backend.Waiting)
	got := h.claimOne(w)
	equal(h, "claimed", got.ID, root("a"))
	h.that("its history says when it was asked", !h.execution("a").CancelRequested.IsZero())
	equal(h, "the timer", h.entry("a", 1).State, backend.Waiting)
}

func cancelRunning(h *harness) {
	w := h.worker("w")
	for _, end := range []backend.State{backend.Completed, backend.Failed} {
		id := string(end)
		token := h.begin(w, id)
		h.cancel(id, backend.Cancelling)
		h.state(id, backend.Cancelling, backend.Running)
		equal(h, "told", h.woken(w), []string{id})
		turn := &backend.Turn{Execution: id, Token: token, Added: []backend.Add{timer(1, 0)}}
		h.turn(w, turn)
		equal(h, "state after a turn", turn.State, backend.Cancelling)
		f := oops()
		turn = &backend.Turn{Execution: id, Token: token, Close: &backend.Close{State: end, Result: []byte("r"), Failure: &f, Reason: "why"}}
		h.turn(w, turn)
		equal(h, "state after the last turn", turn.State, backend.Cancelled)
		h.state(id, backend.Cancelled, backend.Cancelled)
	}
	equal(h, "dead letters", len(h.letters()), 0)
}

func cancelBackingOff(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Again: &backend.Again{Failure: oops(), Delay: long}})
	h.cancel("a", backend.Cancelling)
	got := h.claimOne(w)
	equal(h, "claimed", got.ID, root("a"))
	h.that("its history is to be read", !got.Fresh)
	h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, Again: &backend.Again{Failure: oops(), Delay: long}})
	equal(h, "claimed", h.claimOne(w).ID, root("a"))
}

func cancelQueued(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	wait := timer(3, -1)
	wait.Kind = backend.SignalWait
	h.add(w, "a", token, activity(1, backend.Pending), timer(2, long), wait, activity(4, backend.Running))
	h.commit(w, &backend.Retry{Task: task("a", 4), Token: 1, Failure: oops(), Delay: long})
	h.cancel("a", backend.Cancelling)
	for seq, want := range []backend.State{1: backend.Cancelled, 2: backend.Waiting, 3: backend.Waiting, 4: backend.Cancelled} {
		if seq > 0 {
			equal(h, "state of "+task("a", seq).String(), h.entry("a", seq).State, want)
		}
	}
	h.that("it has finished", !h.entry("a", 1).Finished.IsZero())
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	equal(h, "dead letters", len(h.letters()), 0)
}

func cancelElsewhere(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	got := h.queued(w, "a")
	equal(h, "recalled before", len(h.recalled(w)), 0)
	h.cancel("a", backend.Cancelling)
	equal(h, "state", h.entry("a", 1).State, backend.Cancelled)
	equal(h, "recalled", h.renew(w).Recalled, []backend.Recall{{Task: got.ID, Token: got.Token, State: backend.Cancelling}})
	equal(h, "recalled from another", len(h.recalled(other)), 0)
	equal(h, "held", len(h.held(w)), 0)
	late := &backend.Complete{Task: got.ID, Token: got.Token}
	h.commit(w, late)
	h.is("a late end", late.Err, backend.ErrLeaseLost)
	retry := &backend.Retry{Task: got.ID, Token: got.Token, Failure: oops()}
	h.commit(w, retry)
	h.is("a late retry", retry.Err, backend.ErrLeaseLost)
	bury := &backend.Bury{Task: got.ID, Token: got.Token, State: backend.Failed, Failure: oops(), Reason: "r"}
	h.commit(w, bury)
	h.is("a late burial", bury.Err, backend.ErrLeaseLost)
	equal(h, "dead letters", len(h.letters()), 0)
}

func cancelHere(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Pending))
	claimed := h.claimOne(other)
	h.cancel("a", backend.Cancelling)
	equal(h, "state", [2]backend.State{h.entry("a", 1).State, h.entry("a", 2).State}, [2]backend.State{backend.Running, backend.Running})
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Completed: []*backend.Complete{{Task: task("a", 1), Token: 1}}})
	end := &backend.Complete{Task: claimed.ID, Token: claimed.Token}
	h.commit(other, end)
	h.is("an end on another worker", end.Err, nil)
}

func cancelForgotten(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending), activity(2, backend.Running), activity(3, backend.Pending))
	got := h.claimOneOf(other)
	h.cancel("a", backend.Cancelling)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Forgotten: []int{1, 2, 3}})
	want := []backend.Recall{{Task: got.ID, Token: got.Token, State: backend.Cancelling}}
	equal(h, "recalled", h.renew(other).Recalled, want)
	equal(h, "recalled again", h.renew(other).Recalled, want)
	equal(h, "recalled here", len(h.recalled(w)), 0)
	for seq := 1; seq <= 3; seq++ {
		equal(h, "state", h.entry("a", seq).State, backend.Cancelled)
	}
	h.ok(h.db.Retire(h.ctx, other))
	h.state("a", backend.Cancelling, backend.Running)
}

// claimOneOf claims one of several tasks that are due.
func (h *harness) claimOneOf(worker string) backend.Claimed {
	h.t.Helper()
	got := h.claim(worker, 1)
	equal(h, "tasks claimed", len(got), 1)
	return got[0]
}

func cancelThenAdd(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.cancel("a", backend.Cancelling)
	h.add(w, "a", token, activity(1, backend.Pending), activity(2, backend.Running))
	h.cancel("a", backend.Cancelling)
	got := h.claimOne(w)
	end := &backend.Complete{Task: got.ID, Token: got.Token, Result: []byte("r")}
	h.commit(w, end)
	h.is("its end", end.Err, nil)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Completed: []*backend.Complete{{Task: task("a", 2), Token: 1}},
		Close: &backend.Close{State: backend.Completed}})
	equal(h, "state", h.entry("a", 2).State, backend.Completed)
	h.state("a", backend.Cancelled, backend.Cancelled)
}

func cancelEntries(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, timer(1, long))
	unmade := activity(2, backend.Cancelled)
	mark := backend.Add{Seq: 3, Key: "cancel", Kind: backend.Cancellation, Step: "cancel", State: backend.Completed}
	h.twice(w, &backend.Turn{Execution: "a", Token: token, Settled: []backend.Settle{{Seq: 1, State: backend.Cancelled}}, Added: []backend.Add{unmade, mark}})
	for seq, want := range []backend.State{1: backend.Cancelled, 2: backend.Cancelled, 3: backend.Completed} {
		if seq > 0 {
			equal(h, "state", h.entry("a", seq).State, want)
			h.that("it has finished", !h.entry("a", seq).Finished.IsZero())
		}
	}
	equal(h, "kind", h.entry("a", 3).Kind, backend.Cancellation)
	equal(h, "claimed", len(h.claim(w, 10)), 0)
}

func cancelTwice(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.cancel("a", backend.Cancelling)
	at := h.execution("a").CancelRequested
	h.woken(w)
	h.cancel("a", backend.Cancelling)
	equal(h, "told again", len(h.woken(w)), 0)
	one, two := &backend.Cancel{Execution: "b"}, &backend.Cancel{Execution: "b"}
	h.start("b")
	h.commit("", one, two)
	h.is("the second in a batch", two.Err, nil)
	h.that("it has ended with the first alone", one.Ended && !two.Ended)
	equal(h, "states", [2]backend.State{one.State, two.State}, [2]backend.State{backend.Cancelled, backend.Cancelled})
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Completed}})
	h.cancel("a", backend.Cancelled)
	h.that("the first time counts", h.execution("a").CancelRequested.Equal(at))
}

func cancelRefused(h *harness) {
	w := h.worker("w")
	for _, end := range []backend.State{backend.Completed, backend.Failed} {
		id := string(end)
		token := h.begin(w, id)
		h.turn(w, &backend.Turn{Execution: id, Token: token, Close: &backend.Close{State: end}})
		c := &backend.Cancel{Execution: id}
		h.commit("", c)
		h.is("ended", c.Err, backend.ErrFinished)
		equal(h, "state", c.State, end)
		h.state(id, end, end)
		h.that("it was not asked to stop", h.execution(id).CancelRequested.IsZero())
	}
	unknown, other := &backend.Cancel{Execution: "x"}, newStart("c")
	h.commit("", unknown, other)
	h.is("unknown", unknown.Err, backend.ErrNotFound)
	h.is("another command", other.Err, nil)
}

func cancelAudit(h *harness) {
	w := h.worker("w")
	h.begin(w, "a")
	h.cancel("a", backend.Cancelling)
	h.cancel("a", backend.Cancelling)
	h.audited(root("a"), "ada", backend.ActionCancel)
}

func cancelPoison(h *harness) {
	h.start("a")
	d := h.doomed("d")
	equal(h, "claimed", len(h.claim(d, 1)), 1)
	h.cancel("a", backend.Cancelling)
	h.reap(1, d)
	h.state("a", backend.Cancelled, backend.Cancelled)
	equal(h, "dead letters", len(h.letters()), 0)
}

func cancelReleased(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.cancel("a", backend.Cancelling)
	h.commit(w, &backend.Release{Task: root("a"), Token: token})
	h.state("a", backend.Cancelling, backend.Pending)
	h.that("it is not taken for one without a history", !h.claimOne(w).Fresh)
}

func cancelChild(h *harness) {
	w := h.worker("w")
	held := h.begin(w, "held")
	h.add(w, "held", held, call(1, "one"))
	waits := h.beginApart(w, "waits")
	h.turn(w, &backend.Turn{Execution: "waits", Token: waits, Added: []backend.Add{call(1, "two")}, Yield: &backend.Yield{WakeIn: -1}})
	h.cancel("one", backend.Cancelled)
	h.cancel("two", backend.Cancelled)
	equal(h, "states", [2]backend.State{h.entry("held", 1).State, h.entry("waits", 1).State}, [2]backend.State{backend.Cancelled, backend.Cancelled})
	equal(h, "told", h.woken(w), []string{"held"})
	c := newClaim(1)
	c.Queues = []string{"waits"}
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"waits.0"})
}

// beginApart begins an execution beside others that are due.
func (h *harness) beginApart(worker, id string) int64 {
	h.t.Helper()
	s := newStart(id)
	s.Queue = id
	h.commit("", s)
	c := newClaim(1)
	c.Queues = []string{id}
	h.commit(worker, c)
	equal(h, "claimed", ids(c.Tasks), []string{id + ".0"})
	return c.Tasks[0].Token
}

func cancelStats(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.start("b")
	h.cancel("a", backend.Cancelling)
	h.cancel("b", backend.Cancelled)
	h.counts(map[backend.State]int64{backend.Cancelling: 1, backend.Cancelled: 1})
	h.commit(w, &backend.Release{Task: root("a"), Token: token})
	h.counts(map[backend.State]int64{backend.Cancelling: 1, backend.Cancelled: 1})
	got := h.claimOne(w)
	h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, Close: &backend.Close{State: backend.Completed}})
	h.counts(map[backend.State]int64{backend.Cancelled: 2})
	for _, s := range []backend.State{backend.Cancelled, backend.Cancelling} {
		list, err := h.db.Executions(h.ctx, backend.ExecutionFilter{States: []backend.State{s}, Since: time.Now().Add(-time.Hour)})
		h.ok(err)
		equal(h, "listed as "+string(s), len(list), map[backend.State]int{backend.Cancelled: 2}[s])
	}
}

func cancelInBatch(h *harness) {
	w := h.worker("w")
	ends := map[string]*backend.Turn{}
	for _, id := range []string{"before", "after"} {
		ends[id] = &backend.Turn{Execution: id, Token: h.begin(w, id), Close: &backend.Close{State: backend.Completed}}
	}
	parent, child := h.family(w, "parent", "child")
	ends["parent"] = &backend.Turn{
		Execution: "parent", Token: parent, Forgotten: []int{1}, Deserted: []string{"child"}, Close: &backend.Close{State: backend.Completed},
	}
	ends["child"] = &backend.Turn{Execution: "child", Token: child, Close: &backend.Close{State: backend.Completed}}
	h.commit(w, &backend.Cancel{Execution: "before"}, ends["before"], ends["after"], &backend.Cancel{Execution: "after"}, ends["parent"], ends["child"])
	counts := map[backend.State]int64{}
	for id, turn := range ends {
		h.ok(turn.Err)
		equal(h, id+" is what the turn was told", h.execution(id).State, turn.State)
		counts[turn.State]++
	}
	h.counts(counts)
}

func cancelEnded(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending), activity(2, backend.Pending), timer(3, long))
	elsewhere := h.claimOneOf(other)
	h.cancel("a", backend.Cancelling)
	left := 3 - elsewhere.ID.Seq
	stop := func(seqs ...int) *backend.Turn {
		mark := backend.Add{Seq: 4, Key: "cancel", Kind: backend.Cancellation, Step: "cancel", Queue: "default", State: backend.Completed}
		return &backend.Turn{
			Execution: "a", Token: token, Added: []backend.Add{mark}, Stopped: seqs, Settled: []backend.Settle{{Seq: 3, State: backend.Cancelled}},
		}
	}
	h.commit(other, &backend.Complete{Task: elsewhere.ID, Token: elsewhere.Token, Result: []byte("1")})
	both, fits := stop(1, 2), stop(left)
	h.commit(w, both)
	h.is("a turn that stops what has completed", both.Err, backend.ErrLeaseLost)
	equal(h, "entries", len(h.history("a").Tasks), 3)
	equal(h, "what was in a queue", h.entry("a", left).State, backend.Cancelled)
	equal(h, "the timer", h.entry("a", 3).State, backend.Waiting)
	h.commit(w, fits)
	h.ok(fits.Err)
	equal(h, "what had completed", h.entry("a", elsewhere.ID.Seq).State, backend.Completed)
	equal(h, "what was stopped", h.entry("a", left).State, backend.Cancelled)
	again := stop(left)
	h.commit(w, again)
	h.is("the same turn once more", again.Err, nil)
}
