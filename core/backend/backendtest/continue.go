package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var continues = []behaviour{
	{"another run has another input and no history, and stays with its worker", continueBegins},
	{"what was not consumed, counters and custom state stay, and effects are counted anew", continueCarries},
	{"places go on, and what the former run has under way changes nothing", continuePlaces},
	{"it is applied once", continueAgain},
	{"a claim tells which run it is", continueClaimed},
	{"so much of a former run is deleted with the turn, and the rest afterwards", continueTrims},
	{"a run may begin with the first place again", continueOver},
	{"a start with the first input finds the execution", continueStarted},
	{"a failure in another run is healed by its replay", continueHeals},
}

// another is a turn that begins another run.
func another(id string, token int64, run, base int) *backend.Turn {
	return &backend.Turn{Execution: id, Token: token, Continue: &backend.Continue{Run: run, Base: base, Input: []byte("next")}}
}

func continueBegins(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), timer(2, 0), timer(3, long))
	before := h.execution("a")
	turn := another("a", token, 2, 3)
	turn.Completed = []*backend.Complete{{Task: task("a", 1), Token: 1}}
	turn.Settled = []backend.Settle{{Seq: 2, State: backend.Completed}}
	turn.Forgotten = []int{3}
	h.turn(w, turn)
	equal(h, "state", turn.State, backend.Running)
	h.that("nothing is left of it", !turn.Continue.Left)
	history := h.history("a")
	equal(h, "entries", len(history.Tasks), 0)
	e := history.Execution
	before.Run, before.Base, before.Input = 2, 3, []byte("next")
	equal(h, "execution", e, before)
	equal(h, "held", h.held(w), []string{"a.0"})
	equal(h, "claimed", len(h.claim(w, 10)), 0)
	equal(h, "tasks", h.tasks(backend.TaskFilter{Execution: "a"}), []string{"a.0"})
	h.counts(map[backend.State]int64{backend.Running: 1})
}

func continueCarries(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"}, &backend.Signalled{Execution: "a", ID: "2", Name: "n"})
	first := h.history("a").Signals[0].Seq
	wait := timer(1, 0)
	wait.Kind, wait.State, wait.Signal = backend.SignalWait, backend.Completed, first
	turn := another("a", token, 2, 1)
	turn.Added = []backend.Add{wait}
	turn.Effects, turn.EffectsSeen = []backend.Effect{{Counter: "c", Delta: 1}, {Custom: "s", Value: []byte(`1`)}}, 2
	h.turn(w, turn)
	history := h.history("a")
	equal(h, "signals", len(history.Signals), 1)
	equal(h, "signal", history.Signals[0].ID, "2")
	equal(h, "effects", history.Execution.Effects, 0)
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Effects: []backend.Effect{{Counter: "c", Delta: 1}}, EffectsSeen: 1})
	p := h.progress("a")
	equal(h, "counters", p.Counters, []backend.Counter{{Name: "c", Value: 2}})
	equal(h, "custom state", string(p.Custom[0].Value), "1")
	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n"})
	equal(h, "a signal that comes again", len(h.history("a").Signals), 1)
}

func continuePlaces(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending))
	got := h.claimOne(w)
	turn := another("a", token, 2, 1)
	turn.Forgotten = []int{1}
	h.turn(w, turn)
	h.add(w, "a", token, activity(2, backend.Running))
	late := &backend.Complete{Task: got.ID, Token: got.Token, Result: []byte("late")}
	h.commit(w, late)
	h.is("what the former run had under way", late.Err, backend.ErrLeaseLost)
	history := h.history("a")
	equal(h, "entries", len(history.Tasks), 1)
	equal(h, "place", history.Tasks[0].ID, task("a", 2))
	equal(h, "state", history.Tasks[0].State, backend.Running)
	equal(h, "running", h.tasks(backend.TaskFilter{States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}}), []string{"a.2"})
}

func continueAgain(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	turn := another("a", token, 2, 1)
	turn.Completed = []*backend.Complete{{Task: task("a", 1), Token: 1}}
	turn.Effects, turn.EffectsSeen = []backend.Effect{{Counter: "c", Delta: 1}}, 1
	h.twice(w, turn)
	h.is("turn", turn.Err, nil)
	equal(h, "state", turn.State, backend.Running)
	alone := another("a", token, 3, 1)
	h.twice(w, alone)
	h.is("turn", alone.Err, nil)
	e := h.execution("a")
	equal(h, "run", [2]int{e.Run, e.Base}, [2]int{3, 1})
	equal(h, "counters", h.progress("a").Counters, []backend.Counter{{Name: "c", Value: 1}})
	h.twice(w, turn)
	equal(h, "run", h.execution("a").Run, 3)
}

