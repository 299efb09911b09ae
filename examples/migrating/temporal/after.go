package temporal

import (
	"context"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	fiveTimes = core.Retry(core.RetryPolicy{MaxAttempts: 5})
	validate  = core.NewActivity[Order, bool]("Validate", fiveTimes, core.StartToClose(time.Minute))
	charge    = core.NewActivity[Order, string]("Charge", fiveTimes, core.StartToClose(time.Minute))
	approval  = core.NewSignal[bool]("approval")
	orders    = core.NewWorkflow[Order, string]("Order", core.Queue("orders"))
)

func stentOrder(flow *core.Flow, o Order) (string, error) {
	if _, err := validate.Call(flow, o); err != nil {
		return "", err
	}
	approved, err := approval.Receive(flow)
	if err != nil {
		return "", err
	}
	if !approved {
		return "refused", nil
	}
	return charge.Call(flow, o)
}

func stentWork(ctx context.Context, engine *core.Engine) error {
	err := engine.Register(
		orders.Handle(stentOrder),
		validate.Handle(func(ctx context.Context, o Order) (bool, error) { return true, Validate(ctx, o) }),
		charge.Handle(Charge),
	)
	if err != nil {
		return err
	}
	return engine.Serve(ctx, core.WorkerConfig{Slots: 100})
}

func stentStart(ctx context.Context, engine *core.Engine, o Order) (receipt string, err error) {
	run, err := orders.Start(ctx, engine, o, core.ID("order-"+o.ID))
	if err != nil {
		return "", err
	}
	if err := approval.Send(ctx, engine, run.ID(), true); err != nil {
		return "", err
	}
	return run.Wait(ctx)
}
