package core_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
)

// Order is what the examples are about.
type Order struct {
	ID    string
	Lines []Line
	Cents int
}

// Line is one line of an order.
type Line struct {
	Item  string
	Count int
}

var (
	Validate = core.NewActivity[Order, Order]("validate_order")
	Charge   = core.NewActivity[Order, string]("charge_payment", core.Retry(core.RetryPolicy{MaxAttempts: 5}))
	Orders   = core.NewWorkflow[Order, string]("order_workflow")
)

func placeOrder(flow *core.Flow, o Order) (string, error) {
	o, err := Validate.Call(flow, o)
	if err != nil {
		return "", err
	}
	return Charge.Call(flow, o)
}

func Example() {
	ctx := context.Background()
	engine, stop := serve(
		Orders.Handle(placeOrder),
		Validate.Handle(func(_ context.Context, o Order) (Order, error) { return o, nil }),
		Charge.Handle(func(_ context.Context, o Order) (string, error) { return "receipt-" + o.ID, nil }),
	)
	defer stop()

	run, err := Orders.Start(ctx, engine, Order{ID: "42", Cents: 1999}, core.ID("order-42"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	// Output: receipt-42 <nil>
}

// serve is an engine with a worker, on a database in memory; a program opens one of sqlite or postgres.
func serve(handlers ...core.Handler) (engine *core.Engine, stop func()) {
	engine, err := core.New(memory.Open())
	if err != nil {
		log.Fatal(err)
	}
	if err := engine.Register(handlers...); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, core.WorkerConfig{Slots: 10}) }()
	return engine, func() {
		cancel()
		if err := <-served; err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleRetryPolicy() {
	policy := core.RetryPolicy{
		MaxAttempts:   8,
		InitialDelay:  500 * time.Millisecond, // then 1 s, 2 s, 4 s, 8 s, 10 s, 10 s
		BackoffFactor: 2,
		MaxDelay:      10 * time.Second,
		NonRetryable:  []string{"*payments.DeclinedError"},
	}
	core.NewActivity[Order, string]("charge_payment", core.Retry(policy))
	// Output:
}

func ExampleEngine_Why() {
	ctx := context.Background()
	approval := core.NewSignal[bool]("approval")
	large := core.NewWorkflow[Order, bool]("large_order")
	engine, stop := serve(large.Handle(func(flow *core.Flow, _ Order) (bool, error) { return approval.Receive(flow) }))
	defer stop()

	run, err := large.Start(ctx, engine, Order{ID: "7"}, core.ID("order-7"))
	if err != nil {
		log.Fatal(err)
	}
	until(func() bool {
		why, err := engine.Why(ctx, "order-7")
		return err == nil && why.Reason == core.ReasonSignal
	})
	why, err := engine.Why(ctx, "order-7")
	fmt.Println(why.Sentence(func(t time.Time) string { return t.Format(time.TimeOnly) }), err)
	fmt.Println(approval.Send(ctx, engine, "order-7", true))
	fmt.Println(run.Wait(ctx))
	// Output:
	// It waits for the signal "approval" <nil>
	// <nil>
	// true <nil>
}

// until waits for what happens elsewhere.
func until(holds func() bool) {
	for !holds() {
		<-time.After(time.Millisecond)
	}
}
