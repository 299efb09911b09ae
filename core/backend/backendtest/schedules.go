package backendtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core/backend"
)

var schedules = []behaviour{
	{"a schedule is listed as it was put", scheduleListed},
	{"what was written meanwhile is not overwritten", schedulePutLate},
	{"those are due whose tick has come, the earliest first", scheduleDue},
	{"a tick begins executions and sets the next in one step", scheduleTick},
	{"a tick that another has handled begins nothing", scheduleTickTwice},
	{"of many workers one handles a tick", scheduleTickAtOnce},
	{"a start that is refused does not hold up the schedule", scheduleStartRefused},
	{"ticks that were skipped are counted and leave the last one", scheduleSkipped},
	{"it is told whether what was begun last has ended", scheduleRunning},
	{"a schedule that is deleted is gone, and what it began goes on", scheduleDeleted},
	{"a renewal tells when the next tick is", scheduleRenewal},
	{"watchers are told of what a tick began", scheduleWatched},
}

// newSchedule is a schedule that ticks next so long after now.
func (h *harness) newSchedule(name string, next time.Duration) backend.Schedule {
	h.t.Helper()
	s := backend.Schedule{Name: name, Rule: []byte(`{"cron":"@daily"}`), Start: *newStart(""), Next: h.now().Add(next)}
	s.Start.ID, s.Start.Input = "", []byte(`{"of":"`+name+`"}`)
	return s
}

func putBy(actor, name string) backend.AuditEntry {
	return backend.AuditEntry{Actor: actor, Action: backend.ActionPutSchedule, Subject: name, Detail: "why"}
}

func (h *harness) put(s backend.Schedule) backend.Schedule {
	h.t.Helper()
	written, err := h.db.PutSchedule(h.ctx, s, putBy("anna", s.Name))
	h.ok(err)
	h.that("the schedule is written", written)
	return h.schedule(s.Name)
}

func (h *harness) schedule(name string) backend.Schedule {
	h.t.Helper()
	list, err := h.db.Schedules(h.ctx, backend.ScheduleFilter{Name: name})
	h.ok(err)
	equal(h, "schedules called "+name, len(list.Schedules), 1)
	return list.Schedules[0]
}

func (h *harness) scheduleNames(f backend.ScheduleFilter) (names []string) {
	h.t.Helper()
	list, err := h.db.Schedules(h.ctx, f)
	h.ok(err)
	for _, s := range list.Schedules {
		names = append(names, s.Name)
	}
	return names
}

// tick has a schedule begin an execution.
func (h *harness) tick(s backend.Schedule, id string) bool {
	h.t.Helper()
	return h.tickOn(h.db, s, id)
}

func (h *harness) tickOn(db backend.Backend, s backend.Schedule, id string) bool {
	h.t.Helper()
	start := s.Start
	start.ID = id
	ticked, err := db.Tick(h.ctx, &backend.Tick{
		Schedule: s.Name, Revision: s.Revision, Starts: []*backend.Start{&start}, Next: s.Next.Add(time.Hour), LastTick: s.Next, LastExecution: id,
	})
	h.ok(err)
	return ticked
}

