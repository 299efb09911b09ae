package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
)

func (a *app) tasksCommand() *cobra.Command {
	var (
		limit     = limitFlag(100)
		states    = stateFlag{allowed: taskStates}
		execution string
	)
	cmd := &cobra.Command{
		Use:   "tasks",
		Short: "List tasks: what runs, what is due, what waits",
		Long: `List tasks with the workers that hold them. Without --state, those that have not ended.

A task is an execution's own workflow (its id ends in .0), or one entry of its history: an activity, a sleep, a wait for a signal.`,
		Example: `  stent tasks --state running             what the workers do now
  stent tasks --execution order-1003 --state failed
  stent tasks --json | jq -r '.[] | select(.kind == "signal") | .execution_id'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := backend.TaskFilter{Execution: execution, States: states.chosen}
			if len(f.States) == 0 {
				f.States = []backend.State{backend.Pending, backend.Running, backend.Waiting}
			}
			return a.tasks(cmd.Context(), f, int(limit))
		},
	}
	flags := cmd.Flags()
	flags.Var(&limit, "limit", "how many to show")
	flags.Var(&states, "state", "only those in a state: "+states.names())
	flags.StringVar(&execution, "execution", "", "only those of an execution")
	completeWords(cmd, "state", taskStates)
	_ = cmd.RegisterFlagCompletionFunc("execution", a.completeExecutions)
	return cmd
}

func (a *app) tasks(ctx context.Context, f backend.TaskFilter, limit int) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	if f.Execution != "" {
		if f.Execution, err = findExecution(ctx, db, f.Execution); err != nil {
			return err
		}
	}
	tasks, err := listTasks(ctx, db, f, limit)
	if err != nil {
		return err
	}
	if a.json {
		shapes := make([]taskShape, len(tasks))
		for i, t := range tasks {
			shapes[i] = shapeTask(t)
		}
		return a.printJSON(shapes)
	}
	if len(tasks) == 0 {
		a.screen.printf("No tasks.\n")
		return nil
	}
	t := &table{columns: []column{{"Task ID", 0}, {"Step", 0}, {"Kind", 0}, {"State", 0}, {"Queue", 0}, {"Attempt", 0}, {"Worker", 0}, {"Started At", 0}}}
	for _, task := range tasks {
		worker := none
		if task.State == backend.Running {
			worker = task.Worker
		}
		t.add(plain(task.ID.String()), plain(task.Step), plain(string(task.Kind)), cell{string(task.State), colorOf(task.State)},
			plain(orDefault(task.Queue, none)), plain(strconv.Itoa(task.Attempt)), plain(worker), plain(a.screen.date(task.Started)))
	}
	a.screen.table(t)
	return nil
}

func listTasks(ctx context.Context, db backend.Inspector, f backend.TaskFilter, limit int) ([]backend.Task, error) {
	return pages(limit, func(size int, last *backend.Task) ([]backend.Task, error) {
		f.Limit = size
		if last != nil {
			f.After = last.ID
		}
		return db.Tasks(ctx, f)
	})
}
