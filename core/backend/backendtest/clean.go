package backendtest

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

var cleanups = []behaviour{
	{"what ended longer ago than it is kept is deleted with all that belongs to it", cleanDeletes},
	{"what has not ended, is kept for ever, or ended not long ago stays", cleanKeeps},
	{"a dead letter stays with its attempts, and cannot be replayed", cleanLeavesLetters},
	{"a dry run only counts", cleanDryRun},
	{"it goes on where it was told, in parts, to the end", cleanParts},
	{"the counts of executions fall", cleanCounts},
	{"an id that was deleted can be used again", cleanFreesIDs},
	{"a chore is one worker's, and due again later", choreTaken},
	{"a chore of a worker that has ended goes to another", choreTakenOver},
}

// ended begins an execution with a history, a signal, a counter and custom state, and ends it.
func (h *harness) ended(worker, id string, state backend.State) {
	h.t.Helper()
	token := h.begin(worker, id)
	h.add(worker, id, token, activity(1, backend.Running))
	h.commit("", &backend.Signalled{Execution: id, ID: "s", Name: "sig", Payload: []byte("1")})
	end := &backend.Close{State: state}
	if state != backend.Completed {
		f := oops()
		end.Failure = &f
	}
	h.turn(worker, &backend.Turn{
		Execution: id, Token: token, Completed: []*backend.Complete{{Task: task(id, 1), Token: 1, Result: []byte("r")}},
		Effects: []backend.Effect{{Counter: "c", Delta: 2}, {Custom: "s", Value: []byte(`"v"`)}}, EffectsSeen: 2, Close: end,
	})
}

// clean cleans from the beginning to the end, and adds up.
func (h *harness) clean(c backend.Cleanup) (all backend.Cleaned, calls int) {
	h.t.Helper()
	all.Executions = map[backend.State]int{}
	for {
		one, err := h.db.Clean(h.ctx, c)
		h.ok(err)
		for state, n := range one.Executions {
			all.Executions[state] += n
		}
		all.Tasks += one.Tasks
		calls++
		if one.Next == "" {
			return all, calls
		}
		h.that("it goes on", one.Next != c.From)
		c.From = one.Next
	}
}

func (h *harness) there(ids ...string) {
	h.t.Helper()
	all, err := h.db.Executions(h.ctx, backend.ExecutionFilter{Limit: 1000})
	h.ok(err)
	got := map[string]bool{}
	for _, e := range all {
		got[e.ID] = true
	}
	want := map[string]bool{}
	for _, id := range ids {
		want[id] = true
	}
	equal(h, "executions", got, want)
}

var keepNothing = map[backend.State]time.Duration{backend.Completed: 0, backend.Failed: 0, backend.TimedOut: 0, backend.Cancelled: 0}

func cleanDeletes(h *harness) {
	w := h.worker("w")
	h.ended(w, "a", backend.Completed)
	h.ended(w, "b", backend.Failed)
	cleaned, _ := h.clean(backend.Cleanup{Keep: keepNothing})
	equal(h, "deleted", cleaned.Executions, map[backend.State]int{backend.Completed: 1, backend.Failed: 1})
	equal(h, "entries of histories", cleaned.Tasks, 2)
	h.there()
	for _, id := range []string{"a", "b"} {
		_, err := h.db.Execution(h.ctx, id)
		h.is("read", err, backend.ErrNotFound)
		histories, err := h.db.History(h.ctx, []string{id})
		h.ok(err)
		equal(h, "histories", len(histories), 0)
		sig := &backend.Signalled{Execution: id, ID: "late", Name: "sig"}
		h.commit("", sig)
		h.is("signal", sig.Err, backend.ErrNotFound)
	}
	tasks, err := h.db.Tasks(h.ctx, backend.TaskFilter{})
	h.ok(err)
	equal(h, "tasks", len(tasks), 0)
}

func cleanKeeps(h *harness) {
	w := h.worker("w")
	h.ended(w, "completed", backend.Completed)
	h.ended(w, "failed", backend.Failed)
	h.begin(w, "running")
	h.start("pending")
	for _, keep := range []map[backend.State]time.Duration{nil, {backend.Completed: time.Hour}, {backend.Cancelled: 0, backend.TimedOut: 0}} {
		cleaned, _ := h.clean(backend.Cleanup{Keep: keep})
		equal(h, fmt.Sprint("deleted of ", keep), len(cleaned.Executions), 0)
	}
	h.clean(backend.Cleanup{Keep: map[backend.State]time.Duration{backend.Completed: 0, backend.Failed: time.Hour}})
	h.there("failed", "running", "pending")
	equal(h, "history", len(h.history("failed").Tasks), 1)
	progress, err := h.db.Progress(h.ctx, "failed")
	h.ok(err)
	equal(h, "counters", len(progress.Counters), 1)
	equal(h, "custom state", len(progress.Custom), 1)
}

