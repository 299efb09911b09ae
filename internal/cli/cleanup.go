package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// endStates are the states of executions that can be deleted.
var endStates = []backend.State{backend.Completed, backend.Failed, backend.TimedOut, backend.Cancelled}

func (a *app) cleanupCommand() *cobra.Command {
	var (
		olderThan   string
		states      = stateFlag{allowed: endStates}
		dryRun, yes bool
	)
	cmd := &cobra.Command{
		Use:   "cleanup --older-than DURATION",
		Short: "Delete executions that ended long ago",
		Long: `Delete executions that ended long ago, with their histories, signals, counters and state.

Dead letters stay, but those of a deleted execution cannot be replayed any more. It deletes few at a time and does not hold up the workers; Ctrl-C stops between two steps, and what was deleted is counted.

A program can let its workers do the same all the time: core.WithRetention.`,
		Example: `  stent cleanup --older-than 30d --dry-run
  stent cleanup --older-than 7d --state completed`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if olderThan == "" {
				return usagef("how old? Say it with --older-than, such as --older-than 30d")
			}
			d, err := core.ParseDuration(olderThan)
			if err != nil {
				return usagef("--older-than: %w", err)
			}
			c := core.Cleanup{OlderThan: d, States: states.chosen, DryRun: dryRun, Actor: actor()}
			return a.cleanup(cmd.Context(), c, yes)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&olderThan, "older-than", "", "how long ago they must have ended: a `duration` such as 12h or 30d")
	flags.Var(&states, "state", "only those in a state, or several: "+states.names()+" (default all)")
	flags.BoolVar(&dryRun, "dry-run", false, "only count")
	flags.BoolVarP(&yes, "yes", "y", false, "do not ask")
	completeWords(cmd, "state", endStates)
	return cmd
}

func (a *app) cleanup(ctx context.Context, c core.Cleanup, yes bool) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	if !c.DryRun && !yes {
		plan := c
		plan.DryRun = true
		found, err := engine.Cleanup(ctx, plan)
		if err != nil {
			return err
		}
		if found.Deleted == 0 {
			return a.cleaned(found, c.DryRun)
		}
		if err := a.confirm(fmt.Sprintf("Delete %s?", cleanedWords(found))); err != nil {
			return err
		}
	}
	c.OnProgress = a.cleanupProgress()
	report, err := engine.Cleanup(ctx, c)
	return errors.Join(a.cleaned(report, c.DryRun), err)
}

func (a *app) cleaned(r core.CleanupReport, dryRun bool) error {
	if a.json {
		shape := cleanupShape{DryRun: dryRun, Executions: r.Deleted, Tasks: r.Tasks, ByState: map[backend.State]int{}}
		for _, s := range endStates {
			shape.ByState[s] = r.ByState[s]
		}
		return a.printJSON(shape)
	}
	switch {
	case r.Deleted == 0:
		a.screen.printf("Nothing is that old.\n")
	case dryRun:
		a.screen.printf("%s would be deleted.\n", cleanedWords(r))
	default:
		a.screen.printf("Deleted %s.\n", cleanedWords(r))
	}
	return nil
}

func cleanedWords(r core.CleanupReport) string {
	var states []string
	for _, s := range endStates {
		if n := r.ByState[s]; n > 0 {
			states = append(states, fmt.Sprintf("%d %s", n, s))
		}
	}
	return fmt.Sprintf("%s (%s) with %s", plural(r.Deleted, "execution"), strings.Join(states, ", "), plural(r.Tasks, "task"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// cleanupProgress tells every few seconds how far it has come.
func (a *app) cleanupProgress() func(core.CleanupReport) {
	const every = 5 * time.Second
	next := a.now().Add(every)
	return func(r core.CleanupReport) {
		if now := a.now(); now.After(next) {
			next = now.Add(every)
			fmt.Fprintf(a.stderr, "%s so far\n", plural(r.Deleted, "execution"))
		}
	}
}
