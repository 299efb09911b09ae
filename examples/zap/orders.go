package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

var (
	validate = core.NewActivity[string, string]("validate_order")
	charge   = core.NewActivity[string, string]("charge_payment", core.Retry(core.RetryPolicy{InitialDelay: -1}))
	orders   = core.NewWorkflow[string, string]("order_workflow")
)

func (s *shop) orderWorkflow(flow *core.Flow, order string) (string, error) {
	log := s.logger(flow.Context()).With(zap.String("order", order))
	log.Info("order received")
	order, err := validate.Call(flow, order)
	if err != nil {
		return "", err
	}
	receipt, err := charge.Call(flow, order)
	if err == nil {
		log.Info("order paid", zap.String("receipt", receipt))
	}
	return receipt, err
}

func (s *shop) validateOrder(ctx context.Context, order string) (string, error) {
	s.logger(ctx).Info("order validated", zap.String("order", order))
	return order, nil
}

func (s *shop) chargePayment(ctx context.Context, order string) (string, error) {
	log := s.logger(ctx).Sugar()
	if task, _ := core.InfoFrom(ctx); task.Attempt == 1 {
		log.Warnw("bank is busy", "order", order)
		return "", errors.New("bank is busy")
	}
	log.Infow("payment authorized", "order", order, zap.Namespace("payment"), "method", "card")
	return "R-" + order, nil
}

// run does one order, in a database of its own.
func (s *shop) run(ctx context.Context, order string) error {
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
	if err := engine.Register(orders.Handle(s.orderWorkflow), validate.Handle(s.validateOrder), charge.Handle(s.chargePayment)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	served := make(chan error)
	go func() { served <- engine.Serve(work, core.WorkerConfig{}) }()

	s.log.Info("ready", zap.String("dir", dir))
	execution, err := orders.Start(ctx, engine, order, core.ID("order-"+order))
	if err == nil {
		_, err = execution.Wait(ctx)
	}
	stop()
	return errors.Join(err, <-served)
}
