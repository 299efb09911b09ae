package backendtest

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

var queues = []behaviour{
	{"a paused queue is listed with who paused it", queuePaused},
	{"to pause a paused queue changes nothing", queuePausedTwice},
	{"after it is resumed a queue is claimed from again", queueResumed},
	{"a pause is counted with the queue", queuePauseCounted},
}

var audits = []behaviour{
	{"it is listed newest first, filtered and by pages", auditListed},
	{"it outlives the dead letter", auditOutlives},
}

func (h *harness) actions(f backend.AuditFilter) (list []string) {
	h.t.Helper()
	entries, err := h.db.Audit(h.ctx, f)
	h.ok(err)
	for _, e := range entries {
		what := e.Subject
		if e.Task != (backend.TaskID{}) {
			what = e.Task.String()
		}
		list = append(list, e.Actor+" "+e.Action+" "+what)
	}
	return list
}

func queuePaused(h *harness) {
	before := h.now()
	h.ok(h.db.PauseQueue(h.ctx, "slow", "anna"))
	h.ok(h.db.PauseQueue(h.ctx, "fast", "bert"))
	paused, err := h.db.PausedQueues(h.ctx)
	h.ok(err)
	equal(h, "paused queues", len(paused), 2)
	for i, want := range []string{"fast bert", "slow anna"} {
		equal(h, "paused", paused[i].Name+" "+paused[i].Actor, want)
		h.that("the time is the database's", !paused[i].At.Before(before) && !paused[i].At.After(h.now()))
	}
	equal(h, "audit", h.actions(backend.AuditFilter{}), []string{"bert pause_queue fast", "anna pause_queue slow"})
}

func queuePausedTwice(h *harness) {
	h.ok(h.db.PauseQueue(h.ctx, "slow", "anna"))
	before, err := h.db.PausedQueues(h.ctx)
	h.ok(err)
	h.ok(h.db.PauseQueue(h.ctx, "slow", "bert"))
	after, err := h.db.PausedQueues(h.ctx)
	h.ok(err)
	equal(h, "paused queues", after, before)
	h.ok(h.db.ResumeQueue(h.ctx, "other", "bert"))
	equal(h, "audit", h.actions(backend.AuditFilter{}), []string{"anna pause_queue slow"})
}

func queueResumed(h *harness) {
	w := h.worker("w")
	h.ok(h.db.PauseQueue(h.ctx, "default", "anna"))
	h.start("a")
	equal(h, "claimed while it is paused", len(h.claim(w, 10)), 0)
	h.ok(h.db.ResumeQueue(h.ctx, "default", "bert"))
	c := newClaim(10)
	h.commit(w, c)
	equal(h, "claimed", ids(c.Tasks), []string{"a.0"})
	equal(h, "paused", len(c.Paused), 0)
	paused, err := h.db.PausedQueues(h.ctx)
	h.ok(err)
	equal(h, "paused queues", len(paused), 0)
	equal(h, "audit", h.actions(backend.AuditFilter{}), []string{"bert resume_queue default", "anna pause_queue default"})
}

func queuePauseCounted(h *harness) {
	h.start("a")
	for _, paused := range []bool{true, false} {
		if paused {
			h.ok(h.db.PauseQueue(h.ctx, "default", "me"))
		} else {
			h.ok(h.db.ResumeQueue(h.ctx, "default", "me"))
		}
		stats, err := h.db.Stats(h.ctx)
		h.ok(err)
		equal(h, "queues", len(stats.Queues), 1)
		equal(h, "paused", stats.Queues[0].Paused, paused)
		equal(h, "depth", stats.Queues[0].Depth, 1)
	}
}

func auditListed(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	h.failed(w, "b")
	h.ok(h.db.Discard(h.ctx, task("a", 1), "anna"))
	h.ok(h.db.Replay(h.ctx, task("b", 1), "", "bert"))
	h.ok(h.db.PauseQueue(h.ctx, "q", "anna"))
	between := h.now()
	h.ok(h.db.ResumeQueue(h.ctx, "q", "anna"))

	all := []string{"anna resume_queue q", "anna pause_queue q", "bert replay b.1", "anna discard a.1"}
	equal(h, "all", h.actions(backend.AuditFilter{}), all)
	for _, x := range []struct {
		name   string
		filter backend.AuditFilter
		want   []string
	}{
		{"of an actor", backend.AuditFilter{Actor: "bert"}, all[2:3]},
		{"of an action", backend.AuditFilter{Action: backend.ActionDiscard}, all[3:]},
		{"of an execution", backend.AuditFilter{Execution: "b"}, all[2:3]},
		{"of a task", backend.AuditFilter{Task: task("a", 1)}, all[3:]},
		{"of another task", backend.AuditFilter{Task: task("a", 2)}, nil},
		{"of a subject", backend.AuditFilter{Subject: "q"}, all[:2]},
		{"since", backend.AuditFilter{Since: between}, all[:1]},
		{"the newest", backend.AuditFilter{Limit: 2}, all[:2]},
	} {
		equal(h, x.name, h.actions(x.filter), x.want)
	}
	entries, err := h.db.Audit(h.ctx, backend.AuditFilter{Limit: 2})
	h.ok(err)
	equal(h, "next page", h.actions(backend.AuditFilter{Limit: 5, Before: entries[1].N}), all[2:])
	equal(h, "place of a time", entries[0].At.Location(), time.UTC)
}

func auditOutlives(h *harness) {
	h.failed(h.worker("w"), "a")
	equal(h, "before", len(h.actions(backend.AuditFilter{Task: task("a", 1)})), 0)
	h.ok(h.db.Discard(h.ctx, task("a", 1), "anna"))
	equal(h, "afterwards", h.actions(backend.AuditFilter{Task: task("a", 1)}), []string{"anna discard a.1"})
}

// now is the database's clock.
func (h *harness) now() time.Time {
	h.t.Helper()
	stats, err := h.db.Stats(h.ctx)
	h.ok(err)
	return stats.Now
}
