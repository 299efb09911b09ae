package backendtest

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

var children = []behaviour{
	{"a call of a workflow begins an execution in the same change, and the two know each other", childBegins},
	{"a turn that is refused begins no child", childOfStaleTurn},
	{"a child's end is in its parent's history and makes a waiting parent due", childEnds},
	{"a parent that is held is told of a child's end, and no yield loses it", childTold},
	{"a child that workers died of has failed in its parent's history", childPoisoned},
	{"a call whose id is another execution's has failed, and its caller is told", childTaken},
	{"a child that ends after its parent changes nothing about it", childOrphaned},
	{"a detached call goes on when its execution ends", childDetached},
	{"a turn asks children to stop that nobody waits for any more", childDeserted},
	{"who ends a parent from outside asks its children to stop, but for detached ones", childOfDoomed},
	{"a replay sets calls aside whose children were asked to stop", childBegunAnew},
	{"a replay of a child's dead letter reopens its parents, up to the first", childHealsChain},
	{"a replay of a child's dead letter leaves a parent alone that went on or has completed", childHealsAlone},
	{"a parent that waits for two failed children is reopened by the replays of both", childHealsTwo},
	{"a turn that begins or ends a child is applied once", childAgain},
}

// call is an entry that calls the workflow wf as the execution id.
func call(seq int, id string) backend.Add {
	return backend.Add{
		Seq: seq, Key: keyOf(seq), Kind: backend.Child, Step: "wf", Queue: "default", State: backend.Waiting, Delay: -1, InputHash: 7,
		Child: newStart(id),
	}
}

// family begins a parent that waits for a child, whose orchestrator is claimed. It gives the tokens of both.
func (h *harness) family(worker, parent, child string) (ofParent, ofChild int64) {
	h.t.Helper()
	ofParent = h.begin(worker, parent)
	return ofParent, h.bear(worker, parent, ofParent, child)
}

// bear adds a child to a parent, as the first entry of its history, and claims its orchestrator.
func (h *harness) bear(worker, parent string, token int64, child string) int64 {
	h.t.Helper()
	h.add(worker, parent, token, call(1, child))
	got := h.claimOne(worker)
	equal(h, "claimed", got.ID, root(child))
	equal(h, "its parent", *got.Parent, task(parent, 1))
	return got.Token
}

func childBegins(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	c := call(1, "a/1")
	c.Key, c.Priority, c.Tags = "k", 3, []string{"t"}
	*c.Child = backend.Start{
		ID: "a/1", Workflow: "wf", Queue: "q", Priority: 3, Tags: []string{"t"}, Policy: []byte("p"), Input: []byte("i"), InputHash: 7,
		MaxDuration: time.Hour, Metadata: map[string]string{"m": "1"}, Carrier: map[string]string{"c": "2"},
	}
	c.Queue = "q"
	h.add(w, "a", token, c)

	e := h.execution("a/1")
	parent := task("a", 1)
	h.after("deadline", e.Deadline, e.Created, time.Hour)
	equal(h, "child", e, backend.Execution{
		ID: "a/1", Workflow: "wf", Queue: "q", Priority: 3, Tags: []string{"t"}, State: backend.Pending, TaskState: backend.Pending,
		Attempt: 1, Policy: []byte("p"), Input: []byte("i"), InputHash: 7, Metadata: c.Child.Metadata, Carrier: c.Child.Carrier,
		Created: e.Created, Due: e.Due, Deadline: e.Deadline, Parent: &parent, Run: 1,
	})
	got := h.entry("a", 1)
	equal(h, "entry", got, backend.Task{
		ID: parent, Key: "k", Kind: backend.Child, Step: "wf", Workflow: "wf", Queue: "q", Priority: 3, Tags: []string{"t"},
		State: backend.Waiting, Attempt: 1, InputHash: 7, Child: "a/1", Created: got.Created, Started: got.Started,
	})
	h.that("a parent has none itself", h.execution("a").Parent == nil)
	h.counts(map[backend.State]int64{backend.Running: 1, backend.Pending: 1})
	all, err := h.db.Tasks(h.ctx, backend.TaskFilter{Execution: "a", Kinds: []backend.Kind{backend.Child}})
	h.ok(err)
	equal(h, "listed", len(all), 1)
	equal(h, "listed", all[0].Child, "a/1")
}

