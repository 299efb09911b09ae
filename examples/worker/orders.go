package main

import (
	"context"
	"log/slog"

	"github.com/stentgo/stent/core"
)

// Order is what a customer wants.
type Order struct {
	ID    string
	Cents int
}

var (
	Charge = core.NewActivity[Order, string]("charge_payment", core.Queue("billing"), core.SLO(0.999))
	Orders = core.NewWorkflow[Order, string]("order_workflow")
)

func handlers() []core.Handler {
	return []core.Handler{
		Orders.Handle(func(flow *core.Flow, o Order) (string, error) {
			slog.InfoContext(flow.Context(), "order came in", "cents", o.Cents)
			return Charge.Call(flow, o)
		}),
		Charge.Handle(func(ctx context.Context, o Order) (string, error) {
			slog.InfoContext(ctx, "charging", "cents", o.Cents)
			return "receipt-" + o.ID, nil
		}),
	}
}
