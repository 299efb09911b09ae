package core

import (
	"context"
	"errors"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/cron"
)

// Tick is why a schedule began an execution.
type Tick struct {
	Schedule string
	// At is the time of the tick, in UTC: when the execution should have begun, however late it did. Of an execution that was
	// begun by hand it is when that was asked for.
	At time.Time
}

// Tick tells which tick of a schedule the execution belongs to, the same whenever the workflow runs again. false if no
// schedule began it.
func (f *Flow) Tick() (Tick, bool) {
	at, err := time.Parse(time.RFC3339Nano, f.run.metadata[tickKey])
	name, ok := f.run.metadata[scheduleKey]
	return Tick{name, at.UTC()}, ok && err == nil
}

// What the metadata of a schedule's executions holds besides their own.
const (
	scheduleKey = "stent_schedule"
	tickKey     = "stent_tick"
)

// scheduled is what a schedule begins for a tick.
func scheduled(s *backend.Schedule, at time.Time, id string) *backend.Start {
	cmd := s.Start
	cmd.ID = id
	cmd.Metadata = map[string]string{scheduleKey: s.Name, tickKey: at.UTC().Format(time.RFC3339Nano)}
	for k, v := range s.Start.Metadata {
		if _, ours := cmd.Metadata[k]; !ours {
			cmd.Metadata[k] = v
		}
	}
	return &cmd
}

// ticksIn tells the workers of this process when a schedule ticks.
func (e *Engine) ticksIn(d time.Duration) {
	for _, w := range e.serving() {
		w.tickIn(max(d, 0))
	}
}

// A worker looks at the schedules again: tickNews after others have written, which may have been a schedule; tickAgain where
// it could not make one tick.
const (
	tickNews  = time.Second
	tickAgain = 10 * time.Second
)

// tick has the schedules tick that are due.
func (w *worker) tick(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	list, err := w.e.db.Schedules(limited, backend.ScheduleFilter{Due: true})
	if err != nil {
		if ctx.Err() == nil {
			w.e.measureError("schedules", err)
			w.e.outage.failed("look for schedules that are due", err, "stent_worker_id", w.id)
			w.tickIn(tickAgain)
		}
		return
	}
	handled := 0
	for i := range list.Schedules {
		s := &list.Schedules[i]
		if err := w.e.tick(limited, s, list.Now); err == nil {
			handled++
		} else if ctx.Err() == nil {
			w.e.measureError("tick", err)
			if backend.FaultOf(err) == backend.FaultOther { // something about this one
				w.e.log.Error("a schedule cannot tick", "stent_worker_id", w.id, "schedule", s.Name, "due", s.Next, "error", err)
			} else {
				w.e.outage.failed("let a schedule tick", err, "stent_worker_id", w.id, "schedule", s.Name)
			}
			w.tickIn(tickAgain)
		}
	}
	switch {
	case handled > 0:
		w.tickIn(0) // they have another tick now, and there may be more that are due
	case list.Next >= 0:
		w.tickIn(list.Next)
	}
}

// tick handles all ticks of a schedule that are due, or finds that another worker has.
func (e *Engine) tick(ctx context.Context, s *backend.Schedule, now time.Time) error {
	rule, times, err := readRule(s)
	if err != nil {
		return err
	}
	k := &backend.Tick{Schedule: s.Name, Revision: s.Revision, Next: times.Next(now)}
	due := rule.due(times, s.Next, now)
	if rule.Overlap == OverlapSkip && s.Running {
		k.Skipped, due = int64(len(due)), nil
	}
	for _, at := range due {
		k.LastTick, k.LastExecution = at.UTC(), s.Name+"/"+at.UTC().Format(time.RFC3339)
		k.Starts = append(k.Starts, scheduled(s, at, k.LastExecution))
	}
	ticked := false
	tick := func(ctx context.Context) (err error) {
		if ticked, err = e.db.Tick(ctx, k); err == nil && !ticked {
			err = errTicked
		}
		return err
	}
	if len(k.Starts) == 0 {
		err = tick(ctx)
	} else {
		err = e.starting(ctx, tick, k.Starts...)
	}
	switch {
	case ticked: // what is wrong with a start is told by begun
		for _, cmd := range k.Starts {
			e.begun(cmd)
		}
		return nil
	case errors.Is(err, errTicked):
		return nil
	}
	return err
}

// errTicked says that another worker has made the tick.
var errTicked = errors.New("another worker has made this tick of the schedule")

// due are the ticks from one on that begin an execution, oldest first.
func (s Schedule) due(times *cron.Schedule, from, now time.Time) []time.Time {
	most := 1
	if s.CatchUp == CatchUpAll {
		most = s.CatchUpMost
	}
	due := times.Latest(from.Add(-time.Second), now, most)
	if s.CatchUp == CatchUpSkip && len(due) > 0 && now.Sub(due[0]) > skipAfter {
		return nil
	}
	return due
}

// begun tells of an execution that a schedule began.
func (e *Engine) begun(cmd *backend.Start) {
	if cmd.Err != nil {
		e.log.Error("a schedule's execution cannot begin", "stent_execution_id", cmd.ID, "workflow", cmd.Workflow, "error", cmd.Err)
		return
	}
	e.measureStarted(cmd)
	e.taskDue(cmd.Queue, cmd.Priority)
	e.expiresIn(cmd.MaxDuration)
	if !cmd.Existed {
		e.log.Info("a schedule began an execution", "stent_execution_id", cmd.ID, "workflow", cmd.Workflow, "schedule", cmd.Metadata[scheduleKey])
	}
}
