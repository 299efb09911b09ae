package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var turns = []behaviour{
	{"an entry is kept as it was added", turnAdds},
	{"an activity that begins here runs at once, is in no queue and is held by the worker", turnRuns},
	{"an activity in its queue is claimed, and not before its delay", turnQueues},
	{"a timer has the time at which it fires, or none", turnTimers},
	{"what ends, what begins and how it goes on is one change", turnAll},
	{"a turn with one stale end applies nothing", turnStaleEnd},
	{"a timer and a wait end once, with a result or timed out", turnSettles},
	{"a turn that consumes a signal takes it out of the history's signals", turnConsumes},
	{"an entry that is set aside gives up its key", turnSetsAside},
	{"an orchestrator that goes on stays with its worker", turnGoesOn},
	{"another attempt is counted, keeps the failure and is due after its delay", turnAgain},
	{"an activity outlives its orchestrator's stay in memory", turnYieldWithRunning},
}

func turnAdds(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	add := backend.Add{
		Seq: 1, Key: "k", Kind: backend.SideEffect, Step: "now", Queue: "q", Priority: 3, Tags: []string{"t"}, Policy: []byte("p"),
		Input: []byte("i"), InputHash: -5, State: backend.Completed, Result: []byte("\x00r"),
	}
	h.add(w, "a", token, add)
	got := h.entry("a", 1)
	want := backend.Task{
		ID: task("a", 1), Key: "k", Kind: backend.SideEffect, Step: "now", Workflow: "wf", Queue: "q", Priority: 3, Tags: add.Tags,
		State: backend.Completed, Attempt: 1, Policy: add.Policy, Input: add.Input, InputHash: -5, Result: add.Result,
		Created: got.Created, Started: got.Started, Finished: got.Finished,
	}
	equal(h, "entry", got, want)
	h.that("it has finished", !got.Finished.IsZero())
}

func turnRuns(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	got := h.entry("a", 1)
	equal(h, "state", got.State, backend.Running)
	equal(h, "token and attempt", [2]int64{got.Token, int64(got.Attempt)}, [2]int64{1, 1})
	equal(h, "worker", got.Worker, w)
	h.that("it has started", !got.Started.IsZero())
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	equal(h, "held", h.held(w), []string{"a.0", "a.1"})
	h.commit(w, &backend.Complete{Task: got.ID, Token: 1, Result: []byte("r")})
	equal(h, "result", string(h.entry("a", 1).Result), "r")
}

func turnQueues(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	late := activity(2, backend.Pending)
	late.Delay = soon
	h.add(w, "a", token, activity(1, backend.Pending), late)
	equal(h, "claimed", h.claimOne(w).ID, task("a", 1))
	got := h.claimOne(w)
	equal(h, "claimed", got.ID, task("a", 2))
	h.after("due", got.Due, got.Created, soon)
	h.that("it was claimed when it was due", !got.Started.Before(got.Due))
}

func turnTimers(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	wait := timer(2, -1)
	wait.Kind = backend.SignalWait
	h.add(w, "a", token, timer(1, long), wait)
	at, never := h.entry("a", 1), h.entry("a", 2)
	equal(h, "state", at.State, backend.Waiting)
	h.after("fires", at.Due, at.Created, long)
	h.that("one without a timeout never fires", never.Due.IsZero())
	equal(h, "claimed", len(h.claim(w, 10)), 0)
}

func turnAll(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Running), timer(3, 0))
	turn := &backend.Turn{
		Execution: "a", Token: token,
		Completed: []*backend.Complete{{Task: task("a", 1), Token: 1, Result: []byte("one")}},
		Buried:    []*backend.Bury{{Task: task("a", 2), Token: 1, State: backend.TimedOut, Failure: oops(), Reason: "late"}},
		Settled:   []backend.Settle{{Seq: 3, State: backend.Completed, Result: []byte("three")}},
		Added:     []backend.Add{activity(4, backend.Pending)},
		Yield:     &backend.Yield{WakeIn: -1},
	}
	h.turn(w, turn)
	equal(h, "state", turn.State, backend.Running)
	h.state("a", backend.Running, backend.Waiting)
	history := h.history("a")
	var states []backend.State
	for _, t := range history.Tasks {
		states = append(states, t.State)
	}
	equal(h, "states", states, []backend.State{backend.Completed, backend.TimedOut, backend.Completed, backend.Pending})
	equal(h, "result", string(history.Tasks[0].Result), "one")
	equal(h, "failure", *history.Tasks[1].Failure, oops())
	equal(h, "result", string(history.Tasks[2].Result), "three")
	equal(h, "dead letters", h.letters(), []string{"a.2"})
	h.that("its ends wake nobody", history.Execution.Due.IsZero())
}

