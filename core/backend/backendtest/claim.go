package backendtest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

var claims = []behaviour{
	{"a claimed orchestrator is running with a new token", claimOrchestrator},
	{"a claimed activity tells of its execution", claimActivity},
	{"an orchestrator without history and signals is fresh", claimFresh},
	{"higher priority comes first, then the earliest due, then the first written, over both kinds", claimOrder},
	{"a task with tags is taken by who has one of them", claimTags},
	{"only tasks with a handler are taken", claimSteps},
	{"only the queues that were named are looked at", claimQueues},
	{"what must be left hides nothing behind it", claimIneligible},
	{"nothing is taken from a paused queue", claimPaused},
	{"of many queues it finds what is in any of them", claimManyQueues},
	{"it is told whether there is more", claimMore},
	{"one that goes on where another left takes the rest in the same order, and others find what it missed", claimOn},
	{"one that goes on minds pauses, and is told whether there is more", claimOnPaused},
	{"many claimers that go on share the tasks and none is taken twice", claimOnConcurrently},
	{"it is told when the next is due", claimNextDue},
	{"many claimers at once share the tasks and none is taken twice", claimConcurrently},
}

func claimOrchestrator(h *harness) {
	w := h.worker("w")
	s := newStart("a")
	s.Priority, s.Policy, s.Metadata, s.Carrier = 4, []byte("p"), map[string]string{"m": "1"}, map[string]string{"c": "2"}
	h.commit("", s)
	due := h.execution("a").Due
	got := h.claimOne(w)
	equal(h, "started", got.Started.IsZero(), false)
	want := backend.Claimed{Fresh: true, Run: 1, Metadata: s.Metadata, Carrier: s.Carrier, Task: backend.Task{
		ID: root("a"), Kind: backend.Orchestrator, Step: "wf", Workflow: "wf", Queue: "default", Priority: 4, State: backend.Running,
		Due: due, Worker: w, Token: 1, Attempt: 1, Policy: s.Policy, Input: s.Input, InputHash: s.InputHash,
		Created: got.Created, Started: got.Started,
	}}
	equal(h, "claimed", got, want)
	h.state("a", backend.Running, backend.Running)
	equal(h, "worker", h.execution("a").Worker, w)
	equal(h, "claimed again", len(h.claim(w, 10)), 0)

	h.turn(w, &backend.Turn{Execution: "a", Token: 1, Yield: &backend.Yield{}})
	got = h.claimOne(w)
	h.that("the token grows", got.Token > 1)
	equal(h, "started", got.Started.Equal(want.Started), true)
}

func claimActivity(h *harness) {
	w := h.worker("w")
	s := newStart("a")
	s.Metadata, s.Carrier = map[string]string{"m": "1"}, map[string]string{"c": "2"}
	h.commit("", s)
	token := h.claimOne(w).Token
	a := activity(1, backend.Pending)
	a.Priority, a.Policy, a.Tags = 2, []byte("p"), []string{"t"}
	h.add(w, "a", token, a)
	due := h.entry("a", 1).Due
	c := newClaim(5)
	c.Tags = a.Tags
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"a.1"})
	got := c.Tasks[0]
	want := backend.Claimed{Metadata: s.Metadata, Carrier: s.Carrier, Task: backend.Task{
		ID: task("a", 1), Key: a.Key, Kind: backend.Activity, Step: "act", Workflow: "wf", Queue: "default", Priority: 2, Tags: a.Tags,
		State: backend.Running, Due: due, Worker: w, Token: 1, Attempt: 1, Policy: a.Policy, Input: a.Input, InputHash: a.InputHash,
		Created: got.Created, Started: got.Started,
	}}
	equal(h, "claimed", got, want)
	h.that("it has started", !got.Started.IsZero())
}

