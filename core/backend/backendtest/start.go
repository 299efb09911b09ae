package backendtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

var starts = []behaviour{
	{"what was started is pending and keeps all it was given", startKeepsAll},
	{"the same id, workflow and input again is the same execution", startTwice},
	{"the same id with another workflow or input is refused and harms nothing else", startDiffers},
	{"many starts at once keep each its own, also beside some that were there", startMany},
	{"a delayed start is not due before its delay", startDelayed},
	{"a start for a time is due then and its delay is ignored", startAt},
	{"a worker need not be registered to start and signal", startWithoutWorker},
	{"one that claims is running, and the worker's, from its beginning", startClaims},
	{"one that claims and was there already is left to who has it", startClaimsExisting},
	{"one that claims begins like any other where its queue is paused", startClaimsPaused},
	{"one that claims begins like any other without a lease", startClaimsWithoutLease},
	{"one that claimed is due again when its worker dies", startClaimsAndDies},
}

func startKeepsAll(h *harness) {
	s := &backend.Start{
		ID: "order-42.7", Workflow: "wf", Queue: "billing", Priority: -3, Tags: []string{"gpu", "eu"}, Policy: []byte(`{"p":1}`),
		Input: []byte("\x00\xff binary"), InputHash: -1 << 63, MaxDuration: time.Hour,
		Metadata: map[string]string{"tenant": "a'b"}, Carrier: map[string]string{"traceparent": "00-x"},
	}
	b := &backend.Batch{Commands: []backend.Command{s}}
	h.ok(h.db.Commit(h.ctx, b))
	h.ok(s.Err)
	h.that("it is new", !s.Existed)
	h.that("the batch has the database's clock", !b.Now.IsZero())

	e := h.execution(s.ID)
	equal(h, "created", e.Created.Equal(b.Now), true)
	equal(h, "due", e.Due.Equal(b.Now), true)
	h.after("deadline", e.Deadline, b.Now, time.Hour)
	want := backend.Execution{
		ID: s.ID, Workflow: "wf", Queue: "billing", Priority: -3, Tags: s.Tags, State: backend.Pending, TaskState: backend.Pending,
		Attempt: 1, Policy: s.Policy, Input: s.Input, InputHash: s.InputHash, Metadata: s.Metadata, Carrier: s.Carrier,
		Created: e.Created, Due: e.Due, Deadline: e.Deadline, Run: 1,
	}
	equal(h, "execution", e, want)
}

func startTwice(h *harness) {
	first, again := newStart("a"), newStart("a")
	h.commit("", first, again)
	h.is("first", first.Err, nil)
	h.is("again", again.Err, nil)
	equal(h, "existed", []bool{first.Existed, again.Existed}, []bool{false, true})

	later := newStart("a")
	later.Priority, later.Queue = 5, "other" // these do not make another execution
	h.commit("", later)
	h.is("later", later.Err, nil)
	h.that("it existed", later.Existed)
	equal(h, "priority", h.execution("a").Priority, 0)
}

func startDiffers(h *harness) {
	h.start("a")
	input, workflow, other := newStart("a"), newStart("a"), newStart("b")
	input.InputHash++
	workflow.Workflow = "another"
	h.commit("", input, other, workflow)
	h.is("another input", input.Err, backend.ErrAlreadyExists)
	h.is("another workflow", workflow.Err, backend.ErrAlreadyExists)
	h.that("neither existed", !input.Existed && !workflow.Existed)
	h.is("another id", other.Err, nil)
	equal(h, "workflow", h.execution("a").Workflow, "wf")
	h.state("b", backend.Pending, backend.Pending)
}

func startMany(h *harness) {
	h.start("4")
	h.start("40")
	var all []*backend.Start
	for i := range 100 {
		s := newStart(fmt.Sprint(i))
		s.Queue, s.Input, s.Metadata = "many", fmt.Append(nil, "input ", i), map[string]string{"i": fmt.Sprint(i)}
		all = append(all, s)
	}
	again, differs := newStart("41"), newStart("42")
	differs.InputHash++
	all = slices.Insert(all, 45, again, differs)
	var batch []backend.Command
	for _, s := range all {
		batch = append(batch, s)
	}
	h.commit("", batch...)
	for i, s := range all {
		switch s {
		case again:
			h.that("it existed", s.Existed)
			continue
		case differs:
			h.is("another input", s.Err, backend.ErrAlreadyExists)
			continue
		}
		h.is("start "+s.ID, s.Err, nil)
		equal(h, fmt.Sprint("existed, ", i), s.Existed, s.ID == "4" || s.ID == "40")
		if !s.Existed {
			e := h.execution(s.ID)
			equal(h, "input", string(e.Input), "input "+s.ID)
			equal(h, "metadata", e.Metadata, s.Metadata)
		}
	}
	stats, err := h.db.Stats(h.ctx)
	h.ok(err)
	equal(h, "pending", stats.Executions[backend.Pending], 100)
}

func startDelayed(h *harness) {
	w := h.worker("w")
	s := newStart("a")
	s.Delay = soon
	b := &backend.Batch{Commands: []backend.Command{s}}
	h.ok(h.db.Commit(h.ctx, b))
	h.after("due", h.execution("a").Due, b.Now, soon)
	c := &backend.Batch{Worker: w, Commands: []backend.Command{newClaim(1)}}
	h.ok(h.db.Commit(h.ctx, c))
	if len(c.Commands[0].(*backend.Claim).Tasks) == 0 { // on a slow machine it may be due already
		h.claimOne(w)
	}
	e := h.execution("a")
	h.that("it was not claimed before it was due", e.Started.Sub(b.Now) >= soon)
}

