package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
)

func (a *app) dlqDiscardCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "discard TASK",
		Short: "Remove a dead letter; its execution stays failed",
		Long: `Remove a dead letter. Nothing else changes: its execution stays as it is, and cannot go on by a replay of this task any more.

TASK is a task's id from "stent dlq list", or the id of an execution that has a single dead letter.`,
		Example:           `  stent dlq discard order-1003.2`,
		Args:              arguments(1, 1, fmt.Sprintf(wantDeadLetter, "dlq discard")),
		ValidArgsFunction: a.completeDeadLetters,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.dlqDiscard(cmd.Context(), args[0]) },
	}
}

func (a *app) dlqDiscard(ctx context.Context, typed string) error {
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
	if err := engine.Discard(ctx, d.Task, core.By(actor())); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(shapeDeadLetter(d))
	}
	a.screen.printf("Discarded %s: %s.\n", clean(d.Task.String()), clean(d.Step))
	return nil
}