func childOfStaleTurn(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	turn := &backend.Turn{Execution: "a", Token: token + 1, Added: []backend.Add{call(1, "c")}}
	innocent := newStart("innocent")
	h.commit(w, turn, innocent)
	h.is("turn", turn.Err, backend.ErrLeaseLost)
	_, err := h.db.Execution(h.ctx, "c")
	h.is("child", err, backend.ErrNotFound)
	equal(h, "others", h.execution("innocent").State, backend.Pending)
	h.counts(map[backend.State]int64{backend.Running: 1, backend.Pending: 1})
}

func childEnds(h *harness) {
	w := h.worker("w")
	cause := task("x", 3)
	f := oops()
	f.Stack, f.Cause = "a stack", ""
	for id, x := range map[string]struct {
		end  backend.Close
		want *backend.Failure
	}{
		"completed": {backend.Close{State: backend.Completed, Result: []byte("\x00r")}, nil},
		"failed":    {backend.Close{State: backend.Failed, Failure: &f, Reason: "r"}, &backend.Failure{Type: f.Type, Message: f.Message, Code: f.Code, Cause: "failed/1.0"}},
		"pointed":   {backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}, &backend.Failure{Type: f.Type, Message: f.Message, Code: f.Code, Cause: "x.3"}},
		"late":      {backend.Close{State: backend.TimedOut, Failure: &f, Reason: "r"}, &backend.Failure{Type: f.Type, Message: f.Message, Code: f.Code, Cause: "late/1.0"}},
	} {
		_, child := h.family(w, id, id+"/1")
		h.yield(w, id, h.execution(id).Token)
		equal(h, "due before", len(h.claim(w, 10)), 0)
		parent := task(id, 1)
		x.end.Parent = &parent
		h.turn(w, &backend.Turn{Execution: id + "/1", Token: child, Close: &x.end})
		got := h.entry(id, 1)
		equal(h, id, got.State, x.end.State)
		equal(h, id, string(got.Result), string(x.end.Result))
		equal(h, id, got.Failure, x.want)
		h.that("it has finished", !got.Finished.IsZero())
		equal(h, "claimed", h.claimOne(w).ID, root(id))
	}
}

// end ends a child's execution.
func end(child string, token int64, parent backend.TaskID) *backend.Turn {
	return &backend.Turn{Execution: child, Token: token, Close: &backend.Close{State: backend.Completed, Result: []byte("r"), Parent: &parent}}
}

// fail fails a child's execution, with its own dead letter.
func fail(child string, token int64, parent backend.TaskID) *backend.Turn {
	f := oops()
	f.Cause = ""
	return &backend.Turn{Execution: child, Token: token, Close: &backend.Close{State: backend.Failed, Failure: &f, Reason: "r", Parent: &parent}}
}

func childTold(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, call(1, "c"), call(2, "d"))
	var tokens []int64
	for _, t := range h.claim(other, 10) {
		tokens = append(tokens, t.Token)
	}
	h.turn(other, end("c", tokens[0], task("a", 1)))
	equal(h, "told", h.woken(w), []string{"a"})
	equal(h, "told again", len(h.woken(w)), 0)
	seen := h.execution("a").Wakes
	h.turn(other, end("d", tokens[1], task("a", 2)))
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Yield: &backend.Yield{WakeIn: -1, Seen: seen}})
	equal(h, "claimed", h.claimOne(w).ID, root("a"))

	// In one batch.
	ofParent, ofChild := h.family(w, "p", "q")
	yields := &backend.Turn{Execution: "p", Token: ofParent, Yield: &backend.Yield{WakeIn: -1, Seen: h.execution("p").Wakes}}
	ends := end("q", ofChild, task("p", 1))
	h.commit(w, yields, ends)
	h.is("yield", yields.Err, nil)
	h.is("end", ends.Err, nil)
	equal(h, "claimed", h.claimOne(w).ID, root("p"))
	equal(h, "state", h.entry("p", 1).State, backend.Completed)
}

