package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) cancelCommand() *cobra.Command {
	var (
		yes    bool
		reason string
	)
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Ask an execution to stop",
		Long: `Ask an execution to stop. What nobody has begun yet is cancelled at once. The workflow of any other is told at its next wait and
may put right what it has done; until it returns, the execution is cancelling, and then cancelled. Its activities are stopped.

ID is an execution's id, or the beginning of one that no other id has. Who asked, when and why is kept.`,
		Example: `  stent cancel order-1005
  stent cancel order-1005 --yes --reason "ordered twice"`,
		Args:              arguments(1, 1, "an execution's id, as in `stent cancel order-1005`"),
		ValidArgsFunction: a.completeExecutions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.cancel(cmd.Context(), args[0], reason, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask whether it is meant")
	cmd.Flags().StringVar(&reason, "reason", "", "`why`, for the record")
	return cmd
}

func (a *app) cancel(ctx context.Context, typed, reason string, yes bool) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := findExecution(ctx, db, typed)
	if err != nil {
		return err
	}
	x, err := db.Execution(ctx, id)
	if err != nil {
		return err
	}
	if !yes && !x.State.Final() {
		if err := a.confirm(fmt.Sprintf("Cancel %s (%s, %s)?", clean(id), clean(x.Workflow), x.State)); err != nil {
			return err
		}
	}
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	err = engine.Cancel(ctx, id, core.By(actor()), core.Because(reason))
	if errors.Is(err, core.ErrFinished) {
		return fmt.Errorf("%w: `stent show %s` tells how", err, id)
	}
	if err != nil {
		return err
	}
	if x, err = db.Execution(ctx, id); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(cancelShape{ExecutionID: id, State: x.State})
	}
	if x.State == backend.Cancelled {
		a.screen.printf("Cancelled %s.\n", clean(id))
		return nil
	}
	a.screen.printf("Asked %s to stop. It is cancelling until its workflow returns; `stent why %s` tells what it waits for.\n", clean(id), clean(id))
	return a.warnUnserved(ctx, db, x.Queue)
}
