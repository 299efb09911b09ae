package stent_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

type Order struct {
	ID    string
	Cents int
}

type Receipt struct{ Number string }

// Descriptors: a name, the types, and what differs from the defaults.
var (
	Validate = core.NewActivity[Order, Order]("validate")
	Charge   = core.NewActivity[Order, Receipt]("charge", core.Retry(core.RetryPolicy{MaxAttempts: 5}))
	Orders   = core.NewWorkflow[Order, Receipt]("order")
)

// placeOrder is the workflow: plain Go, run again from the top after a crash, with the results of what was done before.
func placeOrder(flow *core.Flow, o Order) (Receipt, error) {
	o, err := Validate.Call(flow, o)
	if err != nil {
		return Receipt{}, err
	}
	return Charge.Call(flow, o)
}

// The README's program.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	dir, err := os.MkdirTemp("", "stent")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	db, err := sqlite.Open(ctx, filepath.Join(dir, "orders.sqlite"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	engine, err := core.New(db)
	if err != nil {
		log.Fatal(err)
	}
	err = engine.Register(
		Orders.Handle(placeOrder),
		Validate.Handle(func(_ context.Context, o Order) (Order, error) {
			if o.Cents <= 0 {
				return o, core.NonRetryable(errors.New("an order of nothing"))
			}
			return o, nil
		}),
		Charge.Handle(func(_ context.Context, o Order) (Receipt, error) {
			return Receipt{Number: "R-" + o.ID}, nil
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- engine.Serve(ctx, core.WorkerConfig{Slots: 10}) }()

	run, err := Orders.Start(ctx, engine, Order{ID: "42", Cents: 1999}, core.ID("order-42"))
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := run.Wait(ctx)
	fmt.Println(receipt.Number, err)

	stop() // the worker drains
	if err := <-served; err != nil {
		log.Fatal(err)
	}
	// Output: R-42 <nil>
}
