// Package temporal is a workflow of Temporal's, and the same with Stent: the code of docs/migrating/temporal.md.
package temporal

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type Order struct {
	ID    string
	Cents int
}

func TemporalOrder(ctx workflow.Context, o Order) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 5},
	})
	if err := workflow.ExecuteActivity(ctx, Validate, o).Get(ctx, nil); err != nil {
		return "", err
	}
	var approved bool
	workflow.GetSignalChannel(ctx, "approval").Receive(ctx, &approved)
	if !approved {
		return "refused", nil
	}
	var receipt string
	err := workflow.ExecuteActivity(ctx, Charge, o).Get(ctx, &receipt)
	return receipt, err
}

func temporalWork(c client.Client) error {
	w := worker.New(c, "orders", worker.Options{MaxConcurrentActivityExecutionSize: 100})
	w.RegisterWorkflow(TemporalOrder)
	w.RegisterActivity(Validate)
	w.RegisterActivity(Charge)
	return w.Run(worker.InterruptCh())
}

func temporalStart(ctx context.Context, c client.Client, o Order) (receipt string, err error) {
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "order-" + o.ID, TaskQueue: "orders"}, TemporalOrder, o)
	if err != nil {
		return "", err
	}
	if err := c.SignalWorkflow(ctx, run.GetID(), "", "approval", true); err != nil {
		return "", err
	}
	err = run.Get(ctx, &receipt)
	return receipt, err
}

func Validate(context.Context, Order) error { return nil }

func Charge(_ context.Context, o Order) (string, error) { return "receipt-" + o.ID, nil }
