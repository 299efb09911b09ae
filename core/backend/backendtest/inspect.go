package backendtest

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

var inspections = []behaviour{
	{"histories are read in the order of the ids, unknown ones left out", inspectHistories},
	{"one execution is read or not found", inspectExecution},
	{"executions are listed newest first and filtered", inspectExecutions},
	{"executions are listed by pages", inspectPages},
	{"tasks are listed by execution and place, orchestrators included", inspectTasks},
	{"tasks are listed by pages", inspectTaskPages},
	{"a running task tells until when its lease holds", inspectLeases},
	{"what a worker holds is told with step, queue and token", inspectHeld},
	{"the progress of an unknown execution is not found", inspectProgress},
	{"ids may contain anything", inspectIDs},
}

func inspectHistories(h *harness) {
	h.start("a", "b", "c")
	all, err := h.db.History(h.ctx, []string{"c", "nowhere", "a"})
	h.ok(err)
	equal(h, "histories", len(all), 2)
	equal(h, "ids", [2]string{all[0].Execution.ID, all[1].Execution.ID}, [2]string{"c", "a"})
	h.that("they have the database's clock", !all[0].Now.IsZero())
	all, err = h.db.History(h.ctx, nil)
	h.ok(err)
	equal(h, "histories", len(all), 0)
}

func inspectExecution(h *harness) {
	h.start("a")
	e, err := h.db.Execution(h.ctx, "a")
	h.ok(err)
	equal(h, "execution", e, h.execution("a"))
	_, err = h.db.Execution(h.ctx, "b")
	h.is("read", err, backend.ErrNotFound)
}

func (h *harness) list(f backend.ExecutionFilter) []string {
	h.t.Helper()
	all, err := h.db.Executions(h.ctx, f)
	h.ok(err)
	names := []string{}
	for _, e := range all {
		names = append(names, e.ID)
	}
	return names
}

func inspectExecutions(h *harness) {
	w := h.worker("w")
	h.begin(w, "run-1")
	h.failed(w, "run-2")
	tagged := newStart("x%_1")
	tagged.Tags, tagged.Workflow, tagged.Queue = []string{"gpu", "eu"}, "other", "slow"
	h.commit("", tagged)
	created := h.execution("x%_1").Created
	h.start("x%_2")
	for _, x := range []struct {
		f    backend.ExecutionFilter
		want []string
	}{
		{backend.ExecutionFilter{}, []string{"x%_2", "x%_1", "run-2", "run-1"}},
		{backend.ExecutionFilter{IDs: []string{"run-1", "nowhere", "x%_2", "run-1"}}, []string{"run-1", "x%_2", "run-1"}},
		{backend.ExecutionFilter{IDs: []string{}}, []string{}},
		{backend.ExecutionFilter{IDPrefix: "run-"}, []string{"run-2", "run-1"}},
		{backend.ExecutionFilter{IDPrefix: "x%_"}, []string{"x%_2", "x%_1"}},
		{backend.ExecutionFilter{IDPrefix: "%"}, []string{}},
		{backend.ExecutionFilter{States: []backend.State{backend.Pending}}, []string{"x%_2", "x%_1"}},
		{backend.ExecutionFilter{States: []backend.State{backend.Running, backend.Failed}}, []string{"run-2", "run-1"}},
		{backend.ExecutionFilter{States: []backend.State{backend.Failed, backend.TimedOut}}, []string{"run-2"}},
		{backend.ExecutionFilter{States: []backend.State{backend.Completed}}, []string{}},
		{backend.ExecutionFilter{Workflow: "other"}, []string{"x%_1"}},
		{backend.ExecutionFilter{Queue: "slow"}, []string{"x%_1"}},
		{backend.ExecutionFilter{Tag: "eu"}, []string{"x%_1"}},
		{backend.ExecutionFilter{Tag: "e"}, []string{}},
		{backend.ExecutionFilter{Since: created}, []string{"x%_2", "x%_1"}},
		{backend.ExecutionFilter{Since: created.Add(time.Hour)}, []string{}},
		{backend.ExecutionFilter{IDPrefix: "x", Queue: "default", States: []backend.State{backend.Pending}}, []string{"x%_2"}},
	} {
		equal(h, fmt.Sprintf("%+v", x.f), h.list(x.f), x.want)
	}
}

func inspectPages(h *harness) {
	for i := range 25 {
		h.start(fmt.Sprintf("e%02d", i))
	}
	equal(h, "without a limit", len(h.list(backend.ExecutionFilter{})), 20)
	equal(h, "first page", h.list(backend.ExecutionFilter{Limit: 2}), []string{"e24", "e23"})
	equal(h, "next page", h.list(backend.ExecutionFilter{Limit: 2, After: "e23"}), []string{"e22", "e21"})
	equal(h, "last page", h.list(backend.ExecutionFilter{After: "e01"}), []string{"e00"})
	pending := []backend.State{backend.Pending}
	equal(h, "of a state", h.list(backend.ExecutionFilter{States: pending, Limit: 2, After: "e18"}), []string{"e17", "e16"})
	equal(h, "with a filter", h.list(backend.ExecutionFilter{IDPrefix: "e1", Limit: 2, After: "e18"}), []string{"e17", "e16"})
}

func (h *harness) tasks(f backend.TaskFilter) []string {
	h.t.Helper()
	all, err := h.db.Tasks(h.ctx, f)
	h.ok(err)
	names := []string{}
	for _, t := range all {
		names = append(names, t.ID.String())
	}
	return names
}

