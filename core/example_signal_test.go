package core_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/stentgo/stent/core"
)

type Decision struct {
	Approved bool
	By       string
}

var (
	Approval = core.NewSignal[Decision]("approval")
	Changed  = core.NewSignal[Order]("order_changed")
	Large    = core.NewWorkflow[Order, string]("large_order")
)

func askFirst(flow *core.Flow, o Order) (string, error) {
	decision, err := Approval.ReceiveWithin(flow, 48*time.Hour)
	switch {
	case errors.Is(err, core.ErrSignalTimeout):
		return "nobody decided", nil
	case err != nil:
		return "", err
	case !decision.Approved:
		return "refused by " + decision.By, nil
	}
	return Charge.Call(flow, o)
}

func ExampleSignal() {
	ctx := context.Background()
	engine, stop := serve(Large.Handle(askFirst),
		Charge.Handle(func(_ context.Context, o Order) (string, error) { return "receipt-" + o.ID, nil }))
	defer stop()

	run, err := Large.Start(ctx, engine, Order{ID: "42"}, core.ID("order-42"))
	if err != nil {
		log.Fatal(err)
	}
	if err := Approval.Send(ctx, engine, "order-42", Decision{Approved: true, By: "ada"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))

	err = Approval.Send(ctx, engine, "order-42", Decision{})
	fmt.Println(errors.Is(err, core.ErrFinished))
	// Output:
	// receipt-42 <nil>
	// true
}

// The order may be changed as often as one likes, until it is approved.
func editable(flow *core.Flow, o Order) (string, error) {
	approval := Approval.Next(flow)
	change := Changed.Next(flow)
	for {
		which, err := core.Select(flow, approval, change)
		if err != nil {
			return "", err
		}
		if which == 0 {
			return Charge.Call(flow, o)
		}
		if o, err = change.Get(flow); err != nil {
			return "", err
		}
		change = Changed.Next(flow)
	}
}

func ExampleReception() {
	ctx := context.Background()
	wf := core.NewWorkflow[Order, string]("editable_order")
	engine, stop := serve(wf.Handle(editable),
		Charge.Handle(func(_ context.Context, o Order) (string, error) { return fmt.Sprint("charged ", o.Cents), nil }))
	defer stop()

	run, err := wf.Start(ctx, engine, Order{Cents: 100}, core.ID("order-43"))
	if err != nil {
		log.Fatal(err)
	}
	for _, cents := range []int{200, 300} {
		if err := Changed.Send(ctx, engine, "order-43", Order{Cents: cents}); err != nil {
			log.Fatal(err)
		}
	}
	if err := Approval.Send(ctx, engine, "order-43", Decision{Approved: true}); err != nil {
		log.Fatal(err)
	}
	_, err = run.Wait(ctx) // an approval that comes before a change is taken first: what is there counts, not when it came
	fmt.Println(err)
	// Output: <nil>
}
