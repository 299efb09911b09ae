package backendtest

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// BenchTasks is how many tasks have ended in a benchmark of a large database: 100,000, or what STENT_BENCH_TASKS says.
func BenchTasks(b *testing.B) int {
	b.Helper()
	s := os.Getenv("STENT_BENCH_TASKS")
	if s == "" {
		return 100_000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkConsole asks what stent list, stats and watch ask of a database in which an execution has an id of this prefix.
func BenchmarkConsole(b *testing.B, db backend.Backend, prefix string) {
	b.Helper()
	BenchmarkList(b, db, "list", backend.ExecutionFilter{})
	for _, state := range []backend.State{
		backend.Pending, backend.Running, backend.Cancelling, backend.Completed, backend.Failed, backend.Cancelled, backend.TimedOut,
	} {
		BenchmarkList(b, db, "list --state "+string(state), backend.ExecutionFilter{States: []backend.State{state}})
	}
	hour := time.Now().Add(-time.Hour)
	BenchmarkList(b, db, "list --workflow order_workflow", backend.ExecutionFilter{Workflow: "order_workflow"})
	BenchmarkList(b, db, "list --workflow nothing", backend.ExecutionFilter{Workflow: "nothing"})
	BenchmarkList(b, db, "list --queue nothing", backend.ExecutionFilter{Queue: "nothing"})
	BenchmarkList(b, db, "list --tag nothing", backend.ExecutionFilter{Tag: "nothing"})
	BenchmarkList(b, db, "list --since 1h", backend.ExecutionFilter{Since: hour})
	BenchmarkList(b, db, "list --since 1h --workflow nothing", backend.ExecutionFilter{Since: hour, Workflow: "nothing"})
	BenchmarkList(b, db, "a beginning of an id", backend.ExecutionFilter{IDPrefix: prefix})
	b.Run("stats", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Stats(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("watch", func(b *testing.B) {
		for b.Loop() {
			refresh(b, db)
		}
	})
}

// BenchmarkList lists executions.
func BenchmarkList(b *testing.B, db backend.Backend, name string, f backend.ExecutionFilter) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Executions(context.Background(), f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// refresh asks what a refresh of stent watch asks.
func refresh(b *testing.B, db backend.Backend) {
	b.Helper()
	ctx := context.Background()
	_, stats := db.Stats(ctx)
	_, workers := db.Workers(ctx)
	_, tasks := db.Tasks(ctx, backend.TaskFilter{States: []backend.State{backend.Running}, Kinds: []backend.Kind{backend.Activity}, Limit: 200})
	_, letters := db.DeadLetters(ctx, backend.DeadLetterFilter{Limit: 200})
	_, recent := db.Executions(ctx, backend.ExecutionFilter{Limit: 200})
	for _, err := range []error{stats, workers, tasks, letters, recent} {
		if err != nil {
			b.Fatal(err)
		}
	}
}
