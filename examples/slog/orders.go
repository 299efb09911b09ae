package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

var (
	validate = core.NewActivity[string, string]("validate_order")
	charge   = core.NewActivity[string, string]("charge_payment", core.Retry(core.RetryPolicy{InitialDelay: -1}))
	orders   = core.NewWorkflow[string, string]("order_workflow")
)

func orderWorkflow(flow *core.Flow, order string) (string, error) {
	slog.InfoContext(flow.Context(), "order received", "order", order)
	order, err := validate.Call(flow, order)
	if err != nil {
		return "", err
	}
	receipt, err := charge.Call(flow, order)
	if err == nil {
		slog.InfoContext(flow.Context(), "order paid", "order", order, "receipt", receipt)
	}
	return receipt, err
}

func validateOrder(ctx context.Context, order string) (string, error) {
	slog.InfoContext(ctx, "order validated", "order", order)
	return order, nil
}

func chargePayment(ctx context.Context, order string) (string, error) {
	log := slog.With("order", order)
	if task, _ := core.InfoFrom(ctx); task.Attempt == 1 {
		log.WarnContext(ctx, "bank is busy")
		return "", errors.New("bank is busy")
	}
	log.WithGroup("payment").InfoContext(ctx, "payment authorized", "method", "card")
	return "R-" + order, nil
}

// run does one order, in a database of its own.
func run(ctx context.Context, order string) error {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(ctx, filepath.Join(dir, "orders.sqlite"))
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	if err := engine.Register(orders.Handle(orderWorkflow), validate.Handle(validateOrder), charge.Handle(chargePayment)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	served := make(chan error)
	go func() { served <- engine.Serve(work, core.WorkerConfig{}) }()

	slog.Info("ready", "dir", dir)
	execution, err := orders.Start(ctx, engine, order, core.ID("order-"+order))
	if err == nil {
		_, err = execution.Wait(ctx)
	}
	stop()
	return errors.Join(err, <-served)
}
