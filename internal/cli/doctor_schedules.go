package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// examineSchedules finds those that do not tick, and those whose executions would wait for a worker. Where there are no
// schedules there is nothing to say.
func examineSchedules(ctx context.Context, db backend.Backend, now time.Time, workers []backend.Worker) ([]finding, error) {
	e, err := core.New(db)
	if err != nil {
		return nil, err
	}
	all, err := e.Schedules(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var findings []finding
	for i := range all {
		s := &all[i]
		switch {
		case !s.PausedAt.IsZero():
			continue
		case s.Invalid != nil:
			findings = append(findings, finding{"schedules", problem, fmt.Sprintf("%s cannot tick here: %v", s.Name, s.Invalid), "put it anew", "schedule show " + quoted(s.Name)})
			continue
		case s.Overdue:
			findings = append(findings, finding{"schedules", problem, fmt.Sprintf("%s should have ticked %s ago, and no worker has made it", s.Name, age(now.Sub(s.Next))),
				"any worker makes every schedule tick: start one, or see what the log of those that live says", "schedule show " + quoted(s.Name)})
		}
		if !slices.ContainsFunc(workers, func(w backend.Worker) bool { return takes(&w, s, now) }) {
			findings = append(findings, finding{"schedules", warning, fmt.Sprintf("%s begins %s in %s, which no live worker takes from there", s.Name, s.Start.Workflow, s.Start.Queue),
				fmt.Sprintf("start a program that registers the workflow and serves the queue, or pause the schedule; next tick at %s", s.Next.UTC().Format(time.RFC3339)), ""})
		}
	}
	if len(findings) == 0 {
		findings = append(findings, finding{"schedules", fine, fmt.Sprintf("%d known, none of them late", len(all)), "", ""})
	}
	return findings, nil
}

// takes tells whether a worker lives, serves the queue of a schedule's executions, has the workflow, and a tag of theirs.
func takes(w *backend.Worker, s *core.ScheduleStatus, now time.Time) bool {
	return w.State != backend.WorkerStopped && w.State != backend.WorkerDead && w.LeaseEnd.After(now) &&
		slices.Contains(w.Queues, s.Start.Queue) && slices.Contains(w.Steps, s.Start.Workflow) &&
		(len(s.Start.Tags) == 0 || slices.ContainsFunc(s.Start.Tags, func(tag string) bool { return slices.Contains(w.Tags, tag) }))
}
