package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) scheduleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Look at schedules, change, pause and resume them, and begin one's execution now",
		Example: `  stent schedule list
  stent schedule show nightly
  stent schedule put nightly --cron "30 2 * * *" --location Europe/Berlin
  stent schedule pause nightly
  stent schedule trigger nightly`,
		Args: noSuchCommand,
		RunE: help,
	}
	cmd.AddCommand(a.scheduleListCommand(), a.scheduleShowCommand(), a.schedulePutCommand(), a.schedulePauseCommand(),
		a.scheduleResumeCommand(), a.scheduleTriggerCommand(), a.scheduleDeleteCommand())
	return cmd
}

// withEngine opens the database for a command that works by an engine.
func (a *app) withEngine(ctx context.Context, do func(e *core.Engine) error) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	e, err := core.New(db)
	if err != nil {
		return err
	}
	return do(e)
}

func (a *app) scheduleListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the schedules: when they tick, what they begin, and how they stand",
		Example: `  stent schedule list
  stent schedule list --json | jq -r '.[] | select(.state != "active") | .name'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.scheduleList(cmd.Context()) },
	}
}

func (a *app) scheduleList(ctx context.Context) error {
	return a.withEngine(ctx, func(e *core.Engine) error {
		all, err := e.Schedules(ctx)
		if err != nil {
			return err
		}
		if a.json {
			shapes := make([]scheduleShape, len(all))
			for i := range all {
				shapes[i] = shapeSchedule(&all[i])
			}
			return a.printJSON(shapes)
		}
		if len(all) == 0 {
			a.screen.printf("No schedules.\n")
			return nil
		}
		t := &table{columns: []column{{"Name", 0}, {"Cron", 0}, {"Location", 0}, {"Workflow", 0}, {"Next", 19}, {"Last Tick", 19}, {"State", 0}}}
		for i := range all {
			s := &all[i]
			t.add(plain(s.Name), plain(s.Cron), plain(place(s)), plain(s.Start.Workflow), plain(a.screen.date(s.Next)), plain(a.screen.date(s.LastTick)), scheduleCell(s))
		}
		a.screen.table(t)
		return nil
	})
}

// place is where a schedule's fields are meant.
func place(s *core.ScheduleStatus) string {
	if s.Location == "" {
		return "UTC"
	}
	return s.Location
}

// scheduleState is how a schedule stands, in one word.
func scheduleState(s *core.ScheduleStatus) string {
	switch {
	case !s.PausedAt.IsZero():
		return "paused"
	case s.Invalid != nil:
		return "invalid"
	case s.Overdue:
		return "overdue"
	}
	return "active"
}

func scheduleCell(s *core.ScheduleStatus) cell {
	state := scheduleState(s)
	if state == "paused" && s.PausedBy != "" {
		state += " by " + s.PausedBy
	}
	c := plain(state)
	switch scheduleState(s) {
	case "paused":
		c.color = yellow
	case "invalid", "overdue":
		c.color = red
	}
	return c
}

func (a *app) scheduleShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Show one schedule, with its next ticks",
		Example:           `  stent schedule show nightly`,
		Args:              arguments(1, 1, "a schedule's name, as in `stent schedule show nightly`"),
		ValidArgsFunction: a.completeSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withEngine(cmd.Context(), func(e *core.Engine) error { return a.showSchedule(cmd.Context(), e, args[0]) })
		},
	}
}

// showSchedule prints a schedule as it is now.
func (a *app) showSchedule(ctx context.Context, e *core.Engine, name string) error {
	s, err := e.ScheduleStatus(ctx, name)
	if err != nil {
		return unknownSchedule(name, err)
	}
	if a.json {
		return a.printJSON(shapeSchedule(&s))
	}
	p := a.screen.printf
	p("Name: %s\n", clean(s.Name))
	p("State: %s\n", clean(scheduleCell(&s).text))
	p("Cron: %s\n", clean(s.Cron))
	p("Location: %s\n", clean(place(&s)))
	p("Catch Up: %s", s.CatchUp)
	if s.CatchUpMost > 0 {
		p(", at most %d at once", s.CatchUpMost)
	}
	p("\nOverlap: %s\n", s.Overlap)
	p("Workflow: %s\n", clean(s.Start.Workflow))
	p("Queue: %s\n", clean(s.Start.Queue))
	if s.Start.MaxDuration > 0 {
		p("Max Duration: %s\n", s.Start.MaxDuration)
	}
	p("Input: %s\n", payload(s.Start.Input))
	if !s.PausedAt.IsZero() {
		p("Paused At: %s\n", a.screen.date(s.PausedAt))
	}
	if s.LastExecution != "" {
		p("Last Tick: %s as %s", a.screen.date(s.LastTick), clean(s.LastExecution))
		if s.Running {
			p(" (running)")
		}
		p("\n")
	}
	if s.Skipped > 0 {
		p("Skipped: %d ticks while the execution before ran\n", s.Skipped)
	}
	if s.Invalid != nil {
		p("Error: %s\n", clean(s.Invalid.Error()))
	}
	if ticks := s.Upcoming(shownTicks); len(ticks) > 0 {
		p("\nNext Ticks:\n")
		for _, t := range ticks {
			p("- %s\n", a.screen.date(t))
		}
	}
	return nil
}

// shownTicks is how many ticks are told in advance.
const shownTicks = 5

// unknownSchedule adds where the names are.
func unknownSchedule(name string, err error) error {
	if errors.Is(err, core.ErrNotFound) {
		return fmt.Errorf("there is no schedule %q: `stent schedule list` lists those there are", name)
	}
	return err
}

func shapeSchedule(s *core.ScheduleStatus) scheduleShape {
	shape := scheduleShape{
		Name: s.Name, Cron: s.Cron, Location: place(s), CatchUp: s.CatchUp, Overlap: s.Overlap,
		Workflow: s.Start.Workflow, Queue: s.Start.Queue, Priority: s.Start.Priority, Tags: shapeList(s.Start.Tags), Input: shapePayload(s.Start.Input),
		Metadata: s.Start.Metadata, State: scheduleState(s), NextAt: shapeTime(s.Next), Upcoming: []time.Time{},
		LastTickAt: shapeTime(s.LastTick), LastExecution: shapeText(s.LastExecution), Running: s.Running, Skipped: s.Skipped,
		PausedAt: shapeTime(s.PausedAt), PausedBy: shapeText(s.PausedBy), ChangedAt: shapeTime(s.Changed),
	}
	if s.CatchUpMost > 0 {
		shape.CatchUpMost = &s.CatchUpMost
	}
	if d := s.Start.MaxDuration.Seconds(); d > 0 {
		shape.MaxDuration = &d
	}
	if shape.Metadata == nil {
		shape.Metadata = map[string]string{}
	}
	for _, t := range s.Upcoming(shownTicks) {
		shape.Upcoming = append(shape.Upcoming, t.UTC())
	}
	if s.Invalid != nil {
		shape.Error = shapeText(s.Invalid.Error())
	}
	return shape
}

// completeSchedules offers the names of schedules.
func (a *app) completeSchedules(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeIDs(cmd, args, func(ctx context.Context, db backend.Backend) (names []string, err error) {
		list, err := db.Schedules(ctx, backend.ScheduleFilter{})
		for i := range list.Schedules {
			names = append(names, list.Schedules[i].Name)
		}
		return names, err
	})
}
