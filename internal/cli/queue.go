package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) queueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Look at queues, pause and resume them",
		Example: `  stent queue list
  stent queue pause billing
  stent queue resume billing`,
		Args: noSuchCommand,
		RunE: help,
	}
	cmd.AddCommand(a.queueListCommand(), a.queuePauseCommand(), a.queueResumeCommand())
	return cmd
}

func (a *app) queueListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the queues: what they hold, who serves them, and whether they are paused",
		Example: `  stent queue list
  stent queue list --json | jq -r '.[] | select(.paused) | .queue'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.queueList(cmd.Context()) },
	}
}

func (a *app) queueList(ctx context.Context) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	stats, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	paused, err := db.PausedQueues(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(shapeQueues(stats, paused))
	}
	if len(stats.Queues) == 0 {
		a.screen.printf("No queues: nothing waits, and no worker serves.\n")
		return nil
	}
	t := queueTable(stats)
	t.columns = append(t.columns, column{"Paused", 0})
	for i, q := range stats.Queues {
		t.rows[i][0] = plain(q.Queue)
		t.rows[i] = append(t.rows[i], a.screen.pause(q, paused))
	}
	a.screen.table(t)
	return nil
}

// pause tells since when a queue is paused, and by whom.
func (s *screen) pause(q backend.QueueStats, paused []backend.PausedQueue) cell {
	i := pauseOf(q, paused)
	switch {
	case i >= 0 && paused[i].Actor != "":
		return cell{clean(s.date(paused[i].At) + " by " + paused[i].Actor), yellow}
	case i >= 0:
		return cell{s.date(paused[i].At), yellow}
	}
	return plain(none)
}

func pauseOf(q backend.QueueStats, paused []backend.PausedQueue) int {
	return slices.IndexFunc(paused, func(p backend.PausedQueue) bool { return p.Name == q.Queue })
}

func shapeQueues(stats backend.Stats, paused []backend.PausedQueue) []queueDetailShape {
	shapes := []queueDetailShape{}
	for i, shape := range shapeStats(stats).Queues {
		detail := queueDetailShape{queueShape: shape}
		if at := pauseOf(stats.Queues[i], paused); at >= 0 {
			detail.Paused, detail.PausedAt, detail.PausedBy = true, shapeTime(paused[at].At), shapeText(paused[at].Actor)
		}
		shapes = append(shapes, detail)
	}
	return shapes
}

func (a *app) queuePauseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pause QUEUE",
		Short: "Let no task of a queue begin",
		Long: `Let no task of a queue begin, on any worker, until it is resumed.

What runs goes on to its end, and what is started meanwhile waits in the queue.`,
		Example:           `  stent queue pause billing`,
		Args:              arguments(1, 1, "a queue's name, as in `stent queue pause billing`"),
		ValidArgsFunction: a.completeQueues,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.switchQueue(cmd.Context(), args[0], "Paused %s: nothing begins from it until `%s queue resume %[1]s`.\n", (*core.Engine).PauseQueue)
		},
	}
}

func (a *app) queueResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "resume QUEUE",
		Short:             "Let the tasks of a paused queue begin again",
		Example:           `  stent queue resume billing`,
		Args:              arguments(1, 1, "a queue's name, as in `stent queue resume billing`"),
		ValidArgsFunction: a.completeQueues,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.switchQueue(cmd.Context(), args[0], "Resumed %s.%.0s\n", (*core.Engine).ResumeQueue)
		},
	}
}

func (a *app) switchQueue(ctx context.Context, queue, said string, change func(*core.Engine, context.Context, string, ...core.ActOption) error) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	if err := change(engine, ctx, queue, core.By(actor())); err != nil {
		return err
	}
	stats, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	paused, err := db.PausedQueues(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(stats.Queues, func(q backend.QueueStats) bool { return q.Queue == queue })
	if a.json {
		if i < 0 { // resumed, and nothing is known of it any more
			return a.printJSON(queueDetailShape{queueShape: queueShape{Queue: queue}})
		}
		return a.printJSON(shapeQueues(stats, paused)[i])
	}
	a.screen.printf(said, clean(queue), a.program)
	if i < 0 || queueIsUnknown(stats.Queues[i]) {
		a.screen.printf("Nothing has used a queue of that name yet.\n")
	}
	return nil
}

// queueIsUnknown tells of a queue that holds nothing and that nobody serves, so that its name may be mistyped.
func queueIsUnknown(q backend.QueueStats) bool {
	return q.Depth+q.Scheduled+q.Running+q.Dead+q.Workers == 0
}

// completeQueues offers the names of queues.
func (a *app) completeQueues(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeIDs(cmd, args, func(ctx context.Context, db backend.Backend) (names []string, err error) {
		stats, err := db.Stats(ctx)
		for _, q := range stats.Queues {
			names = append(names, q.Queue)
		}
		return names, err
	})
}
