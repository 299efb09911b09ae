package zerolog_test

import (
	"context"
	"os"

	"github.com/rs/zerolog"

	"github.com/stentgo/stent/core"
	stentzerolog "github.com/stentgo/stent/logctx/zerolog"
)

// Code that is given nothing but a context logs with log.Ctx, which is zerolog.Ctx.
func ExampleWithContext() {
	logger := zerolog.New(os.Stdout).Hook(stentzerolog.NewHook())

	activity := func(ctx context.Context) {
		ctx = stentzerolog.WithContext(ctx, logger)
		zerolog.Ctx(ctx).Info().Msg("payment authorized")
	}
	activity(core.WithTaskInfo(context.Background(), charge, nil))
	// Output: {"level":"info","stent_execution_id":"order-42","stent_task_id":"order-42.2","stent_worker_id":"worker-1","stent_step":"charge_payment","stent_queue":"billing","stent_attempt":1,"message":"payment authorized"}
}
