package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
)

// scheduleFlags are what `stent schedule put` can set.
type scheduleFlags struct {
	cron, location, catchUp, overlap string
	most                             int

	workflow, queue, input, maxDuration string
	priority                            int
	tags                                []string
}

func (a *app) schedulePutCommand() *cobra.Command {
	var f scheduleFlags
	cmd := &cobra.Command{
		Use:   "put NAME",
		Short: "Make a schedule, or change one",
		Long: `Make a schedule, or change one. Of a schedule that is there, what no flag names stays as it is.

--cron has five fields: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly;
or @every with a duration, as in "@every 90s". The fields are times of --location. A time that the clocks skip comes at the end of
the gap, and one that they repeat comes once.

A change of --cron or --location begins with the next tick after now. A program that puts the schedule when it begins overrules
what was changed here.`,
		Example: `  stent schedule put nightly --workflow nightly_report --cron "30 2 * * *" --location Europe/Berlin
  stent schedule put nightly --cron "0 3 * * mon-fri"
  stent schedule put nightly --overlap skip --max-duration 2h
  stent schedule put probe --workflow probe --cron "@every 30s" --catch-up skip --input '{"host": "db1"}'`,
		Args:              arguments(1, 1, "a schedule's name, as in `stent schedule put nightly --cron @daily`"),
		ValidArgsFunction: a.completeSchedules,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.putSchedule(cmd, args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cron, "cron", "", "when it ticks, an `expression` in quotes")
	flags.StringVar(&f.location, "location", "", "where that is meant, a `name` such as Europe/Berlin (default UTC)")
	flags.StringVar(&f.catchUp, "catch-up", "", "what becomes of missed ticks: `one` for the latest of them, all, or skip (default one)")
	flags.IntVar(&f.most, "catch-up-most", 0, "the most ticks that --catch-up all begins at once, a `number` (default 100)")
	flags.StringVar(&f.overlap, "overlap", "", "whether a tick begins an execution while the last one runs: `allow` or skip (default allow)")
	flags.StringVar(&f.workflow, "workflow", "", "the `name` of the workflow that it begins")
	flags.StringVar(&f.queue, "queue", "", "the `name` of the queue of its executions (default \"default\")")
	flags.StringVar(&f.input, "input", "", "the input, as `JSON`; \"-\" reads it from standard input")
	flags.StringVar(&f.maxDuration, "max-duration", "", "the longest that an execution may take, a `duration` such as 2h; 0 for no limit")
	flags.IntVar(&f.priority, "priority", 0, "of its executions, a `number`; higher first")
	flags.StringSliceVar(&f.tags, "tag", nil, "a `tag` that a worker has to have; may be given again")
	completeWords(cmd, "catch-up", []core.CatchUp{core.CatchUpOne, core.CatchUpAll, core.CatchUpSkip})
	completeWords(cmd, "overlap", []core.Overlap{core.OverlapAllow, core.OverlapSkip})
	return cmd
}

func (a *app) putSchedule(cmd *cobra.Command, name string, f *scheduleFlags) error {
	ctx := cmd.Context()
	return a.withEngine(ctx, func(e *core.Engine) error {
		s, err := e.ScheduleStatus(ctx, name)
		isNew := errors.Is(err, core.ErrNotFound)
		if err != nil && !isNew {
			return err
		}
		if s.Name = name; isNew && (f.cron == "" || f.workflow == "") {
			return usagef("there is no schedule %q yet: a new one needs --workflow and --cron (`stent schedule list` lists those there are)", name)
		}
		if err := a.takeFlags(cmd, f, &s); err != nil {
			return err
		}
		if err := e.PutSchedule(ctx, s.Schedule, s.Start, core.By(actor())); err != nil {
			return err
		}
		return a.showPut(ctx, e, name, isNew)
	})
}

// takeFlags changes what the flags name.
func (a *app) takeFlags(cmd *cobra.Command, f *scheduleFlags, s *core.ScheduleStatus) error {
	given := cmd.Flags().Changed
	for flag, set := range map[string]func(){
		"cron":          func() { s.Cron = f.cron },
		"location":      func() { s.Location = f.location },
		"catch-up":      func() { s.CatchUp, s.CatchUpMost = core.CatchUp(f.catchUp), f.most },
		"catch-up-most": func() { s.CatchUpMost = f.most },
		"overlap":       func() { s.Overlap = core.Overlap(f.overlap) },
		"workflow":      func() { s.Start.Workflow = f.workflow },
		"queue":         func() { s.Start.Queue = f.queue },
		"priority":      func() { s.Start.Priority = f.priority },
		"tag":           func() { s.Start.Tags = f.tags },
	} {
		if given(flag) {
			set()
		}
	}
	if given("max-duration") {
		d, err := core.ParseDuration(f.maxDuration)
		if err != nil {
			return usagef("--max-duration: %w", err)
		}
		s.Start.MaxDuration = d
	}
	if given("input") {
		data, err := a.jsonArgument(f.input)
		if err != nil {
			return err
		}
		s.Start.Input = data
	}
	return nil
}

func (a *app) showPut(ctx context.Context, e *core.Engine, name string, isNew bool) error {
	if a.json {
		return a.showSchedule(ctx, e, name)
	}
	s, err := e.ScheduleStatus(ctx, name)
	if err != nil {
		return err
	}
	verb := "Changed"
	if isNew {
		verb = "Made"
	}
	if s.Next.IsZero() {
		a.screen.printf("%s %s: it is paused.\n", verb, clean(name))
		return nil
	}
	a.screen.printf("%s %s: it begins %s next at %s.\n", verb, clean(name), clean(s.Start.Workflow), a.screen.date(s.Next))
	return nil
}
