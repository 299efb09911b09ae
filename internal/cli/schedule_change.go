package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
)

func (a *app) schedulePauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause NAME",
		Short: "Keep a schedule from ticking",
		Long: `Keep a schedule from ticking until it is resumed.

What it began goes on. Ticks of the pause are not caught up.`,
		Example:           `  stent schedule pause nightly`,
		Args:              arguments(1, 1, "a schedule's name, as in `stent schedule pause nightly`"),
		ValidArgsFunction: a.completeSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.switchSchedule(cmd.Context(), args[0], (*core.Engine).PauseSchedule, func(s *core.ScheduleStatus) {
				a.screen.printf("Paused %s: it does not tick until `%s schedule resume %[1]s`.\n", clean(s.Name), a.program)
			})
		},
	}
}

func (a *app) scheduleResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "resume NAME",
		Short:             "Let a paused schedule tick again, from its next tick on",
		Example:           `  stent schedule resume nightly`,
		Args:              arguments(1, 1, "a schedule's name, as in `stent schedule resume nightly`"),
		ValidArgsFunction: a.completeSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.switchSchedule(cmd.Context(), args[0], (*core.Engine).ResumeSchedule, func(s *core.ScheduleStatus) {
				a.screen.printf("Resumed %s: it ticks next at %s.\n", clean(s.Name), a.screen.date(s.Next))
			})
		},
	}
}

func (a *app) switchSchedule(ctx context.Context, name string, change func(*core.Engine, context.Context, string, ...core.ActOption) error, say func(*core.ScheduleStatus)) error {
	return a.withEngine(ctx, func(e *core.Engine) error {
		if err := change(e, ctx, name, core.By(actor())); err != nil {
			return unknownSchedule(name, err)
		}
		s, err := e.ScheduleStatus(ctx, name)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(shapeSchedule(&s))
		}
		say(&s)
		return nil
	})
}

func (a *app) scheduleTriggerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "trigger NAME",
		Short: "Begin the execution of a schedule now",
		Long: `Begin an execution as the schedule's ticks do, now, also if it is paused.

The next tick comes when it would have come.`,
		Example:           `  stent schedule trigger nightly`,
		Args:              arguments(1, 1, "a schedule's name, as in `stent schedule trigger nightly`"),
		ValidArgsFunction: a.completeSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, name := cmd.Context(), args[0]
			return a.withEngine(ctx, func(e *core.Engine) error {
				id, err := e.TriggerSchedule(ctx, name, core.By(actor()))
				if err != nil {
					return unknownSchedule(name, err)
				}
				if a.json {
					return a.printJSON(scheduleTriggerShape{Schedule: name, ExecutionID: id})
				}
				a.screen.printf("Began %s.\n", clean(id))
				return nil
			})
		},
	}
}

func (a *app) scheduleDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a schedule; what it began goes on",
		Long: `Delete a schedule. What it began goes on.

A program that puts the schedule when it begins will put it again: to keep it from ticking, pause it.`,
		Example:           `  stent schedule delete nightly`,
		Args:              arguments(1, 1, "a schedule's name, as in `stent schedule delete nightly`"),
		ValidArgsFunction: a.completeSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, name := cmd.Context(), args[0]
			return a.withEngine(ctx, func(e *core.Engine) error {
				if err := e.DeleteSchedule(ctx, name, core.By(actor())); err != nil {
					return unknownSchedule(name, err)
				}
				if a.json {
					return a.printJSON(scheduleDeleteShape{Schedule: name, Deleted: true})
				}
				a.screen.printf("Deleted %s.\n", clean(name))
				return nil
			})
		},
	}
}
