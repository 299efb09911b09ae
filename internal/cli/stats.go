package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core/backend"
)

func (a *app) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stats",
		Short: "Count executions by state, and what each queue holds",
		Long: `Count executions by state, and what each queue holds:

  Depth      tasks that are due and that no worker has taken
  Oldest     how long the one that has been due longest has waited
  Scheduled  tasks that are due later: delayed, backing off or sleeping
  Running    tasks that workers hold
  Dead       dead letters
  Workers    live workers that serve the queue`,
		Example: `  stent stats
  stent stats --json | jq '.queues[] | select(.depth > 0)'`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.stats(cmd.Context()) },
	}
}

func (a *app) stats(ctx context.Context) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	stats, err := db.Stats(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(shapeStats(stats))
	}
	t := &table{columns: []column{{"Executions", 10}, {"Count", 0}}}
	for _, state := range executionStates {
		t.add(cell{string(state), colorOf(state)}, plain(count(stats.Executions[state])))
	}
	a.screen.table(t)
	a.screen.printf("\n")
	if len(stats.Queues) == 0 {
		a.screen.printf("No queues: nothing waits, and no worker serves.\n")
		return nil
	}
	a.screen.table(queueTable(stats))
	return nil
}

func queueTable(stats backend.Stats) *table {
	t := &table{columns: []column{
		{"Queue", 10}, {"Depth", 0}, {"Oldest", 0}, {"Scheduled", 0}, {"Running", 0}, {"Dead", 0}, {"Workers", 0},
	}}
	for _, q := range stats.Queues {
		name, oldest, dead, workers := q.Queue, none, cell{text: count(q.Dead)}, cell{text: count(q.Workers)}
		if q.Paused {
			name += " (paused)"
		}
		if !q.OldestDue.IsZero() {
			oldest = age(stats.Now.Sub(q.OldestDue))
		}
		if q.Dead > 0 {
			dead.color = red
		}
		if q.Workers == 0 && q.Depth > 0 {
			workers.color = red
		}
		t.add(plain(name), plain(count(q.Depth)), plain(oldest), plain(count(q.Scheduled)), plain(count(q.Running)), dead, workers)
	}
	return t
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func shapeStats(stats backend.Stats) statsShape {
	shape := statsShape{At: stats.Now.UTC(), Executions: map[backend.State]int64{}, Queues: []queueShape{}}
	for _, state := range executionStates {
		shape.Executions[state] = stats.Executions[state]
	}
	for _, q := range stats.Queues {
		shape.Queues = append(shape.Queues, queueShape{
			Queue: q.Queue, Depth: q.Depth, Scheduled: q.Scheduled, Running: q.Running, DeadLetters: q.Dead, Workers: q.Workers,
			Paused: q.Paused, OldestDueAt: shapeTime(q.OldestDue),
		})
	}
	return shape
}
