// Command first is the program of the README and of docs/getting-started.md: one workflow of two activities, in one file.
//
//	go run ./examples/first
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

type Order struct {
	ID    string
	Cents int
}

var (
	Validate = core.NewActivity[Order, Order]("validate_order")
	Charge   = core.NewActivity[Order, string]("charge_payment", core.Retry(core.RetryPolicy{MaxAttempts: 5}))
	Orders   = core.NewWorkflow[Order, string]("order_workflow")
)

// order is the workflow. After a crash it runs again from the top, and gets the results of what was done before.
func order(flow *core.Flow, o Order) (string, error) {
	o, err := Validate.Call(flow, o)
	if err != nil {
		return "", err
	}
	return Charge.Call(flow, o)
}

func validate(_ context.Context, o Order) (Order, error) { return o, nil }

func charge(_ context.Context, o Order) (string, error) {
	fmt.Printf("charging %d cents\n", o.Cents)
	return "receipt-" + o.ID, nil
}

func main() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, "orders.sqlite")
	check(err)
	engine, err := core.New(db)
	check(err)
	check(engine.Register(Orders.Handle(order), Validate.Handle(validate), Charge.Handle(charge)))
	go func() { check(engine.Serve(ctx, core.WorkerConfig{Slots: 10})) }()

	run, err := Orders.Start(ctx, engine, Order{ID: "42", Cents: 1999}, core.ID("order-42"))
	check(err)
	receipt, err := run.Wait(ctx)
	check(err)
	fmt.Println(receipt)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
