package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var recommits = []behaviour{
	{"a start says that it existed", recommitStart},
	{"a signal is delivered once, also when the execution has ended since", recommitSignal},
	{"an activity's end is applied once", recommitActivity},
	{"a release is applied once", recommitRelease},
	{"a turn with ends and entries is applied once", recommitTurn},
	{"a turn that only adds, settles or counts is applied once", recommitParts},
	{"a turn that only closes, yields or begins again is applied once", recommitLast},
	{"a turn that was applied is known after its execution was claimed anew", recommitAfterClaim},
}

// twice commits a batch two times, as after a commit of unknown outcome.
func (h *harness) twice(worker string, commands ...backend.Command) {
	h.t.Helper()
	h.commit(worker, commands...)
	h.commit(worker, commands...)
}

func recommitStart(h *harness) {
	s := newStart("a")
	h.twice("", s)
	h.is("start", s.Err, nil)
	equal(h, "executions", len(h.listAll()), 1)
}

func recommitSignal(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	s := &backend.Signalled{Execution: "a", ID: "1", Name: "n"}
	h.twice("", s)
	h.is("signal", s.Err, nil)
	equal(h, "signals", len(h.history("a").Signals), 1)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Close: &backend.Close{State: backend.Completed}})
	h.commit("", s)
	h.is("signal after the end", s.Err, nil)
}

func recommitActivity(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Running), activity(3, backend.Running))
	complete := &backend.Complete{Task: task("a", 1), Token: 1, Result: []byte("r")}
	retry := &backend.Retry{Task: task("a", 2), Token: 1, Failure: oops(), Delay: long}
	bury := &backend.Bury{Task: task("a", 3), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"}
	h.twice(w, complete, retry, bury)
	h.is("complete", complete.Err, nil)
	h.is("retry", retry.Err, nil)
	h.is("bury", bury.Err, nil)
	equal(h, "attempt", h.entry("a", 2).Attempt, 2)
	equal(h, "dead letters", h.letters(), []string{"a.3"})
	letter, err := h.db.DeadLetter(h.ctx, task("a", 3))
	h.ok(err)
	equal(h, "attempts", messages(letter.Errors), []string{"1 oops"})

	other := &backend.Complete{Task: task("a", 3), Token: 1}
	h.commit(w, other)
	h.is("another end than the one in place", other.Err, backend.ErrLeaseLost)
}

func recommitRelease(h *harness) {
	w := h.worker("w")
	got := h.queued(w, "a")
	token := h.begin(w, "b")
	one, two := &backend.Release{Task: got.ID, Token: got.Token}, &backend.Release{Task: root("b"), Token: token}
	h.twice(w, one, two)
	h.is("release of an activity", one.Err, nil)
	h.is("release of an orchestrator", two.Err, nil)
	equal(h, "claimed", len(h.claim(w, 10)), 2)
}

func recommitTurn(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Running))
	turn := &backend.Turn{
		Execution: "a", Token: token,
		Completed: []*backend.Complete{{Task: task("a", 1), Token: 1, Result: []byte("r")}},
		Buried:    []*backend.Bury{{Task: task("a", 2), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"}},
		Added:     []backend.Add{activity(3, backend.Running)},
		Effects:   []backend.Effect{{Counter: "c", Delta: 1}}, EffectsSeen: 1,
	}
	h.twice(w, turn)
	h.is("turn", turn.Err, nil)
	equal(h, "state", turn.State, backend.Running)
	equal(h, "entries", len(h.history("a").Tasks), 3)
	equal(h, "counters", h.progress("a").Counters, []backend.Counter{{Name: "c", Value: 1}})
	letter, err := h.db.DeadLetter(h.ctx, task("a", 2))
	h.ok(err)
	equal(h, "attempts", len(letter.Errors), 1)
}

func recommitParts(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	for _, turn := range []*backend.Turn{
		{Added: []backend.Add{timer(1, long), activity(2, backend.Running)}},
		{Settled: []backend.Settle{{Seq: 1, State: backend.Completed, Result: []byte("r")}}},
		{Buried: []*backend.Bury{{Task: task("a", 2), Token: 1, State: backend.TimedOut, Failure: oops(), Reason: "r"}}},
		{Effects: []backend.Effect{{Counter: "c", Delta: 2.5}}, EffectsSeen: 1},
		{Effects: []backend.Effect{{Counter: "c", Delta: 2.5}}, EffectsSeen: 2},
	} {
		turn.Execution, turn.Token = "a", token
		h.twice(w, turn)
		h.is("turn", turn.Err, nil)
		equal(h, "state", turn.State, backend.Running)
	}
	equal(h, "entries", len(h.history("a").Tasks), 2)
	equal(h, "counters", h.progress("a").Counters, []backend.Counter{{Name: "c", Value: 5}})
}

func recommitLast(h *harness) {
	w := h.worker("w")
	for id, turn := range map[string]*backend.Turn{
		"close": {Close: &backend.Close{State: backend.Failed, Failure: &backend.Failure{Message: "m"}, Reason: "r"}},
		"yield": {Yield: &backend.Yield{WakeIn: long}},
		"again": {Again: &backend.Again{Failure: oops(), Delay: long}},
	} {
		turn.Execution, turn.Token = id, h.begin(w, id)
		h.twice(w, turn)
		h.is(id, turn.Err, nil)
	}
	h.state("close", backend.Failed, backend.Failed)
	h.state("yield", backend.Running, backend.Waiting)
	h.state("again", backend.Running, backend.Pending)
	equal(h, "attempt", h.execution("again").Attempt, 2)
	equal(h, "dead letters", h.letters(), []string{"close.0"})
}

func recommitAfterClaim(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	turn := &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{timer(1, long)}, Yield: &backend.Yield{}}
	h.turn(w, turn)
	h.claimOne(other)
	h.turn(w, turn)
	h.state("a", backend.Running, backend.Running)
	equal(h, "held", h.held(other), []string{"a.0"})
}