func turnStaleEnd(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), activity(2, backend.Running), timer(3, 0))
	innocent := newStart("innocent")
	turn := &backend.Turn{
		Execution: "a", Token: token,
		Completed: []*backend.Complete{{Task: task("a", 1), Token: 1}, {Task: task("a", 2), Token: 99}},
		Settled:   []backend.Settle{{Seq: 3, State: backend.Completed}},
		Added:     []backend.Add{activity(4, backend.Pending)},
		Effects:   []backend.Effect{{Counter: "c", Delta: 1}}, EffectsSeen: 1,
		Close: &backend.Close{State: backend.Completed},
	}
	h.commit(w, innocent, turn)
	h.is("turn", turn.Err, backend.ErrLeaseLost)
	h.is("the other command", innocent.Err, nil)
	h.state("innocent", backend.Pending, backend.Pending)
	h.state("a", backend.Running, backend.Running)
	history := h.history("a")
	equal(h, "entries", len(history.Tasks), 3)
	equal(h, "states", [2]backend.State{history.Tasks[0].State, history.Tasks[2].State}, [2]backend.State{backend.Running, backend.Waiting})
	equal(h, "effects", history.Execution.Effects, 0)
	equal(h, "counters", len(h.progress("a").Counters), 0)
}

func turnSettles(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	wait := timer(2, 0)
	wait.Kind = backend.SignalWait
	h.add(w, "a", token, timer(1, 0), wait)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Settled: []backend.Settle{
		{Seq: 1, State: backend.Completed, Result: []byte("r")}, {Seq: 2, State: backend.TimedOut},
	}})
	equal(h, "state", h.entry("a", 1).State, backend.Completed)
	equal(h, "result", string(h.entry("a", 1).Result), "r")
	equal(h, "state", h.entry("a", 2).State, backend.TimedOut)
	h.that("it has finished", !h.entry("a", 2).Finished.IsZero())
	h.commit(w, &backend.Turn{Execution: "a", Token: token, Settled: []backend.Settle{{Seq: 1, State: backend.TimedOut, Result: []byte("other")}}})
	equal(h, "state and result after another end", []any{h.entry("a", 1).State, string(h.entry("a", 1).Result)}, []any{backend.Completed, "r"})
}

func turnConsumes(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	for _, id := range []string{"1", "2", "3"} {
		h.commit("", &backend.Signalled{Execution: "a", ID: id, Name: "n", Payload: []byte(id)})
	}
	signals := h.history("a").Signals
	here, wait := timer(1, -1), timer(2, -1)
	here.Kind, here.State, here.Result, here.Signal = backend.SignalWait, backend.Completed, []byte("1"), signals[0].Seq
	wait.Kind = backend.SignalWait
	h.add(w, "a", token, here, wait)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Settled: []backend.Settle{
		{Seq: 2, State: backend.Completed, Result: []byte("2"), Signal: signals[1].Seq},
	}})
	left := h.history("a").Signals
	equal(h, "left", left, signals[2:])
}

func turnSetsAside(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	again := activity(2, backend.Running)
	again.Key = keyOf(1)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, SetAside: []int{1}, Added: []backend.Add{again}})
	equal(h, "key", h.entry("a", 1).Key, "")
	equal(h, "key", h.entry("a", 2).Key, keyOf(1))
}

func turnGoesOn(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	turn := &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{timer(1, 0)}}
	h.turn(w, turn)
	equal(h, "state", turn.State, backend.Running)
	h.state("a", backend.Running, backend.Running)
	equal(h, "token", h.execution("a").Token, token)
	h.add(w, "a", token, timer(2, 0))
}

func turnAgain(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Again: &backend.Again{Failure: oops(), Delay: soon}})
	h.state("a", backend.Running, backend.Pending)
	equal(h, "attempt", h.execution("a").Attempt, 2)
	got := h.claimOne(w)
	equal(h, "attempt", got.Attempt, 2)
	h.that("it was due after its delay", !h.history("a").Now.Before(got.Due))
	h.turn(w, &backend.Turn{Execution: "a", Token: got.Token, Close: &backend.Close{State: backend.Failed, Failure: &backend.Failure{Message: "end"}, Reason: "end"}})
	letter, err := h.db.DeadLetter(h.ctx, root("a"))
	h.ok(err)
	equal(h, "attempts", letter.Attempts, 2)
	equal(h, "failures", messages(letter.Errors), []string{"1 oops retried", "2 end"})
}

func turnYieldWithRunning(h *harness) {
	w := h.doomed("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	h.yield(w, "a", token)
	equal(h, "held", h.held(w), []string{"a.1"})
	given := h.reap(5, w)
	equal(h, "given back", len(given), 1)
	equal(h, "given back", given[0].Task, task("a", 1))
	equal(h, "claimed", h.claimOne(h.worker("other")).ID, task("a", 1))
}
