package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
)

// completeWords offers the words that a flag takes.
func completeWords[W ~string](cmd *cobra.Command, flag string, words []W) {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	// The only error is a flag that is not there, which the first test would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
}

// completeExecutions offers the ids of executions. A shell that waits for a Tab is not to be kept waiting, nor told of
// errors.
func (a *app) completeExecutions(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return a.completeIDs(cmd, args, func(ctx context.Context, db backend.Backend) (ids []string, err error) {
		found, err := db.Executions(ctx, backend.ExecutionFilter{IDPrefix: typed, Limit: 50})
		for _, x := range found {
			ids = append(ids, x.ID)
		}
		return ids, err
	})
}

// completeDeadLetters offers the ids of dead letters.
func (a *app) completeDeadLetters(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.completeIDs(cmd, args, func(ctx context.Context, db backend.Backend) (ids []string, err error) {
		found, err := db.DeadLetters(ctx, backend.DeadLetterFilter{Limit: 50})
		for _, d := range found {
			ids = append(ids, d.Task.String())
		}
		return ids, err
	})
}

func (a *app) completeIDs(cmd *cobra.Command, args []string, find func(context.Context, backend.Backend) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	db, err := a.open(ctx, toRead)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer db.Close()
	ids, _ := find(ctx, db)
	return ids, cobra.ShellCompDirectiveNoFileComp
}
