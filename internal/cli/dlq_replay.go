package cli

import (
	"context"
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) dlqReplayCommand() *cobra.Command {
	var queue string
	cmd := &cobra.Command{
		Use:   "replay TASK",
		Short: "Put a dead letter back to work",
		Long: `Put a dead letter back to work, with fresh attempts, and reopen its execution, which goes on from there once the task succeeds.

TASK is a task's id from "stent dlq list", or the id of an execution that has a single dead letter.`,
		Example: `  stent dlq replay order-1003.2
  stent dlq replay order-1003.2 --queue retry     in another queue, for other workers`,
		Args:              arguments(1, 1, fmt.Sprintf(wantDeadLetter, "dlq replay")),
		ValidArgsFunction: a.completeDeadLetters,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("queue") && queue == "" {
				return usagef("--queue is empty: name a queue, or leave it out for the task's own")
			}
			return a.dlqReplay(cmd.Context(), args[0], queue)
		},
	}
	cmd.Flags().StringVar(&queue, "queue", "", "the queue to put it into (default the one it came from)")
	return cmd
}

func (a *app) dlqReplay(ctx context.Context, typed, queue string) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := findDeadLetter(ctx, db, typed)
	if err != nil {
		return err
	}
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	opts := []core.ReplayOption{core.By(actor())}
	if queue == "" {
		queue = d.Queue
	} else {
		opts = append(opts, core.ToQueue(queue))
	}
	if err := engine.Replay(ctx, d.Task, opts...); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(replayShape{TaskID: d.Task.String(), Queue: queue})
	}
	a.screen.printf("Replayed %s: %s is in queue %s again.\n", clean(d.Task.String()), clean(d.Step), clean(queue))
	return a.warnUnserved(ctx, db, queue)
}

// warnUnserved tells of a queue that nobody works on, which is what a person overlooks who replays something into it.
func (a *app) warnUnserved(ctx context.Context, db backend.Inspector, queue string) error {
	stats, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	for _, q := range stats.Queues {
		if q.Queue == queue && q.Workers > 0 {
			return nil
		}
	}
	a.screen.printf("No worker serves that queue now; the task waits until one does.\n")
	return nil
}

// actor is who does this, for the record: user@host.
func actor() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
