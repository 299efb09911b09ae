package core_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"github.com/stentgo/stent/core"
)

var Remind = core.NewActivity[string, bool]("send_reminder")

// Sleep is a row in the database: the worker may be stopped for the three days.
func dunning(flow *core.Flow, invoice string) (int, error) {
	flow.Counter("reminders").Add(0)
	for range 3 {
		if _, err := Remind.Call(flow, invoice); err != nil {
			return 0, err
		}
		flow.Counter("reminders").Add(1)
		if err := flow.Sleep(72 * time.Hour); err != nil {
			return 0, err
		}
	}
	return 3, flow.State("phase").Set("collection")
}

func ExampleFlow_Sleep() {
	wf := core.NewWorkflow[string, int]("dunning")
	_, stop := serve(wf.Handle(dunning), Remind.Handle(func(context.Context, string) (bool, error) { return true, nil }))
	stop()
	// Output:
}

// What differs from time to time is kept, so that it is the same when the workflow runs again.
func lottery(flow *core.Flow, tickets int) (string, error) {
	drawn, err := core.SideEffect(flow, "draw", func() int { return rand.IntN(tickets) })
	if err != nil {
		return "", err
	}
	now, err := flow.Now()
	if err != nil {
		return "", err
	}
	id, err := flow.NewID()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("draw %s on %s: ticket %d", id, now.Format(time.DateOnly), drawn), nil
}

func ExampleSideEffect() {
	ctx := context.Background()
	wf := core.NewWorkflow[int, string]("lottery")
	engine, stop := serve(wf.Handle(lottery))
	defer stop()
	run, err := wf.Start(ctx, engine, 1000)
	if err != nil {
		log.Fatal(err)
	}
	text, err := run.Wait(ctx)
	fmt.Println(text != "", err)
	// Output: true <nil>
}

var (
	ChargeOnce = core.NewActivity[int, string]("charge")
	Authorize  = core.NewActivity[int, string]("authorize")
	Capture    = core.NewActivity[string, string]("capture")
)

// Executions that charged in one step before this change go on doing so; those that come here for the first time take two.
func pay(flow *core.Flow, cents int) (string, error) {
	v, err := flow.Version("charge in two steps", 0, 1)
	if err != nil {
		return "", err
	}
	if v == 0 {
		return ChargeOnce.Call(flow, cents)
	}
	hold, err := Authorize.Call(flow, cents)
	if err != nil {
		return "", err
	}
	return Capture.Call(flow, hold)
}

func ExampleFlow_Version() {
	ctx := context.Background()
	wf := core.NewWorkflow[int, string]("pay")
	engine, stop := serve(wf.Handle(pay),
		ChargeOnce.Handle(func(context.Context, int) (string, error) { return "charged", nil }),
		Authorize.Handle(func(context.Context, int) (string, error) { return "hold", nil }),
		Capture.Handle(func(_ context.Context, hold string) (string, error) { return "captured " + hold, nil }),
	)
	defer stop()
	run, err := wf.Start(ctx, engine, 1999)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Wait(ctx))
	// Output: captured hold <nil>
}

func ExampleWorkflow_StartMany() {
	ctx := context.Background()
	engine, stop := serve(
		Orders.Handle(placeOrder),
		Validate.Handle(func(_ context.Context, o Order) (Order, error) { return o, nil }),
		Charge.Handle(func(_ context.Context, o Order) (string, error) { return "receipt-" + o.ID, nil }),
	)
	defer stop()
	runs, err := Orders.StartMany(ctx, engine, []core.Input[Order]{
		{In: Order{ID: "1"}, Options: []core.StartOption{core.ID("order-1"), core.Priority(10)}},
		{In: Order{ID: "2"}, Options: []core.StartOption{core.ID("order-2"), core.Delay(time.Millisecond)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, run := range runs {
		fmt.Println(run.Wait(ctx))
	}
	// Output:
	// receipt-1 <nil>
	// receipt-2 <nil>
}
