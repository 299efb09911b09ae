package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var statistics = []behaviour{
	{"executions are counted by state", statsExecutions},
	{"executions are counted through every change of state", statsTransitions},
	{"queues are counted by what waits, runs and is dead", statsQueues},
	{"workers are counted by state, and do not count once their lease is over", statsWorkers},
	{"an empty database has nothing to count", statsEmpty},
}

func (h *harness) stats() backend.Stats {
	h.t.Helper()
	s, err := h.db.Stats(h.ctx)
	h.ok(err)
	h.that("it has the database's clock", !s.Now.IsZero())
	return s
}

// counts fails the test unless these are the executions by state.
func (h *harness) counts(want map[backend.State]int64) {
	h.t.Helper()
	got := h.stats().Executions
	for _, s := range backend.States {
		if got[s] != want[s] {
			h.t.Fatalf("executions by state: got %v, want %v", got, want)
		}
	}
}

func statsEmpty(h *harness) {
	h.counts(nil)
	equal(h, "queues", len(h.stats().Queues), 0)
}

func statsExecutions(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	token := h.begin(w, "b")
	h.turn(w, &backend.Turn{Execution: "b", Token: token, Close: &backend.Close{State: backend.Completed}})
	token = h.begin(w, "c")
	h.yield(w, "c", token)
	h.begin(w, "d")
	h.start("e", "f")
	h.start("e")
	h.counts(map[backend.State]int64{backend.Failed: 1, backend.Completed: 1, backend.Running: 2, backend.Pending: 2})
}

func statsTransitions(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.commit(w, &backend.Release{Task: root("a"), Token: token})
	h.counts(map[backend.State]int64{backend.Pending: 1})
	got := h.claimOne(w)
	h.add(w, "a", got.Token, activity(1, backend.Running))
	h.counts(map[backend.State]int64{backend.Running: 1})
	refused := &backend.Turn{Execution: "a", Token: got.Token, Completed: []*backend.Complete{{Task: task("a", 1), Token: 1}, {Task: task("a", 1), Token: 7}},
		Close: &backend.Close{State: backend.Completed}}
	h.commit(w, refused)
	h.is("turn", refused.Err, backend.ErrLeaseLost)
	h.counts(map[backend.State]int64{backend.Running: 1})
	h.buryAndFail(w, "a", got.Token)
	h.counts(map[backend.State]int64{backend.Failed: 1})
	h.ok(h.db.Replay(h.ctx, task("a", 1), "", "me"))
	h.counts(map[backend.State]int64{backend.Running: 1})

	h.start("b")
	d := h.doomed("d")
	c := newClaim(1)
	c.Steps = []string{"wf"}
	h.commit(d, c)
	equal(h, "claimed", ids(c.Tasks), []string{"b.0"})
	h.reap(1, d)
	h.counts(map[backend.State]int64{backend.Running: 1, backend.Failed: 1})
}

func statsQueues(h *harness) {
	h.register(backend.Worker{ID: "w", Queues: []string{"default", "mail"}}, long)
	h.register(backend.Worker{ID: "gone", Queues: []string{"mail"}}, long)
	h.ok(h.db.Retire(h.ctx, "gone"))
	token := h.begin("w", "a")
	h.add("w", "a", token, activity(1, backend.Running), activity(2, backend.Pending), activity(3, backend.Running))
	h.claim("w", 1)
	h.commit("w", &backend.Bury{Task: task("a", 3), Token: 1, State: backend.Failed, Failure: oops(), Reason: "r"})
	late, due := newStart("late"), newStart("due")
	late.Delay, late.Queue, due.Queue = long, "slow", "slow"
	h.commit("", late, due)
	h.start("b")

	oldest := h.execution("due").Due
	letters, err := h.db.DeadLetters(h.ctx, backend.DeadLetterFilter{})
	h.ok(err)
	tasks, err := h.db.Tasks(h.ctx, backend.TaskFilter{Execution: "a", States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}})
	h.ok(err)
	got := h.stats().Queues
	equal(h, "when the activity began", got[0].OldestRunning.Equal(tasks[0].Started), true)
	equal(h, "when the letter was moved", got[0].OldestDead.Equal(letters[0].Moved), true)
	for i := range got {
		h.that("there is an oldest running where one runs", i == 0 || got[i].OldestRunning.IsZero())
		h.that("there is an oldest letter where there are any", got[i].OldestDead.IsZero() == (got[i].Dead == 0))
		got[i].OldestRunning, got[i].OldestDead = time.Time{}, time.Time{}
		if got[i].Queue == "slow" {
			equal(h, "oldest", got[i].OldestDue.Equal(oldest), true)
		}
		h.that("there is an oldest where something is due", got[i].OldestDue.IsZero() == (got[i].Depth == 0))
		got[i].OldestDue = oldest
	}
	want := []backend.QueueStats{
		{Queue: "default", Depth: 1, Running: 3, Dead: 1, Workers: 1, OldestDue: oldest},
		{Queue: "mail", Workers: 1, OldestDue: oldest},
		{Queue: "slow", Depth: 1, Scheduled: 1, OldestDue: oldest},
	}
	equal(h, "queues", got, want)
}

// A worker that died counts as dead at once: it is when all workers are dead that nobody is there to say so.
func statsWorkers(h *harness) {
	h.register(backend.Worker{ID: "ready", Queues: []string{"mail"}, State: backend.WorkerReady}, long)
	h.register(backend.Worker{ID: "draining", Queues: []string{"mail"}, State: backend.WorkerDraining}, long)
	h.register(backend.Worker{ID: "gone", Queues: []string{"mail"}, State: backend.WorkerReady}, long)
	h.ok(h.db.Retire(h.ctx, "gone"))
	h.doomed("doomed")
	h.until("the lease is over", func() bool { return h.stats().Workers[backend.WorkerDead] > 0 })
	equal(h, "workers", h.stats().Workers, map[backend.WorkerState]int64{
		backend.WorkerReady: 1, backend.WorkerDraining: 1, backend.WorkerDead: 1,
	})
	for _, q := range h.stats().Queues {
		want := int64(0)
		if q.Queue == "mail" {
			want = 2
		}
		equal(h, "workers of "+q.Queue, q.Workers, want)
	}
	if d, ok := h.db.(backend.Diagnoser); ok {
		s, err := d.Diagnose(h.ctx)
		h.ok(err)
		h.that("the database has a size, or does not know of any", s.Size != 0)
	}
}
