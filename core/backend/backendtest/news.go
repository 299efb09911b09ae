package backendtest

import (
	"github.com/stentgo/stent/core/backend"
)

var news = []behaviour{
	{"news are of what has ended beyond what is known, and of nothing else", newsOfTasks},
	{"news of an execution without any tell of itself", newsOfExecution},
	{"news are of the present run", newsOfRun},
	{"news are in the order in which they are asked for, unknown ids left out", newsInOrder},
}

func (h *harness) newsOf(id string, known int) backend.History {
	h.t.Helper()
	all, err := h.db.News(h.ctx, []backend.Known{{Execution: id, Seq: known}})
	h.ok(err)
	if len(all) != 1 {
		h.t.Fatalf("there are news of %d executions instead of %s", len(all), id)
	}
	return all[0]
}

func newsOfTasks(h *harness) {
	w, other := h.worker("w"), h.worker("other")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Pending), timer(2, long), activity(3, backend.Pending), call(4, "child"), activity(5, backend.Pending))
	for range 4 {
		h.endOne(other)
	}
	one := backend.Task{ID: task("a", 1), Kind: backend.Activity, State: backend.Completed, Attempt: 1, Result: []byte("one")}
	failure := oops()
	three := backend.Task{ID: task("a", 3), Kind: backend.Activity, State: backend.Failed, Attempt: 1, Failure: &failure}
	four := backend.Task{ID: task("a", 4), Kind: backend.Child, State: backend.Completed, Attempt: 1, Result: []byte("four")}
	equal(h, "all", h.newsOf("a", 0).Tasks, []backend.Task{one, three, four})
	equal(h, "beyond the first", h.newsOf("a", 1).Tasks, []backend.Task{three, four})
	equal(h, "beyond all", len(h.newsOf("a", 4).Tasks), 0)
}

// endOne claims a task and ends it in one of several ways, but for the one in the fifth place.
func (h *harness) endOne(worker string) {
	h.t.Helper()
	var got []backend.Claimed
	h.until("a task is due", func() bool {
		got = h.claim(worker, 1)
		return len(got) > 0
	})
	switch t := got[0]; t.ID {
	case task("a", 1):
		h.commit(worker, &backend.Complete{Task: t.ID, Token: t.Token, Result: []byte("one")})
	case task("a", 3):
		h.commit(worker, &backend.Bury{Task: t.ID, Token: t.Token, State: backend.Failed, Failure: oops(), Reason: "r"})
	case root("child"):
		h.turn(worker, &backend.Turn{Execution: "child", Token: t.Token, Close: &backend.Close{
			State: backend.Completed, Result: []byte("four"), Parent: t.Parent,
		}})
	}
}

func newsOfExecution(h *harness) {
	w := h.worker("w")
	s := newStart("a")
	s.Priority = 7
	h.commit("", s)
	token := h.claimOne(w).Token
	h.turn(w, &backend.Turn{Execution: "a", Token: token, Added: []backend.Add{activity(1, backend.Running)}, Effects: []backend.Effect{{Counter: "c", Delta: 1}}, EffectsSeen: 1})
	got := h.newsOf("a", 0)
	equal(h, "tasks", len(got.Tasks), 0)
	h.that("it does not stop", got.Execution.State != backend.Cancelling)

	h.commit("", &backend.Signalled{Execution: "a", ID: "1", Name: "n", Payload: []byte("x")}, &backend.Cancel{Execution: "a"})
	got = h.newsOf("a", 0)
	e := h.execution("a")
	want := backend.Execution{ID: "a", State: backend.Cancelling, Priority: 7, Token: token, Run: 1, Effects: e.Effects, Wakes: e.Wakes}
	equal(h, "execution", got.Execution, want)
	h.that("it was woken", got.Execution.Wakes > 0)
	equal(h, "signals", got.Signals, h.history("a").Signals)
	equal(h, "a signal", len(got.Signals), 1)
}

func newsOfRun(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	h.add(w, "a", token, activity(1, backend.Running), timer(2, long))
	turn := another("a", token, 2, 2)
	turn.Completed = []*backend.Complete{{Task: task("a", 1), Token: 1}}
	turn.Settled = []backend.Settle{{Seq: 2, State: backend.Completed}}
	h.turn(w, turn)
	got := h.newsOf("a", 0)
	equal(h, "run", got.Execution.Run, 2)
	equal(h, "tasks", len(got.Tasks), 0)
}

func newsInOrder(h *harness) {
	h.start("a", "b", "c")
	all, err := h.db.News(h.ctx, []backend.Known{{Execution: "c"}, {Execution: "nowhere"}, {Execution: "a", Seq: backend.MaxSeq}})
	h.ok(err)
	equal(h, "executions", len(all), 2)
	equal(h, "ids", [2]string{all[0].Execution.ID, all[1].Execution.ID}, [2]string{"c", "a"})
	all, err = h.db.News(h.ctx, nil)
	h.ok(err)
	equal(h, "of none", len(all), 0)
}