func claimFresh(h *harness) {
	w := h.worker("w")
	h.start("a", "b", "c")
	h.commit("", &backend.Signalled{Execution: "b", ID: "1", Name: "n"})
	for _, got := range h.claim(w, 2) {
		equal(h, got.ID.String()+" is fresh", got.Fresh, got.ID == root("a"))
	}
	token := h.claimOne(w).Token
	h.turn(w, &backend.Turn{Execution: "c", Token: token, Added: []backend.Add{timer(1, -1)}, Yield: &backend.Yield{}})
	equal(h, "with a history it is fresh", h.claimOne(w).Fresh, false)
}

func claimOrder(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "x")
	for i, id := range []string{"low", "first", "second", "third"} {
		s := newStart(id)
		s.Priority = min(i, 1)
		h.commit("", s)
	}
	early := newStart("early")
	early.Priority, early.At = 1, time.Now().Add(-time.Hour)
	h.commit("", early)
	high, mid, last := activity(1, backend.Pending), activity(2, backend.Pending), activity(3, backend.Pending)
	high.Priority, mid.Priority, last.Priority = 9, 1, -1
	h.add(w, "x", token, last, mid, high)

	want := []string{"x.1", "early.0", "first.0", "second.0", "third.0", "x.2", "low.0", "x.3"}
	var got []string
	for _, max := range []int{2, 6} {
		got = append(got, ids(h.claim(w, max))...)
	}
	equal(h, "order", got, want)
}

func claimTags(h *harness) {
	w := h.worker("w")
	for _, tags := range [][]string{nil, {"eu"}, {"gpu", "us"}, {"us"}} {
		s := newStart("tags" + fmt.Sprint(len(h.listAll())))
		s.Tags = tags
		h.commit("", s)
	}
	for _, x := range []struct{ tags, want []string }{
		{[]string{"gpu", "x"}, []string{"tags0.0", "tags2.0"}},
		{[]string{"asia"}, []string{}},
		{[]string{"us", "eu"}, []string{"tags1.0", "tags3.0"}},
	} {
		c := newClaim(10)
		c.Tags = x.tags
		h.commit(w, c)
		equal(h, fmt.Sprint("claimed with ", x.tags), ids(c.Tasks), x.want)
	}
}

func (h *harness) listAll() []backend.Execution {
	h.t.Helper()
	all, err := h.db.Executions(h.ctx, backend.ExecutionFilter{Limit: 1000})
	h.ok(err)
	return all
}

func claimSteps(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "a")
	known, unknown := activity(1, backend.Pending), activity(2, backend.Pending)
	unknown.Step = "unknown"
	h.add(w, "a", token, known, unknown)
	s := newStart("b")
	s.Workflow = "unknown"
	h.commit("", s)
	equal(h, "claimed", ids(h.claim(w, 10)), []string{"a.1"})
	c := newClaim(10)
	c.Steps = []string{"unknown"}
	h.commit(w, c)
	got := ids(c.Tasks)
	slices.Sort(got)
	equal(h, "claimed", got, []string{"a.2", "b.0"})
}

func claimQueues(h *harness) {
	w := h.worker("w")
	for _, q := range []string{"default", "billing", "mail"} {
		s := newStart("in-" + q)
		s.Queue = q
		h.commit("", s)
	}
	c := newClaim(10)
	c.Queues = []string{"mail", "billing", "mail", "empty"}
	h.commit(w, c)
	got := ids(c.Tasks)
	slices.Sort(got)
	equal(h, "claimed", got, []string{"in-billing.0", "in-mail.0"})
}

func claimIneligible(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "x")
	var commands []backend.Command
	for i := range 60 {
		tagged, strange := newStart(fmt.Sprint("tagged", i)), newStart(fmt.Sprint("strange", i))
		tagged.Tags, tagged.Priority = []string{"gpu"}, 5
		strange.Workflow, strange.Priority = "strange", 5
		commands = append(commands, tagged, strange)
	}
	h.commit("", commands...)
	var adds []backend.Add
	for i := range 60 {
		a := activity(i+1, backend.Pending)
		a.Step, a.Priority = "limited", 5
		adds = append(adds, a)
	}
	h.add(w, "x", token, append(adds, activity(61, backend.Pending))...)
	h.start("last")

	c := newClaim(10)
	c.Steps = append(c.Steps, "limited")
	c.Limits = map[string]int{"limited": 1}
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"x.1", "x.61", "last.0"})
	h.that("nothing more can be taken", !c.More)
}