func childPoisoned(h *harness) {
	w := h.worker("w")
	h.add(w, "a", h.begin(w, "a"), call(1, "c"))
	h.yield(w, "a", h.execution("a").Token)
	equal(h, "claimed", h.claimOne(h.doomed("d")).ID, root("c"))
	h.reap(1, "d")
	h.state("c", backend.Failed, backend.Failed)
	got := h.entry("a", 1)
	equal(h, "state", got.State, backend.Failed)
	equal(h, "code", got.Failure.Code, "poison")
	equal(h, "cause", got.Failure.Cause, "c.0")
	equal(h, "claimed", h.claimOne(w).ID, root("a"))
}

func childTaken(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.start("taken")
	turn := &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{call(1, "taken"), call(2, "twice"), call(3, "twice"), call(4, "free")},
		Yield: &backend.Yield{WakeIn: -1, Seen: h.execution("a").Wakes}}
	h.turn(w, turn)
	var states []backend.State
	for _, t := range h.history("a").Tasks {
		states = append(states, t.State)
	}
	equal(h, "states", states, []backend.State{backend.Failed, backend.Waiting, backend.Failed, backend.Waiting})
	equal(h, "code", h.entry("a", 1).Failure.Code, backend.CodeChildExists)
	h.that("the execution is nobody's child", h.execution("taken").Parent == nil)
	h.that("the first has the id", h.execution("twice").Parent.Seq == 2)
	claimed := ids(h.claim(w, 10))
	h.that(fmt.Sprint("its caller is due: ", claimed), len(claimed) == 4 && claimed[0] != claimed[1])
	h.counts(map[backend.State]int64{backend.Running: 4})
}

func childOrphaned(h *harness) {
	w := h.worker("w")
	token, child := h.family(w, "a", "c")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Forgotten: []int{1}, Close: &backend.Close{State: backend.Completed, Result: []byte("r")}})
	f := oops()
	parent := task("a", 1)
	h.turn(w, &backend.Turn{Execution: "c", Token: child, Close: &backend.Close{State: backend.TimedOut, Failure: &f, Reason: "r", Parent: &parent}})
	h.state("a", backend.Completed, backend.Completed)
	h.state("c", backend.TimedOut, backend.TimedOut)
	e := h.execution("a")
	equal(h, "result", string(e.Result), "r")
	h.that("it is not due", e.Due.IsZero())
	equal(h, "entry", h.entry("a", 1).State, backend.Cancelled)
	h.counts(map[backend.State]int64{backend.Completed: 1, backend.TimedOut: 1})
}

func childDetached(h *harness) {
	w := h.doomed("d")
	token := h.begin(w, "a")
	c := call(1, "c")
	c.Detached = true
	h.add(w, "a", token, c, timer(2, long))
	h.that("it is told", h.entry("a", 1).Detached)
	h.reap(1, w)
	h.state("a", backend.Failed, backend.Failed)
	equal(h, "the others", h.entry("a", 2).State, backend.Cancelled)
	equal(h, "the call", h.entry("a", 1).State, backend.Waiting)
	again := h.worker("w")
	got := h.claimOne(again)
	equal(h, "claimed", got.ID, root("c"))
	h.turn(again, end("c", got.Token, task("a", 1)))
	equal(h, "the call", h.entry("a", 1).State, backend.Completed)
	h.state("a", backend.Failed, backend.Failed)
}

