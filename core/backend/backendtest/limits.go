package backendtest

import (
	"fmt"
	"sync"

	"github.com/stentgo/stent/core/backend"
)

var limits = []behaviour{
	{"an activity with a limit runs at most so often on all workers together", limitHolds},
	{"a limit counts over all queues, priorities and tags", limitOverLanes},
	{"what ends, is retried or is given back makes room", limitFrees},
	{"a limit is exact with many claimers at once", limitConcurrently},
}

// limited claims with a limit for act.
func (h *harness) limited(worker string, max, limit int) []backend.Claimed {
	h.t.Helper()
	c := newClaim(max)
	c.Limits = map[string]int{"act": limit}
	h.commit(worker, c)
	h.ok(c.Err)
	return c.Tasks
}

// backlog begins an execution with activities in the queue.
func (h *harness) backlog(worker, id string, n int) {
	h.t.Helper()
	token := h.begin(worker, id)
	var adds []backend.Add
	for i := range n {
		adds = append(adds, activity(i+1, backend.Pending))
	}
	h.add(worker, id, token, adds...)
}

func limitHolds(h *harness) {
	a, b := h.worker("a"), h.worker("b")
	h.backlog(a, "x", 6)
	equal(h, "first", len(h.limited(a, 2, 3)), 2)
	equal(h, "second", len(h.limited(b, 5, 3)), 1)
	equal(h, "third", len(h.limited(a, 5, 3)), 0)
	equal(h, "with a higher limit", len(h.limited(a, 5, 4)), 1)
	equal(h, "without a limit", len(h.claim(b, 5)), 2)
}

func limitOverLanes(h *harness) {
	w := h.worker("w")
	token := h.begin(w, "x")
	var adds []backend.Add
	for i := range 8 {
		a := activity(i+1, backend.Pending)
		a.Priority = i % 2
		a.Queue = []string{"default", "other"}[i/2%2]
		if i >= 4 {
			a.Tags = []string{"t"}
		}
		adds = append(adds, a)
	}
	h.add(w, "x", token, adds...)
	c := newClaim(10)
	c.Queues, c.Tags, c.Limits = []string{"default", "other"}, []string{"t"}, map[string]int{"act": 3}
	h.commit(w, c)
	equal(h, "claimed", len(c.Tasks), 3)
	h.that("there is no more", !c.More)
}

func limitFrees(h *harness) {
	w := h.worker("w")
	h.backlog(w, "x", 8)
	got := h.limited(w, 5, 4)
	equal(h, "claimed", len(got), 4)
	h.commit(w,
		&backend.Complete{Task: got[0].ID, Token: got[0].Token},
		&backend.Retry{Task: got[1].ID, Token: got[1].Token, Failure: oops(), Delay: long},
		&backend.Release{Task: got[2].ID, Token: got[2].Token},
		&backend.Bury{Task: got[3].ID, Token: got[3].Token, State: backend.Failed, Failure: oops(), Reason: "r"},
	)
	equal(h, "claimed", len(h.limited(w, 5, 4)), 4)
	equal(h, "claimed", len(h.limited(w, 5, 4)), 0)
	h.ok(h.db.Retire(h.ctx, w))
	other := h.worker("other")
	equal(h, "claimed after the worker has left, with the orchestrator", len(h.limited(other, 10, 4)), 5)
}

func limitConcurrently(h *harness) {
	const tasks, claimers, limit = 60, 8, 3
	h.backlog(h.worker("w"), "x", tasks)
	var mu sync.Mutex
	var wg sync.WaitGroup
	most, done := 0, 0
	over := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return done == tasks || h.t.Failed()
	}
	for i := range claimers {
		w := h.worker(fmt.Sprint("w", i))
		wg.Go(func() {
			for !over() {
				c := newClaim(2)
				c.Limits = map[string]int{"act": limit}
				if err := h.db.Commit(h.ctx, &backend.Batch{Worker: w, Commands: []backend.Command{c}}); err != nil {
					h.t.Error(err)
					return
				}
				held := h.runningActivities()
				var ends []backend.Command
				for _, t := range c.Tasks {
					ends = append(ends, &backend.Complete{Task: t.ID, Token: t.Token})
				}
				if err := h.db.Commit(h.ctx, &backend.Batch{Worker: w, Commands: ends}); err != nil {
					h.t.Error(err)
					return
				}
				mu.Lock()
				most, done = max(most, held), done+len(ends)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h.that(fmt.Sprintf("%d run at once, the limit is %d", most, limit), most <= limit)
}

// runningActivities counts the activities that run on all workers at one moment.
func (h *harness) runningActivities() int {
	running, err := h.db.Tasks(h.ctx, backend.TaskFilter{States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}})
	if err != nil {
		h.t.Error(err)
	}
	return len(running)
}
