package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	validate = core.NewActivity[string, string]("validate_order")
	charge   = core.NewActivity[string, string]("charge_payment", core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: 100 * time.Millisecond}))
	orders   = core.NewWorkflow[string, string]("order_workflow")
)

type shop struct{ log *slog.Logger }

func (s *shop) order(flow *core.Flow, order string) (string, error) {
	if _, err := validate.Call(flow, order); err != nil {
		return "", err
	}
	return charge.Call(flow, order)
}

func (s *shop) validate(ctx context.Context, order string) (string, error) {
	s.log.InfoContext(ctx, "order validated", "order", order)
	return order, nil
}

// charge is declined at first.
func (s *shop) charge(ctx context.Context, order string) (string, error) {
	if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
		return "", errors.New("card declined")
	}
	s.log.InfoContext(ctx, "payment captured", "order", order)
	return order, nil
}