func childDeserted(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, call(1, "begun"), call(2, "ended"))
	for _, t := range h.claim(other, 2) {
		if t.ID.Execution == "ended" {
			h.turn(other, end("ended", t.Token, task("a", 2)))
		}
	}
	h.add(w, "a", token, call(3, "never"), call(4, "other"))
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Forgotten: []int{1, 3}, Deserted: []string{"begun", "ended", "never", "unknown"},
		Close: &backend.Close{State: backend.Failed, Failure: &backend.Failure{Message: "m"}, Reason: "r"}})
	h.state("begun", backend.Cancelling, backend.Running)
	h.state("ended", backend.Completed, backend.Completed)
	h.state("never", backend.Cancelled, backend.Cancelled)
	h.state("other", backend.Pending, backend.Pending)
	h.state("a", backend.Failed, backend.Failed)
	equal(h, "told", h.woken(other), []string{"begun"})
	for seq, want := range []backend.State{backend.Cancelled, backend.Completed, backend.Cancelled, backend.Waiting} {
		equal(h, "the call", h.entry("a", seq+1).State, want)
	}
	h.counts(map[backend.State]int64{backend.Cancelling: 1, backend.Completed: 1, backend.Cancelled: 1, backend.Failed: 1, backend.Pending: 1})
}

func childOfDoomed(h *harness) {
	d := h.doomed("d")
	token := h.begin(d, "poisoned")
	detached := call(2, "poisoned/2")
	detached.Detached = true
	h.add(d, "poisoned", token, call(1, "poisoned/1"), detached)
	h.reap(1, d)

	w := h.worker("w")
	s := newStart("late")
	s.MaxDuration, s.Priority = short, 1
	h.commit("", s)
	got := h.claim(w, 1)
	equal(h, "claimed", ids(got), []string{"late.0"})
	detached = call(2, "late/2")
	detached.Detached = true
	h.add(w, "late", got[0].Token, call(1, "late/1"), detached)
	h.until("it has timed out", func() bool {
		_, err := h.db.Expire(h.ctx)
		h.ok(err)
		return h.execution("late").State == backend.TimedOut
	})
	for _, id := range []string{"poisoned", "late"} {
		h.state(id+"/1", backend.Cancelled, backend.Cancelled)
		h.state(id+"/2", backend.Pending, backend.Pending)
		equal(h, "the call", h.entry(id, 1).State, backend.Cancelled)
		equal(h, "the detached call", h.entry(id, 2).State, backend.Waiting)
	}
}

func childBegunAnew(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, call(1, "failed"), call(2, "never"), call(3, "begun"))
	for _, t := range h.claim(w, 3) {
		switch t.ID.Execution {
		case "failed":
			h.turn(w, fail("failed", t.Token, task("a", 1)))
		case "never":
			h.commit(w, &backend.Release{Task: t.ID, Token: t.Token})
		}
	}
	f, cause := oops(), root("failed")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Forgotten: []int{2, 3}, Deserted: []string{"never", "begun"},
		Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})
	h.ok(h.db.Replay(h.ctx, cause, "", "me"))
	h.state("a", backend.Running, backend.Waiting)
	equal(h, "the failed one", []any{h.entry("a", 1).State, h.entry("a", 1).Key}, []any{backend.Waiting, keyOf(1)})
	for _, seq := range []int{2, 3} {
		equal(h, "the others", []any{h.entry("a", seq).State, h.entry("a", seq).Key}, []any{backend.Cancelled, ""})
	}
}

