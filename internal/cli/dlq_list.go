package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) dlqListCommand() *cobra.Command {
	var (
		limit  = limitFlag(20)
		filter letterFilter
		after  string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, newest first",
		Example: `  stent dlq list --limit 100
  stent dlq list --step charge_payment --queue billing
  stent dlq list --fingerprint 3f2a91c04b7d --since 1h
  stent dlq list --json | jq -r '.[] | .task_id'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if after != "" {
				id, err := backend.ParseTaskID(after)
				if err != nil {
					return usagef("--after: %w", err)
				}
				filter.After = id
			}
			f, err := filter.chosen(a.now(), a.screen.zone)
			if err != nil {
				return err
			}
			return a.dlqList(cmd.Context(), f, int(limit))
		},
	}
	flags := cmd.Flags()
	flags.Var(&limit, "limit", "how many to show")
	filter.addTo(flags)
	flags.StringVar(&after, "after", "", "only those that follow this task in the list, for the next page")
	return cmd
}

func (a *app) dlqList(ctx context.Context, f core.DeadLetterFilter, limit int) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	letters, err := listDeadLetters(ctx, engine, f, limit)
	if err != nil {
		return err
	}
	if a.json {
		shapes := make([]deadLetterShape, len(letters))
		for i, d := range letters {
			shapes[i] = shapeDeadLetter(d)
		}
		return a.printJSON(shapes)
	}
	if len(letters) == 0 {
		a.screen.printf("No dead letters.\n")
		return nil
	}
	t := &table{columns: []column{{"Task ID", 36}, {"Execution", 36}, {"Step", 15}, {"Reason", 0}}, rule: 5}
	for _, d := range letters {
		t.add(plain(d.Task.String()), plain(d.Task.Execution), plain(d.Step), plain(d.Reason))
	}
	a.screen.table(t)
	return nil
}

func listDeadLetters(ctx context.Context, engine *core.Engine, f core.DeadLetterFilter, limit int) ([]backend.DeadLetter, error) {
	return pages(limit, func(size int, last *backend.DeadLetter) ([]backend.DeadLetter, error) {
		f.Limit = size
		if last != nil {
			f.After = last.Task
		}
		return engine.DeadLetters(ctx, f)
	})
}