func claimPaused(h *harness) {
	w := h.worker("w")
	s := newStart("a")
	s.Queue = "paused"
	h.commit("", s)
	h.start("b")
	h.ok(h.db.PauseQueue(h.ctx, "paused", "me"))
	c := newClaim(10)
	c.Queues = []string{"paused", "default"}
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"b.0"})
	equal(h, "paused", c.Paused, []string{"paused"})
	h.that("nothing falls due in it", c.NextDue < 0)
}

func claimManyQueues(h *harness) {
	w := h.worker("w")
	c := newClaim(10)
	c.Queues = nil
	for i := range 100 {
		c.Queues = append(c.Queues, fmt.Sprint("q", 99-i))
	}
	for id, queue := range map[string]string{"a": "q7", "b": "q98", "strange": "other", "paused": "q50"} {
		s := newStart(id)
		s.Queue = queue
		h.commit("", s)
	}
	h.ok(h.db.PauseQueue(h.ctx, "q50", "me"))
	token := h.begin(w, "holds")
	a := activity(1, backend.Pending)
	a.Queue = "q3"
	late := activity(2, backend.Pending)
	late.Queue, late.Delay = "q4", long
	h.add(w, "holds", token, a, late)
	h.commit(w, c)
	got := ids(c.Tasks)
	slices.Sort(got)
	equal(h, "claimed", got, []string{"a.0", "b.0", "holds.1"})
	h.that("it is told of the one that is due later", c.NextDue > 0 && c.NextDue <= long)
}

func claimMore(h *harness) {
	w := h.worker("w")
	h.start("a", "b", "c")
	late := newStart("late")
	late.Delay = long
	h.commit("", late)
	for _, x := range []struct {
		max, got int
		more     bool
	}{{0, 0, true}, {2, 2, true}, {10, 1, false}, {0, 0, false}} {
		c := newClaim(x.max)
		h.commit(w, c)
		equal(h, fmt.Sprintf("claimed of %d", x.max), len(c.Tasks), x.got)
		if x.more {
			h.that("there may be more", c.More)
		} else if x.max > 0 {
			h.that("there is no more", !c.More)
		}
	}
}

// claimsOn claims until nothing is left, a few at a time and each from where the one before has left. before is called
// before each.
func (h *harness) claimsOn(worker string, max int, before func(n int)) (taken []string) {
	h.t.Helper()
	var from backend.Left
	for n := 0; ; n++ {
		before(n)
		c := newClaim(max)
		c.Tags, c.From = []string{"gpu"}, from
		h.commit(worker, c)
		h.ok(c.Err)
		taken = append(taken, ids(c.Tasks)...)
		if len(c.Tasks) == 0 && from == nil {
			return taken
		}
		if from = c.Left; !c.More { // it need not have looked everywhere
			from = nil
		}
	}
}

// claimOn has lanes of three priorities, of executions and of activities, with tags and without.
func claimOn(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "holds")
	var want []string
	seq := 0
	for _, priority := range []int{5, 0, -5} {
		for i := range 4 {
			id := fmt.Sprintf("p%d-%d", priority, i)
			s := newStart(id)
			s.Priority = priority
			a := activity(seq+1, backend.Pending)
			a.Priority = priority
			if i == 3 {
				s.Tags, a.Tags = []string{"gpu"}, []string{"gpu"}
			}
			h.commit("", s)
			h.add(w, "holds", token, a)
			seq++
			want = append(want, root(id).String(), task("holds", seq).String())
		}
	}
	late := "p5-late"
	got := h.claimsOn(w, 3, func(n int) {
		if n == 2 {
			s := newStart(late)
			s.Priority = 5
			h.commit("", s)
		}
	})
	h.that("what came in front is found", slices.Contains(got, root(late).String()))
	got = slices.DeleteFunc(got, func(id string) bool { return id == root(late).String() })
	equal(h, "claimed", got, want)
}