func childHealsChain(h *harness) {
	w := h.worker("w")
	top, middle := h.family(w, "a", "b")
	bottom := h.bear(w, "b", middle, "c")
	h.add(w, "c", bottom, activity(1, backend.Running))
	cause := task("c", 1)
	f, of := oops(), func(id string) *backend.TaskID { t := task(id, 1); return &t }
	h.turn(w, &backend.Turn{Execution: "c", Token: bottom,
		Buried: []*backend.Bury{{Task: cause, Token: 1, State: backend.Failed, Failure: f, Reason: "r"}},
		Close:  &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause, Parent: of("b")}})
	h.turn(w, &backend.Turn{Execution: "b", Token: middle, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause, Parent: of("a")}})
	h.add(w, "a", top, timer(2, long), timer(3, long))
	h.turn(w, &backend.Turn{Execution: "a", Token: top, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})
	equal(h, "dead letters", h.letters(), []string{"c.1"})

	h.ok(h.db.Replay(h.ctx, cause, "", "me"))
	for _, id := range []string{"a", "b", "c"} {
		h.state(id, backend.Running, backend.Waiting)
		h.that("nothing is left of the failure", h.execution(id).Failure == nil && h.execution(id).Cause == nil)
	}
	e := h.execution("a")
	equal(h, "healed", [2]int{e.HealedFrom, e.HealedTo}, [2]int{1, 3})
	h.counts(map[backend.State]int64{backend.Running: 3})
	for _, want := range []string{"c.1", "c.0", "b.0", "a.0"} {
		got := h.claimOne(w)
		equal(h, "claimed", got.ID.String(), want)
		switch got.ID.Execution {
		case "a":
			h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, Close: &backend.Close{State: backend.Completed}})
		case "c":
			if !got.ID.IsRoot() {
				h.commit(w, &backend.Complete{Task: got.ID, Token: got.Token})
				continue
			}
			fallthrough
		default:
			h.turn(w, end(got.ID.Execution, got.Token, *got.Parent))
		}
	}
	h.counts(map[backend.State]int64{backend.Completed: 3})
}

func childHealsAlone(h *harness) {
	w := h.worker("w")
	for _, id := range []string{"goes on", "completed"} {
		top, child := h.family(w, id, id+"/1")
		h.turn(w, fail(id+"/1", child, task(id, 1)))
		want := backend.Running
		if id == "completed" {
			want = backend.Completed
			h.turn(w, &backend.Turn{Execution: id, Token: top, Close: &backend.Close{State: backend.Completed}})
		}
		h.ok(h.db.Replay(h.ctx, root(id+"/1"), "", "me"))
		h.state(id, want, want)
		equal(h, "the call", h.entry(id, 1).State, backend.Failed)
		got := h.claimOne(w)
		equal(h, "claimed", got.ID, root(id+"/1"))
		h.turn(w, end(id+"/1", got.Token, task(id, 1)))
		equal(h, "the call", h.entry(id, 1).State, backend.Failed)
		h.state(id, want, want)
	}
}

func childHealsTwo(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, call(1, "b"), call(2, "c"))
	for i, t := range h.claim(w, 2) {
		h.turn(w, fail(t.ID.Execution, t.Token, task("a", i+1)))
	}
	f, cause := oops(), root("b")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})
	h.ok(h.db.Replay(h.ctx, root("b"), "", "me"))
	equal(h, "the other call", h.entry("a", 2).State, backend.Failed)
	h.ok(h.db.Replay(h.ctx, root("c"), "", "me"))
	equal(h, "the calls", [2]backend.State{h.entry("a", 1).State, h.entry("a", 2).State}, [2]backend.State{backend.Waiting, backend.Waiting})
	h.state("a", backend.Running, backend.Waiting)
	equal(h, "claimed", len(h.claim(w, 10)), 2)
}

func childAgain(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	begins := &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{call(1, "c")}}
	h.twice(w, begins)
	h.is("turn", begins.Err, nil)
	equal(h, "state", h.entry("a", 1).State, backend.Waiting)
	got := h.claimOne(w)
	ends := end("c", got.Token, task("a", 1))
	h.twice(w, ends)
	h.is("turn", ends.Err, nil)
	equal(h, "state", h.entry("a", 1).State, backend.Completed)
	equal(h, "wakes", h.execution("a").Wakes, 1)
	h.twice(w, begins)
	h.is("turn", begins.Err, nil)
	h.counts(map[backend.State]int64{backend.Running: 1, backend.Completed: 1})
}
