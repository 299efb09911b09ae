package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// event is one line of an execution's story.
type event struct {
	core.ProgressItem
	attempt int       // of an activity; otherwise 0
	due     time.Time // when a task that waits is next looked at
}

// tell joins what has happened with what the tasks are about to do.
func tell(x core.Snapshot, tasks []backend.Task) []event {
	byID := map[backend.TaskID]backend.Task{}
	for _, t := range tasks {
		byID[t.ID] = t
	}
	var story []event
	for _, item := range x.Progress {
		e := event{ProgressItem: item}
		if t, ok := byID[item.TaskID]; ok && t.Kind == backend.Activity {
			e.attempt = t.Attempt
			if !item.State.Final() {
				e.due = t.Due
			}
		}
		story = append(story, e)
	}
	for _, t := range tasks {
		if (t.Kind == backend.Timer || t.Kind == backend.SignalWait) && !t.State.Final() {
			story = append(story, event{
				ProgressItem: core.ProgressItem{At: t.Created, Step: t.Step, TaskID: t.ID, Kind: t.Kind, State: t.State},
				due:          t.Due,
			})
		}
	}
	slices.SortStableFunc(story, func(a, b event) int { return a.At.Compare(b.At) })
	return story
}

// mark is the sign in front of a line, as the guide to monitoring has them.
func mark(state backend.State) string {
	switch state {
	case backend.Running:
		return ">"
	case backend.Completed:
		return "+"
	case backend.Failed, backend.TimedOut:
		return "x"
	case backend.Cancelled:
		return "-"
	default:
		return "~"
	}
}

func (s *screen) event(e event) {
	word, more := s.status(e)
	s.printf("[%s] %s %s (%s)%s", s.clock(e.At), s.paint(colorOf(e.State), mark(e.State)), clean(e.Step), word, more)
	if e.Child != "" {
		s.printf(" as %s", clean(e.Child))
	}
	if e.Detail != "" && e.Kind != backend.Orchestrator { // the execution's own error has a line below
		s.printf(": %s", clean(e.Detail))
	}
	s.printf("\n")
}

// status says how a step stands, and, where that is not the whole story, what else there is to it.
func (s *screen) status(e event) (word, more string) {
	if !e.due.IsZero() && e.Kind != backend.Activity {
		more = " until " + s.date(e.due)
	}
	switch {
	case e.Kind == backend.Timer:
		return "sleeping", more
	case e.Kind == backend.SignalWait:
		return "waiting for signal", more
	case e.State == backend.Pending && e.attempt > 1:
		return "retrying", fmt.Sprintf(" attempt %d at %s", e.attempt, s.date(e.due))
	case e.attempt > 1:
		more = fmt.Sprintf(" on attempt %d", e.attempt)
	}
	if e.ResultOf != (backend.TaskID{}) {
		more += " with the result of " + clean(e.ResultOf.String())
	}
	return strings.ReplaceAll(string(e.State), "_", " "), more
}

func (e event) shape() progressShape {
	shape := progressShape{
		At: e.At.UTC(), Step: e.Step, TaskID: e.TaskID.String(), Kind: e.Kind, State: e.State,
		DueAt: shapeTime(e.due), Error: shapeText(e.Detail), ChildID: shapeText(e.Child),
	}
	if e.attempt > 0 {
		shape.Attempt = &e.attempt
	}
	return shape
}