func cleanLeavesLetters(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	h.clean(backend.Cleanup{Keep: keepNothing})
	h.there()
	letter, err := h.db.DeadLetter(h.ctx, task("a", 1))
	h.ok(err)
	equal(h, "attempts", len(letter.Errors), 1)
	h.is("replay", h.db.Replay(h.ctx, task("a", 1), "", "me"), backend.ErrNotReplayable)
	h.ok(h.db.Discard(h.ctx, task("a", 1), "me"))
	h.audited(task("a", 1), "me", backend.ActionDiscard)
}

func cleanDryRun(h *harness) {
	w := h.worker("w")
	h.ended(w, "a", backend.Completed)
	cleaned, _ := h.clean(backend.Cleanup{Keep: keepNothing, DryRun: true})
	equal(h, "found", cleaned.Executions, map[backend.State]int{backend.Completed: 1})
	equal(h, "entries of histories", cleaned.Tasks, 1)
	h.there("a")
	equal(h, "history", len(h.history("a").Tasks), 1)
}

func cleanParts(h *harness) {
	w := h.worker("w")
	for i := range 7 {
		h.ended(w, fmt.Sprint("e", i), backend.Completed)
		h.begin(w, fmt.Sprint("running", i))
	}
	cleaned, calls := h.clean(backend.Cleanup{Keep: keepNothing, Most: 2})
	equal(h, "deleted", cleaned.Executions, map[backend.State]int{backend.Completed: 7})
	h.that("it took several calls", calls >= 4)
	var rest []string
	for i := range 7 {
		rest = append(rest, fmt.Sprint("running", i))
	}
	h.there(rest...)
}

func cleanCounts(h *harness) {
	w := h.worker("w")
	for i := range 3 {
		h.ended(w, fmt.Sprint("e", i), backend.Completed)
	}
	h.ended(w, "f", backend.Failed)
	h.start("p")
	h.clean(backend.Cleanup{Keep: map[backend.State]time.Duration{backend.Completed: 0}})
	stats, err := h.db.Stats(h.ctx)
	h.ok(err)
	for state, want := range map[backend.State]int64{backend.Completed: 0, backend.Failed: 1, backend.Pending: 1, backend.Running: 0} {
		equal(h, string(state), stats.Executions[state], want)
	}
}

func cleanFreesIDs(h *harness) {
	w := h.worker("w")
	h.ended(w, "a", backend.Completed)
	h.clean(backend.Cleanup{Keep: keepNothing})
	s := newStart("a")
	s.InputHash = 8 // another input than before
	h.commit("", s)
	h.ok(s.Err)
	h.that("it is new", !s.Existed)
	h.that("it has no history", h.claimOne(w).Fresh)
	progress, err := h.db.Progress(h.ctx, "a")
	h.ok(err)
	equal(h, "counters", len(progress.Counters)+len(progress.Custom), 0)
}

func (h *harness) chore(worker string) bool {
	h.t.Helper()
	taken, err := h.db.TakeChore(h.ctx, "sweep", worker)
	h.ok(err)
	return taken
}

func choreTaken(h *harness) {
	a, b := h.worker("a"), h.worker("b")
	h.that("a takes it", h.chore(a))
	h.that("b does not get it", !h.chore(b))
	h.that("a has it still", h.chore(a))
	h.ok(h.db.EndChore(h.ctx, "sweep", b, 0))
	h.that("another cannot end it", !h.chore(b))
	h.ok(h.db.EndChore(h.ctx, "sweep", a, long))
	h.that("it is not due", !h.chore(a) && !h.chore(b))
	taken, err := h.db.TakeChore(h.ctx, "another", b)
	h.ok(err)
	h.that("another chore is free", taken)
	h.ok(h.db.EndChore(h.ctx, "another", b, 0))
	taken, err = h.db.TakeChore(h.ctx, "another", a)
	h.ok(err)
	h.that("it is due again", taken)
}

func choreTakenOver(h *harness) {
	dead, b := h.doomed("dead"), h.worker("b")
	h.that("it is taken", h.chore(dead))
	h.reap(5, dead)
	h.that("another takes over", h.chore(b))
	h.ok(h.db.EndChore(h.ctx, "sweep", dead, long))
	h.ok(h.db.Retire(h.ctx, b))
	h.that("of one that retired as well", h.chore(h.worker("c")))
}
