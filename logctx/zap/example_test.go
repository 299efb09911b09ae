package zap_test

import (
	"context"
	"os"

	"go.uber.org/zap"

	"github.com/stentgo/stent/core"
	stentzap "github.com/stentgo/stent/logctx/zap"
)

// A logger with Wrap takes the context as a field.
func ExampleContext() {
	logger := zap.New(jsonCore(os.Stdout), stentzap.Wrap())

	activity := func(ctx context.Context) {
		logger.Info("payment authorized", stentzap.Context(ctx), zap.String("order", "42"))
		logger.Sugar().Infow("payment captured", stentzap.Context(ctx), "order", "42")
	}
	activity(core.WithTaskInfo(context.Background(), charge, nil))
	// Output:
	// {"level":"info","msg":"payment authorized","stent_execution_id":"order-42","stent_task_id":"order-42.2","stent_worker_id":"worker-1","stent_step":"charge_payment","stent_queue":"billing","stent_attempt":1,"order":"42"}
	// {"level":"info","msg":"payment captured","stent_execution_id":"order-42","stent_task_id":"order-42.2","stent_worker_id":"worker-1","stent_step":"charge_payment","stent_queue":"billing","stent_attempt":1,"order":"42"}
}