func startAt(h *harness) {
	w := h.worker("w")
	past, future := newStart("past"), newStart("future")
	past.At, past.Delay = time.Now().Add(-time.Hour).Truncate(time.Second), long
	future.At = time.Now().Add(time.Hour).Truncate(time.Second)
	h.commit("", past, future)
	equal(h, "due", h.execution("past").Due.Equal(past.At), true)
	equal(h, "due", h.execution("future").Due.Equal(future.At), true)
	equal(h, "claimed", ids(h.claim(w, 10)), []string{"past.0"})
}

func startWithoutWorker(h *harness) {
	s, sig := newStart("a"), &backend.Signalled{Execution: "b", ID: "1", Name: "n"}
	h.start("b")
	h.commit("nobody", s, sig)
	h.is("start", s.Err, nil)
	h.is("signal", sig.Err, nil)
}

func newClaimingStart(id string) *backend.Start {
	s := newStart(id)
	s.Claim = true
	return s
}

func startClaims(h *harness) {
	w := h.worker("w")
	one, plain, two := newClaimingStart("a"), newStart("b"), newClaimingStart("c")
	h.commit(w, one, plain, two)
	for _, s := range []*backend.Start{one, two} {
		h.is("start", s.Err, nil)
		e := h.execution(s.ID)
		equal(h, "claimed, created and started", []bool{!s.Claimed.IsZero(), e.Created.Equal(s.Claimed), e.Started.Equal(s.Claimed)}, []bool{true, true, true})
		want := backend.Execution{
			ID: s.ID, Workflow: "wf", Queue: "default", State: backend.Running, TaskState: backend.Running, Worker: w, Token: 1, Attempt: 1,
			Input: s.Input, InputHash: s.InputHash, Created: e.Created, Started: e.Started, Run: 1,
		}
		equal(h, "execution", e, want)
	}
	equal(h, "claimed", plain.Claimed.IsZero(), true)
	h.state("b", backend.Pending, backend.Pending)
	held := h.held(w)
	slices.Sort(held)
	equal(h, "held", held, []string{"a.0", "c.0"})
	many := make([]backend.Command, 40)
	for i := range many {
		s := newStart(fmt.Sprint("many-", i))
		s.Claim, many[i] = i%2 == 0, s
	}
	other := h.worker("other")
	h.commit(other, many...)
	equal(h, "held of many", len(h.held(other)), 20)
	for i, c := range many {
		equal(h, "claimed", !c.(*backend.Start).Claimed.IsZero(), i%2 == 0)
	}
	equal(h, "due of many", len(h.claim(h.worker("third"), 30)), 21)
	stats, err := h.db.Stats(h.ctx)
	h.ok(err)
	equal(h, "running", stats.Executions[backend.Running], 43)
	h.turn(w, &backend.Turn{Execution: "a", Token: 1, Yield: &backend.Yield{}})
	equal(h, "the next token", h.claimOne(w).Token, 2)
}

func startClaimsExisting(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(other, "a")
	again, first, second := newClaimingStart("a"), newStart("b"), newClaimingStart("b")
	h.commit(w, again, first, second)
	equal(h, "existed", []bool{again.Existed, first.Existed, second.Existed}, []bool{true, false, true})
	equal(h, "claimed", []bool{again.Claimed.IsZero(), second.Claimed.IsZero()}, []bool{true, true})
	equal(h, "held", len(h.held(w)), 0)
	h.turn(other, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Completed}})

	claimed := newClaimingStart("c")
	h.twice(w, claimed)
	equal(h, "committed again, it existed and was claimed before", []bool{claimed.Existed, claimed.Claimed.IsZero()}, []bool{true, true})
	equal(h, "held", h.held(w), []string{"c.0"})
}

func startClaimsPaused(h *harness) {
	w := h.worker("w")
	h.ok(h.db.PauseQueue(h.ctx, "slow", "anna"))
	paused, open := newClaimingStart("a"), newClaimingStart("b")
	paused.Queue = "slow"
	h.commit(w, paused, open)
	equal(h, "claimed", []bool{paused.Claimed.IsZero(), open.Claimed.IsZero()}, []bool{true, false})
	h.state("a", backend.Pending, backend.Pending)
	equal(h, "held", h.held(w), []string{"b.0"})
	h.ok(h.db.ResumeQueue(h.ctx, "slow", "anna"))
	c := newClaim(10)
	c.Queues = []string{"slow"}
	h.commit(w, c)
	equal(h, "due", ids(c.Tasks), []string{"a.0"})
}

func startClaimsWithoutLease(h *harness) {
	w := h.worker("w")
	h.begin(w, "before")
	h.ok(h.db.Retire(h.ctx, w))
	for worker, id := range map[string]string{w: "a", "nobody": "b"} {
		s := newClaimingStart(id)
		h.commit(worker, s)
		h.is("start", s.Err, nil)
		h.that("it is not claimed", s.Claimed.IsZero())
		h.state(id, backend.Pending, backend.Pending)
	}
	equal(h, "due", len(h.claim(h.worker("other"), 10)), 3)
}

func startClaimsAndDies(h *harness) {
	w, other := h.doomed("w"), h.worker("other")
	s := newClaimingStart("a")
	h.commit(w, s)
	if s.Claimed.IsZero() {
		h.t.Fatal("it is not claimed")
	}
	equal(h, "given back", h.reap(5, w), []backend.ReapedTask{{Task: root("a"), Kind: backend.Orchestrator, Step: "wf", Queue: "default", Worker: w}})
	got := h.claimOne(other)
	equal(h, "token and crashes", [2]int64{got.Token, int64(got.Crashes)}, [2]int64{2, 1})
	late := &backend.Turn{Execution: "a", Token: 1, Close: &backend.Close{State: backend.Completed}}
	h.commit(w, late)
	h.is("a late turn", late.Err, backend.ErrLeaseLost)
}
