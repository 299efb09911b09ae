package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

var (
	validate = core.NewActivity[string, string]("validate_order")
	charge   = core.NewActivity[string, string]("charge_payment", core.Retry(core.RetryPolicy{InitialDelay: -1}))
	orders   = core.NewWorkflow[string, string]("order_workflow")
)

func orderWorkflow(flow *core.Flow, order string) (string, error) {
	log.Info().Ctx(flow.Context()).Str("order", order).Msg("order received")
	order, err := validate.Call(flow, order)
	if err != nil {
		return "", err
	}
	receipt, err := charge.Call(flow, order)
	if err == nil {
		log.Info().Ctx(flow.Context()).Str("order", order).Str("receipt", receipt).Msg("order paid")
	}
	return receipt, err
}

func validateOrder(ctx context.Context, order string) (string, error) {
	log.Info().Ctx(ctx).Str("order", order).Msg("order validated")
	return order, nil
}

func chargePayment(ctx context.Context, order string) (string, error) {
	log := log.With().Ctx(ctx).Str("order", order).Logger()
	if task, _ := core.InfoFrom(ctx); task.Attempt == 1 {
		log.Warn().Msg("bank is busy")
		return "", errors.New("bank is busy")
	}
	log.Info().Dict("payment", zerolog.Dict().Str("method", "card")).Msg("payment authorized")
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

	log.Info().Str("dir", dir).Msg("ready")
	execution, err := orders.Start(ctx, engine, order, core.ID("order-"+order))
	if err == nil {
		_, err = execution.Wait(ctx)
	}
	stop()
	return errors.Join(err, <-served)
}
