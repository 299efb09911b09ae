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
