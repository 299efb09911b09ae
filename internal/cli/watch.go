package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/internal/cli/watch"
)

func (a *app) watchCommand() *cobra.Command {
	var interval string
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch queues, tasks, dead letters and workers on a full screen",
		Long: `Watch how the database stands, on a full screen: throughput, latency and error rate, and lists of queues, running
activities, dead letters, executions and workers. ? shows the keys; q leaves.

Each refresh is a handful of questions that an index answers, however much history there is.`,
		Example: `  stent watch
  stent watch --interval 0.2s      five times a second
  stent watch --interval 5         every five seconds`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			every, err := parseInterval(interval)
			if err != nil {
				return err
			}
			return a.watch(cmd.Context(), every)
		},
	}
	cmd.Flags().StringVar(&interval, "interval", "1s", "how `long` from one reading to the next: 0.5s, 2s, or a number of seconds")
	return cmd
}

// parseInterval takes a duration, or a bare number of seconds.
func parseInterval(s string) (time.Duration, error) {
	d, err := core.ParseDuration(s)
	if err != nil {
		d, err = core.ParseDuration(s + "s")
	}
	if err != nil || d < 100*time.Millisecond || d > time.Hour {
		return 0, usagef("--interval %q: want 0.1s to 1h, or a number of seconds", s)
	}
	return d, nil
}

func (a *app) watch(ctx context.Context, interval time.Duration) error {
	if a.json {
		return usagef("watch draws a screen and has no JSON: `%s stats --json` prints the same counts once", a.program)
	}
	if !isTerminal(a.stdin) || !isTerminal(a.stdout) {
		return fmt.Errorf("watch needs a terminal to draw on: `%s stats` prints the same counts once", a.program)
	}
	d, err := a.address()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, d, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	err = watch.Run(ctx, watch.Config{
		DB: db, Name: d.name, Interval: interval, Zone: a.screen.zone, Actor: actor(), In: a.stdin, Out: a.stdout, NoColor: a.noColor,
	})
	if errors.Is(err, context.Canceled) {
		return nil // SIGTERM is a way to leave, as q is
	}
	return err
}

// isTerminal tells whether a stream of the command is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}
