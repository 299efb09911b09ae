//go:build unix

package main

import (
	"time"
)

// What the ledger alone has to tell. It is a list of what happened, in its order, in all processes.
//
//   - A result that a later step knows was committed before that step began. So the task that it is of never begins
//     again, and no other attempt at it has an effect.
//   - A task that has begun anew is nobody else's any more: an attempt that began before has no effect after that.
//   - No more attempts at a limited step are between their beginning and their effect than the limit.
//
// A process that was stopped cannot know that others have its tasks now, and what it does in the moment before its
// clocks go off is excused: an effect, and the beginning of what it had claimed before it was stopped. It is counted.

// grace is how long after SIGCONT a process is excused: its timers go off at once, but a busy machine takes its time.
const grace = time.Second

// attempt is what the ledger tells of one.
type attempt struct {
	entry
	began, ended int // places in the ledger; ended is 0 while it goes on, or where it was killed
	how          happening
	late         bool // it began on a process that had just been resumed, perhaps with a lease that was over
}

type chronicle struct {
	report   *report
	attempts map[string]*attempt   // by mark
	tasks    map[string][]*attempt // by task, in order
	metrics  map[int]map[string]int64
	excused  int

	stops map[int][]stop // by process
}

// stop is a time in which a process stood still, as places in the ledger.
type stop struct {
	from, to int
	until    time.Time
}

func readChronicle(entries []entry, limits map[string]int, r *report) *chronicle {
	c := &chronicle{
		report: r, attempts: map[string]*attempt{}, tasks: map[string][]*attempt{}, metrics: map[int]map[string]int64{}, stops: map[int][]stop{},
	}
	for i, e := range entries {
		switch e.What {
		case paused:
			c.stops[e.Process] = append(c.stops[e.Process], stop{from: i})
		case resumed:
			if all := c.stops[e.Process]; len(all) > 0 && all[len(all)-1].to == 0 {
				all[len(all)-1].to, all[len(all)-1].until = i, e.At
			}
		}
	}
	known := map[string]knowledge{}
	running := map[string]map[string]*attempt{}
	for i, e := range entries {
		switch e.What {
		case told:
			c.metrics[e.Process] = e.Metrics
		case began:
			c.begin(i, e, known)
			if limits[e.Step] > 0 {
				if running[e.Step] == nil {
					running[e.Step] = map[string]*attempt{}
				}
				running[e.Step][e.Mark] = c.attempts[e.Mark]
			}
		case did, failed, stopped:
			c.end(i, e, known)
		}
	}
	for step, all := range running {
		c.most(step, limits[step], all, len(entries))
	}
	r.check("beginnings of activities in the ledger", len(c.attempts))
	r.note("activities  %d begun at %d tasks; excused right after SIGCONT: %d", len(c.attempts), len(c.tasks), c.excused)
	return c
}

// knowledge is of a task's result.
type knowledge struct {
	at   int    // where a later step began with it
	mark string // of the attempt that it came from
}

func (c *chronicle) begin(i int, e entry, known map[string]knowledge) {
	if e.Before != "" {
		source := c.attempts[e.Before]
		switch {
		case source == nil || source.how != did:
			c.report.violate("%s got a result with the mark %s, which no attempt gave", e.Task, e.Before)
		case known[source.Task].at == 0:
			known[source.Task] = knowledge{i, e.Before}
		}
	}
	if known[e.Task].at > 0 && !c.excuse(e, i) {
		c.report.violate("%s began again (p%d %s, attempt %d) after a later step knew its result", e.Task, e.Process, e.Worker, e.Attempt)
	}
	if c.attempts[e.Mark] != nil {
		c.report.violate("the mark %s was used twice", e.Mark)
	}
	a := &attempt{entry: e, began: i, late: c.justResumed(e, i)}
	c.attempts[e.Mark] = a
	c.tasks[e.Task] = append(c.tasks[e.Task], a)
}

func (c *chronicle) end(i int, e entry, known map[string]knowledge) {
	a := c.attempts[e.Mark]
	if a == nil {
		c.report.violate("%s ended with the mark %s and had not begun", e.Task, e.Mark)
		return
	}
	a.ended, a.how = i, e.What
	if e.What != did {
		return
	}
	c.report.check("effects whose task had not begun anew", 1)
	if k := known[e.Task]; k.at > 0 && k.mark != e.Mark && !c.excuse(e, i) {
		c.report.violate("%s had an effect on p%d (%s) after a later step knew the result of another attempt", e.Task, e.Process, e.Worker)
	}
	for _, next := range c.tasks[e.Task] {
		if next.began > a.began && !next.late && !c.excuse(e, i) {
			c.report.violate("%s had an effect on p%d (%s) after it had begun anew on p%d (%s): two live leases", e.Task, e.Process, e.Worker, next.Process, next.Worker)
		}
	}
}

// excuse tells whether what would be a violation is of a process that has just been resumed.
func (c *chronicle) excuse(e entry, at int) bool {
	if !c.justResumed(e, at) {
		return false
	}
	c.excused++
	return true
}

func (c *chronicle) justResumed(e entry, at int) bool {
	for _, s := range c.stops[e.Process] {
		if at > s.from && (s.to == 0 || at < s.to || e.At.Sub(s.until) < grace) {
			return true
		}
	}
	return false
}

// stoodStill tells whether a process was stopped between two places.
func (c *chronicle) stoodStill(process, from, to int) bool {
	for _, s := range c.stops[process] {
		if s.from < to && (s.to == 0 || s.to > from) {
			return true
		}
	}
	return false
}

// most checks how many attempts at a step went on at once.
func (c *chronicle) most(step string, limit int, all map[string]*attempt, places int) {
	change := make([]int, places+1)
	for _, a := range all {
		if (a.how == did || a.how == failed) && !c.stoodStill(a.Process, a.began, a.ended) {
			change[a.began]++
			change[a.ended]--
		}
	}
	now, most := 0, 0
	for _, d := range change {
		now += d
		most = max(most, now)
	}
	c.report.check("attempts at limited steps", len(all))
	if most > limit {
		c.report.violate("%d attempts at %s went on at once, with MaxConcurrent(%d)", most, step, limit)
	}
	c.report.note("limits      at most %d of %s at once, with MaxConcurrent(%d)", most, step, limit)
}