func claimOnPaused(h *harness) {
	w := h.worker("w")
	h.start("a", "b", "c", "d")
	first := newClaim(1)
	h.commit(w, first)
	h.that("there is more", first.More)
	h.ok(h.db.PauseQueue(h.ctx, "default", "eve"))
	c := newClaim(1)
	c.From = first.Left
	h.commit(w, c)
	equal(h, "claimed of the paused queue", len(c.Tasks), 0)
	equal(h, "paused", c.Paused, []string{"default"})
	h.ok(h.db.ResumeQueue(h.ctx, "default", "eve"))
	c = newClaim(2)
	c.From = first.Left
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"b.0", "c.0"})
	h.that("there is more than two of three", c.More)
	c = newClaim(2)
	c.From = first.Left
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"d.0"})
	h.that("there is no more than that", !c.More)
}

func claimOnConcurrently(h *harness) {
	const tasks, claimers = 200, 4
	var commands []backend.Command
	for i := range tasks {
		commands = append(commands, newStart(fmt.Sprint("e", i)))
	}
	h.commit("", commands...)
	var wg sync.WaitGroup
	taken := make([][]string, claimers)
	for i := range claimers {
		w := h.worker(fmt.Sprint("w", i))
		wg.Go(func() { taken[i] = h.claimsOn(w, 7, func(int) {}) })
	}
	wg.Wait()
	all := slices.Concat(taken...)
	slices.Sort(all)
	equal(h, "tasks claimed", len(slices.Compact(all)), tasks)
	equal(h, "claims of them", len(all), tasks)
}

func claimNextDue(h *harness) {
	w := h.worker("w")
	c := newClaim(10)
	h.commit(w, c)
	h.that("it is negative where nothing waits for a time", c.NextDue < 0)

	later, latest, elsewhere := newStart("later"), newStart("latest"), newStart("elsewhere")
	later.Delay, latest.Delay, elsewhere.Delay, elsewhere.Queue = long, 2*long, time.Second, "elsewhere"
	h.commit("", later, latest, elsewhere)
	h.start("now")
	c = newClaim(10)
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"now.0"})
	h.that("it is until the first one", c.NextDue > long/2 && c.NextDue <= long)

	h.turn(w, &backend.Turn{Execution: "now", Token: 1, Yield: &backend.Yield{WakeIn: long / 4}})
	c = newClaim(0)
	h.commit(w, c)
	h.that("an orchestrator that wakes by itself counts", c.NextDue > 0 && c.NextDue <= long/4)
}

func claimConcurrently(h *harness) {
	const tasks, claimers = 200, 8
	var commands []backend.Command
	for i := range tasks {
		commands = append(commands, newStart(fmt.Sprint("e", i)))
	}
	h.commit("", commands...)
	var mu sync.Mutex
	var wg sync.WaitGroup
	owner := map[string]string{}
	for i := range claimers {
		w := h.worker(fmt.Sprint("w", i))
		wg.Go(func() {
			for empty := 0; empty < 3; {
				c := newClaim(7)
				if err := h.db.Commit(h.ctx, &backend.Batch{Worker: w, Commands: []backend.Command{c}}); err != nil {
					h.t.Error(err)
					return
				}
				if len(c.Tasks) == 0 && !c.More {
					empty++
				}
				mu.Lock()
				for _, t := range c.Tasks {
					if other := owner[t.ID.Execution]; other != "" {
						h.t.Errorf("%s was given to %s and to %s", t.ID, other, w)
					}
					owner[t.ID.Execution] = w
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	equal(h, "tasks claimed", len(owner), tasks)
}