// manyTasks begins b with a waiting timer, a running and a queued activity, and a with one claimed activity; c is pending.
func (h *harness) manyTasks() {
	h.t.Helper()
	w := h.worker("w")
	token := h.begin(w, "b")
	h.add(w, "b", token, timer(1, long), activity(2, backend.Running))
	got := h.queued(w, "a")
	equal(h, "claimed", got.ID, task("a", 1))
	h.add(w, "b", token, activity(3, backend.Pending))
	h.start("c")
}

func inspectTasks(h *harness) {
	h.manyTasks()
	running, waiting := []backend.State{backend.Running}, []backend.State{backend.Waiting}
	for _, x := range []struct {
		f    backend.TaskFilter
		want []string
	}{
		{backend.TaskFilter{}, []string{"a.0", "a.1", "b.0", "b.1", "b.2", "b.3", "c.0"}},
		{backend.TaskFilter{Execution: "b"}, []string{"b.0", "b.1", "b.2", "b.3"}},
		{backend.TaskFilter{Execution: "nowhere"}, []string{}},
		{backend.TaskFilter{States: running}, []string{"a.1", "b.0", "b.2"}},
		{backend.TaskFilter{States: running, Kinds: []backend.Kind{backend.Activity}}, []string{"a.1", "b.2"}},
		{backend.TaskFilter{States: running, Kinds: []backend.Kind{backend.Orchestrator}}, []string{"b.0"}},
		{backend.TaskFilter{States: running, Execution: "b"}, []string{"b.0", "b.2"}},
		{backend.TaskFilter{States: waiting}, []string{"a.0", "b.1"}},
		{backend.TaskFilter{Kinds: []backend.Kind{backend.Timer, backend.Orchestrator}}, []string{"a.0", "b.0", "b.1", "c.0"}},
		{backend.TaskFilter{States: []backend.State{backend.Pending, backend.Running}}, []string{"a.1", "b.0", "b.2", "b.3", "c.0"}},
	} {
		equal(h, fmt.Sprintf("%+v", x.f), h.tasks(x.f), x.want)
	}
	all, err := h.db.Tasks(h.ctx, backend.TaskFilter{Execution: "b", Kinds: []backend.Kind{backend.Activity}})
	h.ok(err)
	got, want := all[0], h.entry("b", 2)
	got.LeaseUntil = time.Time{}
	equal(h, "task", got, want)
}

func inspectTaskPages(h *harness) {
	h.manyTasks()
	equal(h, "first page", h.tasks(backend.TaskFilter{Limit: 3}), []string{"a.0", "a.1", "b.0"})
	equal(h, "next page", h.tasks(backend.TaskFilter{Limit: 3, After: root("b")}), []string{"b.1", "b.2", "b.3"})
	equal(h, "last page", h.tasks(backend.TaskFilter{Limit: 3, After: task("b", 3)}), []string{"c.0"})
	equal(h, "of an execution", h.tasks(backend.TaskFilter{Execution: "b", Limit: 2, After: task("b", 1)}), []string{"b.2", "b.3"})
	running := backend.TaskFilter{States: []backend.State{backend.Running}, Limit: 2}
	equal(h, "running", h.tasks(running), []string{"a.1", "b.0"})
	running.After = root("b")
	equal(h, "more running", h.tasks(running), []string{"b.2"})
}

func inspectLeases(h *harness) {
	h.manyTasks()
	until := h.theWorker("w").LeaseEnd
	for _, f := range []backend.TaskFilter{{}, {States: []backend.State{backend.Running}}, {Execution: "b"}} {
		all, err := h.db.Tasks(h.ctx, f)
		h.ok(err)
		for _, t := range all {
			if t.State == backend.Running {
				equal(h, "lease of "+t.ID.String(), t.LeaseUntil.Equal(until), true)
			} else {
				h.that("a task that does not run has no lease", t.LeaseUntil.IsZero())
			}
		}
	}
}

func inspectHeld(h *harness) {
	h.manyTasks()
	held, err := h.db.Held(h.ctx, "w")
	h.ok(err)
	found := map[backend.TaskID]backend.Task{}
	for _, t := range held {
		found[t.ID] = backend.Task{Kind: t.Kind, Step: t.Step, Queue: t.Queue, Token: t.Token}
	}
	equal(h, "held", found, map[backend.TaskID]backend.Task{
		root("b"):    {Kind: backend.Orchestrator, Step: "wf", Queue: "default", Token: 1},
		task("b", 2): {Kind: backend.Activity, Step: "act", Queue: "default", Token: 1},
		task("a", 1): {Kind: backend.Activity, Step: "act", Queue: "default", Token: 1},
	})
	equal(h, "held by nobody", len(h.held("nobody")), 0)
}

func inspectProgress(h *harness) {
	h.start("a")
	p := h.progress("a")
	equal(h, "counters and custom state", len(p.Counters)+len(p.Custom), 0)
	_, err := h.db.Progress(h.ctx, "b")
	h.is("read", err, backend.ErrNotFound)
}

func inspectIDs(h *harness) {
	w := h.worker("wörker 'x'")
	for _, id := range []string{"order-42.3", "a b", "ü/ß?", `"'\;--`, "x%"} {
		token := h.begin(w, id)
		h.add(w, id, token, activity(1, backend.Running))
		equal(h, "held", h.held(w), []string{id + ".0", id + ".1"})
		h.turn(w, &backend.Turn{Execution: id, Token: token, Completed: []*backend.Complete{{Task: task(id, 1), Token: 1}},
			Close: &backend.Close{State: backend.Completed}})
		equal(h, "listed", h.list(backend.ExecutionFilter{IDPrefix: id}), []string{id})
	}
}
