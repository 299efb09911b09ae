package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
)

func (a *app) dlqListCommand() *cobra.Command {
	var (
		limit  = limitFlag(20)
		filter backend.DeadLetterFilter
		after  string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, newest first",
		Example: `  stent dlq list --limit 100
  stent dlq list --step charge_payment --queue billing
  stent dlq list --json | jq -r '.[] | .reason' | sort | uniq -c`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if after != "" {
				id, err := backend.ParseTaskID(after)
				if err != nil {
					return usagef("--after: %w", err)
				}
				filter.After = id
			}
			return a.dlqList(cmd.Context(), filter, int(limit))
		},
	}
	flags := cmd.Flags()
	flags.Var(&limit, "limit", "how many to show")
	flags.StringVar(&filter.Step, "step", "", "only those of a step: the name of an activity or workflow")
	flags.StringVar(&filter.Queue, "queue", "", "only those of a queue")
	flags.StringVar(&after, "after", "", "only those that follow this task in the list, for the next page")
	return cmd
}

func (a *app) dlqList(ctx context.Context, f backend.DeadLetterFilter, limit int) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	letters, err := listDeadLetters(ctx, db, f, limit)
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

func listDeadLetters(ctx context.Context, db backend.DeadLetters, f backend.DeadLetterFilter, limit int) ([]backend.DeadLetter, error) {
	return pages(limit, func(size int, last *backend.DeadLetter) ([]backend.DeadLetter, error) {
		f.Limit = size
		if last != nil {
			f.After = last.Task
		}
		return db.DeadLetters(ctx, f)
	})
}
