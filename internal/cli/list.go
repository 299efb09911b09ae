package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
)

func (a *app) listCommand() *cobra.Command {
	var (
		limit  = limitFlag(20)
		states = stateFlag{allowed: executionStates}
		filter backend.ExecutionFilter
		back   string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List executions, newest first",
		Long: `List executions, newest first.

An execution that waits, for a signal or for the next attempt of an activity, is running; ` + "`stent show`" + ` tells what it waits for.`,
		Example: `  stent list --limit 50
  stent list --state failed,timed_out --since 2d
  stent list --workflow order_workflow --queue billing
  stent list --after order-1003                the page that follows the one which ends with order-1003
  stent list --state failed --json | jq -r '.[].id'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := since(back, a.now(), a.screen.zone)
			if err != nil {
				return err
			}
			filter.States, filter.Since = states.chosen, start
			return a.list(cmd.Context(), filter, int(limit))
		},
	}
	flags := cmd.Flags()
	flags.Var(&limit, "limit", "how many to show")
	flags.Var(&states, "state", "only those in a state: "+states.names())
	flags.StringVar(&filter.Workflow, "workflow", "", "only those of a workflow")
	flags.StringVar(&filter.Queue, "queue", "", "only those of a queue")
	flags.StringVar(&filter.Tag, "tag", "", "only those with a tag")
	flags.StringVar(&back, "since", "", "only those created in the last 90s, 1.5h, 2d, or since 2024-01-15")
	flags.StringVar(&filter.After, "after", "", "only those that follow this execution in the list, for the next page")
	completeWords(cmd, "state", executionStates)
	return cmd
}

func (a *app) list(ctx context.Context, f backend.ExecutionFilter, limit int) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	if f.After != "" {
		if f.After, err = findExecution(ctx, db, f.After); err != nil {
			return err
		}
	}
	executions, err := listExecutions(ctx, db, f, limit)
	if err != nil {
		return err
	}
	if a.json {
		shapes := make([]executionShape, len(executions))
		for i, x := range executions {
			shapes[i] = shapeExecution(x)
		}
		return a.printJSON(shapes)
	}
	if len(executions) == 0 {
		a.screen.printf("No executions.\n")
		return nil
	}
	t := &table{columns: []column{{"ID", 36}, {"State", 10}, {"Started At", 0}}, rule: 3}
	for _, x := range executions {
		t.add(plain(x.ID), cell{string(x.State), colorOf(x.State)}, plain(a.screen.date(x.Started)))
	}
	a.screen.table(t)
	return nil
}

func listExecutions(ctx context.Context, db backend.Inspector, f backend.ExecutionFilter, limit int) ([]backend.Execution, error) {
	return pages(limit, func(size int, last *backend.Execution) ([]backend.Execution, error) {
		f.Limit = size
		if last != nil {
			f.After = last.ID
		}
		return db.Executions(ctx, f)
	})
}