func scheduleListed(h *harness) {
	before := h.now()
	s := h.newSchedule("nightly", time.Hour)
	s.Start.Tags, s.Start.Policy, s.Start.Priority = []string{"a", `b"\`}, []byte(`{}`), -3
	s.Start.MaxDuration, s.Start.Metadata = time.Minute, map[string]string{"k": "v"}
	s.PausedAt, s.PausedBy, s.LastTick, s.LastExecution, s.Skipped = before, "bert", before.Add(-time.Hour), "x", 3
	got := h.put(s)
	h.that("it was made now", !got.Created.Before(before) && !got.Created.After(h.now()) && got.Changed.Equal(got.Created))
	s.Revision, s.Created, s.Changed = 1, got.Created, got.Changed
	equal(h, "schedule", got, s)

	s.Rule, s.Next, s.PausedAt, s.PausedBy, s.Start.Queue = []byte(`{"cron":"@hourly"}`), time.Time{}, time.Time{}, "", "other"
	s.Start.Tags, s.Start.Policy, s.Start.Input, s.Start.Metadata, s.Start.MaxDuration = nil, nil, nil, nil, 0
	again := h.put(s)
	h.that("it was made when it was first put", again.Created.Equal(got.Created) && !again.Changed.Before(got.Changed))
	s.Revision, s.Changed = 2, again.Changed
	equal(h, "schedule that was put again", again, s)

	h.put(h.newSchedule("a", time.Hour))
	equal(h, "names", h.scheduleNames(backend.ScheduleFilter{}), []string{"a", "nightly"})
	equal(h, "none of that name", h.scheduleNames(backend.ScheduleFilter{Name: "b"}), nil)
	equal(h, "audit", h.actions(backend.AuditFilter{}), []string{"anna put_schedule a", "anna put_schedule nightly", "anna put_schedule nightly"})
}

func schedulePutLate(h *harness) {
	s := h.newSchedule("s", time.Hour)
	first := h.put(s)
	for _, late := range []int64{0, 2} {
		s.Revision, s.Rule = late, []byte(`{}`)
		written, err := h.db.PutSchedule(h.ctx, s, putBy("late", "s"))
		h.ok(err)
		h.that("it is not written", !written)
	}
	gone := h.newSchedule("gone", time.Hour)
	gone.Revision = 1
	written, err := h.db.PutSchedule(h.ctx, gone, putBy("late", "gone"))
	h.ok(err)
	h.that("one that was deleted is not written", !written)
	equal(h, "schedule", h.schedule("s"), first)
	equal(h, "names", h.scheduleNames(backend.ScheduleFilter{}), []string{"s"})
	equal(h, "audit", h.actions(backend.AuditFilter{}), []string{"anna put_schedule s"})
}

func scheduleDue(h *harness) {
	list, err := h.db.Schedules(h.ctx, backend.ScheduleFilter{Due: true})
	h.ok(err)
	h.that("nothing ticks next", list.Next < 0)
	h.put(h.newSchedule("a", -time.Minute))
	h.put(h.newSchedule("b", -time.Hour))
	h.put(h.newSchedule("c", time.Hour))
	paused := h.newSchedule("d", 0)
	paused.Next = time.Time{}
	h.put(paused)
	list, err = h.db.Schedules(h.ctx, backend.ScheduleFilter{Due: true})
	h.ok(err)
	equal(h, "due", h.scheduleNames(backend.ScheduleFilter{Due: true}), []string{"b", "a"})
	equal(h, "due of that name", h.scheduleNames(backend.ScheduleFilter{Name: "a", Due: true}), []string{"a"})
	h.that("the next is told", list.Next > time.Hour-patience && list.Next <= time.Hour)
	h.that("the time is told", list.Now.Sub(h.now()).Abs() < patience && list.Now.Location() == time.UTC)
}

func scheduleTick(h *harness) {
	s := h.put(h.newSchedule("s", -time.Minute))
	before := h.now()
	starts := []*backend.Start{newStart("s/1"), newStart("s/2")}
	tick := &backend.Tick{Schedule: "s", Revision: s.Revision, Starts: starts, Next: s.Next.Add(time.Hour), LastTick: s.Next, LastExecution: "s/2", Skipped: 2}
	ticked, err := h.db.Tick(h.ctx, tick)
	h.ok(err)
	h.that("it ticked", ticked && !tick.Now.Before(before) && !tick.Now.After(h.now()))
	for _, c := range starts {
		h.is("start", c.Err, nil)
		h.that("it begins", !c.Existed)
		h.state(c.ID, backend.Pending, backend.Pending)
	}
	want := s
	want.Next, want.LastTick, want.LastExecution, want.Skipped, want.Revision, want.Running = tick.Next, tick.LastTick, "s/2", 2, s.Revision+1, true
	equal(h, "schedule", h.schedule("s"), want)
	equal(h, "due", h.scheduleNames(backend.ScheduleFilter{Due: true}), nil)
	equal(h, "claimed", ids(h.claim(h.worker("w"), 10)), []string{"s/1.0", "s/2.0"})
}

func scheduleTickTwice(h *harness) {
	s := h.put(h.newSchedule("s", -time.Minute))
	h.that("the first ticks", h.tick(s, "first"))
	after := h.schedule("s")
	h.that("the second does not", !h.tick(s, "second"))
	equal(h, "schedule", h.schedule("s"), after)
	_, err := h.db.Execution(h.ctx, "second")
	h.is("what it would have begun", err, backend.ErrNotFound)

	h.put(after) // somebody writes it between the look and the tick
	h.that("a tick of a former rule does not", !h.tick(after, "third"))
	h.ok(h.db.DeleteSchedule(h.ctx, "s", putBy("anna", "s")))
	h.that("a tick of a schedule that is gone does not", !h.tick(after, "fourth"))
}

func scheduleTickAtOnce(h *harness) {
	s := h.put(h.newSchedule("s", -time.Minute))
	handles := []backend.Backend{h.db}
	for range 3 {
		if h.features.Another != nil {
			handles = append(handles, h.features.Another(h.t, h.db))
		}
	}
	var (
		ticked  atomic.Int64
		workers sync.WaitGroup
	)
	for i := range 16 {
		workers.Go(func() {
			start := s.Start
			start.ID = "begun-" + string(rune('a'+i))
			ok, err := handles[i%len(handles)].Tick(h.ctx, &backend.Tick{
				Schedule: "s", Revision: s.Revision, Starts: []*backend.Start{&start}, Next: s.Next.Add(time.Hour), LastTick: s.Next, LastExecution: start.ID,
			})
			if err != nil {
				h.t.Error(err)
			}
			if ok {
				ticked.Add(1)
			}
		})
	}
	workers.Wait()
	equal(h, "ticked", ticked.Load(), 1)
	all, err := h.db.Executions(h.ctx, backend.ExecutionFilter{})
	h.ok(err)
	equal(h, "executions", len(all), 1)
	equal(h, "the last", h.schedule("s").LastExecution, all[0].ID)
}

func scheduleStartRefused(h *harness) {
	h.start("s/1")
	other := newStart("s/2")
	other.Workflow = "other"
	h.commit("", other)
	s := h.put(h.newSchedule("s", -time.Minute))
	starts := []*backend.Start{newStart("s/1"), newStart("s/2"), newStart("s/3")}
	ticked, err := h.db.Tick(h.ctx, &backend.Tick{Schedule: "s", Revision: s.Revision, Starts: starts, Next: s.Next.Add(time.Hour)})
	h.ok(err)
	h.that("it ticked", ticked)
	h.that("one was there", starts[0].Existed && starts[0].Err == nil)
	h.is("one differs", starts[1].Err, backend.ErrAlreadyExists)
	h.that("one begins", !starts[2].Existed && starts[2].Err == nil)
	h.state("s/3", backend.Pending, backend.Pending)
}

func scheduleSkipped(h *harness) {
	s := h.put(h.newSchedule("s", -time.Minute))
	h.that("it ticked", h.tick(s, "first"))
	last := h.schedule("s")
	for range 2 {
		now := h.schedule("s")
		ticked, err := h.db.Tick(h.ctx, &backend.Tick{Schedule: "s", Revision: now.Revision, Next: s.Next, Skipped: 2})
		h.ok(err)
		h.that("it ticked", ticked)
	}
	got := h.schedule("s")
	equal(h, "skipped", got.Skipped, 4)
	equal(h, "last", got.LastExecution, "first")
	h.that("the last tick is the same", got.LastTick.Equal(last.LastTick) && got.Next.Equal(s.Next))
}

func scheduleRunning(h *harness) {
	w := h.worker("w")
	s := h.put(h.newSchedule("s", -time.Minute))
	h.that("nothing runs before the first tick", !s.Running)
	h.that("it ticked", h.tick(s, "first"))
	h.that("it runs", h.schedule("s").Running)
	got := h.claimOne(w)
	h.that("it runs still", h.schedule("s").Running)
	h.turn(w, &backend.Turn{Execution: "first", Token: got.Token, Close: &backend.Close{State: backend.Completed}})
	h.that("it has ended", !h.schedule("s").Running)
}

func scheduleDeleted(h *harness) {
	s := h.put(h.newSchedule("s", -time.Minute))
	h.that("it ticked", h.tick(s, "first"))
	e := backend.AuditEntry{Actor: "bert", Action: backend.ActionDeleteSchedule, Subject: "s"}
	h.ok(h.db.DeleteSchedule(h.ctx, "s", e))
	equal(h, "names", h.scheduleNames(backend.ScheduleFilter{}), nil)
	h.is("once more", h.db.DeleteSchedule(h.ctx, "s", e), backend.ErrNotFound)
	h.state("first", backend.Pending, backend.Pending)
	equal(h, "audit", h.actions(backend.AuditFilter{}), []string{"bert delete_schedule s", "anna put_schedule s"})
}

func scheduleRenewal(h *harness) {
	w := h.worker("w")
	tick := func() time.Duration {
		h.t.Helper()
		r, err := h.db.Renew(h.ctx, w, backend.WorkerReady, 0, long)
		h.ok(err)
		return r.Tick
	}
	h.that("there is none", tick() < 0)
	paused := h.newSchedule("paused", 0)
	paused.Next = time.Time{}
	h.put(paused)
	h.that("a paused schedule has none", tick() < 0)
	h.put(h.newSchedule("later", 2*time.Hour))
	h.put(h.newSchedule("soon", time.Hour))
	h.that("it is the earliest", tick() > time.Hour-patience && tick() <= time.Hour)
	h.put(h.newSchedule("due", -time.Hour))
	equal(h, "of one that is due", tick(), 0)
}

func scheduleWatched(h *harness) {
	other, w := h.another(), h.worker("w")
	h.put(h.newSchedule("s", -time.Minute))
	told := h.watching(h.db, w)
	for round := range 4 { // it may be told once or twice of nothing
		h.that("it ticked", h.tickOn(other, h.schedule("s"), fmt.Sprint(round)))
		h.told(told, "of the tick")
	}
}