func continueClaimed(h *harness) {
	d := h.doomed("d")
	token := h.begin(d, "a")
	h.turn(d, another("a", token, 2, 5))
	h.reap(5, d)
	got := h.claimOne(h.worker("w"))
	equal(h, "claimed", []any{got.Run, got.Base, got.Attempt, string(got.Input)}, []any{2, 5, 1, "next"})
	h.that("there is nothing to read", got.Fresh)
}

func continueTrims(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	const more = 5
	var adds []backend.Add
	for seq := 1; seq <= backend.TrimMost+more; seq++ {
		a := timer(seq, 0)
		a.Key, a.State = task("a", seq).String(), backend.Completed
		adds = append(adds, a)
	}
	adds[0], adds[1] = activity(1, backend.Running), activity(2, backend.Running)
	h.add(w, "a", token, adds...)
	h.commit(w, &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})
	h.commit(w, &backend.Retry{Task: task("a", 2), Token: 1, Failure: oops(), Delay: long})
	turn := another("a", token, 2, len(adds))
	turn.Forgotten = []int{2}
	h.turn(w, turn)
	h.that("there is more", turn.Continue.Left)
	equal(h, "entries", len(h.history("a").Tasks), 0)
	equal(h, "tasks", h.tasks(backend.TaskFilter{Execution: "a"}), []string{"a.0"})
	h.add(w, "a", token, timer(len(adds)+1, long))
	unknown := &backend.Trim{Execution: "unknown"}
	trim := &backend.Trim{Execution: "a"}
	h.commit("", unknown, trim)
	h.that("there is no more", !trim.Left && !unknown.Left)
	equal(h, "entries", len(h.history("a").Tasks), 1)
	equal(h, "dead letters", h.letters(), []string{"a.1"})
	letter, err := h.db.DeadLetter(h.ctx, task("a", 1))
	h.ok(err)
	equal(h, "its attempts", len(letter.Errors), 1)
	h.is("replay", h.db.Replay(h.ctx, task("a", 1), "", "me"), backend.ErrNotReplayable)
}

func continueOver(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	last := timer(backend.MaxSeq, long)
	last.Key = "last"
	h.add(w, "a", token, activity(1, backend.Running), last)
	h.commit(w, &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "first"})
	turn := another("a", token, 2, 0)
	turn.Forgotten = []int{backend.MaxSeq}
	h.turn(w, turn)
	equal(h, "entries", len(h.history("a").Tasks), 0)
	h.add(w, "a", token, activity(1, backend.Running))
	bury := &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "second"}
	h.commit(w, bury)
	h.is("burial", bury.Err, nil)
	letter, err := h.db.DeadLetter(h.ctx, task("a", 1))
	h.ok(err)
	equal(h, "reason", letter.Reason, "second")
}

func continueStarted(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.turn(w, another("a", token, 2, 0))
	s := newStart("a")
	h.commit("", s)
	h.is("start", s.Err, nil)
	h.that("it is the same", s.Existed)
}

func continueHeals(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running))
	h.commit(w, &backend.Bury{Task: task("a", 1), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})
	h.turn(w, another("a", token, 2, 1))
	f, cause := oops(), task("a", 2)
	h.add(w, "a", token, activity(2, backend.Running))
	h.turn(w, &backend.Turn{Execution: "a", Token: token,
		Buried: []*backend.Bury{{Task: cause, Token: 1, State: backend.Failed, Failure: f, Reason: "r"}},
		Close:  &backend.Close{State: backend.Failed, Failure: &f, Cause: &cause}})
	h.is("replay of the former run's", h.db.Replay(h.ctx, task("a", 1), "", "me"), backend.ErrNotReplayable)
	h.state("a", backend.Failed, backend.Failed)
	h.ok(h.db.Replay(h.ctx, cause, "", "me"))
	h.state("a", backend.Running, backend.Waiting)
	equal(h, "run", h.execution("a").Run, 2)
	equal(h, "claimed", h.claimOne(w).ID, cause)
}
