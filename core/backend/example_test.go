package backend_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

// A batch of two commands: an execution is started, and a worker claims what is due, which the next batch tells.
func ExampleBatch() {
	ctx := context.Background()
	db := memory.Open()
	worker := backend.Worker{ID: "worker-1", Queues: []string{"default"}, Steps: []string{"order_workflow"}, Slots: 10, State: backend.WorkerReady}
	if _, err := db.Register(ctx, worker, 30*time.Second); err != nil {
		log.Fatal(err)
	}
	start := &backend.Start{ID: "order-42", Workflow: "order_workflow", Queue: "default", Input: []byte(`{}`)}
	if err := db.Commit(ctx, &backend.Batch{Worker: "worker-1", Commands: []backend.Command{start}}); err != nil {
		log.Fatal(err)
	}
	claim := &backend.Claim{Queues: worker.Queues, Steps: worker.Steps, Max: 10}
	if err := db.Commit(ctx, &backend.Batch{Worker: "worker-1", Commands: []backend.Command{claim}}); err != nil {
		log.Fatal(err)
	}
	for _, task := range claim.Tasks {
		fmt.Println(task.ID, task.Kind, task.Token)
	}
	// Output: order-42.0 orchestrator 1
}
