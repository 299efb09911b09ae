package asynq

import (
	"context"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	Resize = core.NewActivity[Picture, bool]("resize",
		core.Retry(core.RetryPolicy{MaxAttempts: 6}), core.StartToClose(20*time.Minute))
	Resizing = core.NewWorkflow[Picture, bool]("image:resize", core.Queue("low"))
)

func stentEnqueue(ctx context.Context, engine *core.Engine, p Picture) error {
	_, err := Resizing.Start(ctx, engine, p, core.ID("resize:"+p.Source))
	return err
}

func stentWork(ctx context.Context, engine *core.Engine) error {
	err := engine.Register(
		Resizing.Handle(func(flow *core.Flow, p Picture) (bool, error) { return Resize.Call(flow, p) }),
		Resize.Handle(func(ctx context.Context, p Picture) (bool, error) { return true, resize(ctx, p) }),
	)
	if err != nil {
		return err
	}
	return engine.Serve(ctx, core.WorkerConfig{Slots: 10, Queues: []string{"critical", "low"}})
}
