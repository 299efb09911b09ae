package temporal

import (
	"context"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/memory"
)

func TestAfter(t *testing.T) {
	engine, err := core.New(memory.Open())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- stentWork(ctx, engine) }()
	order := Order{ID: "42"}
	run, err := orders.Start(ctx, engine, order, core.ID("order-42"))
	if err != nil {
		t.Fatal(err)
	}
	if err := approval.Send(ctx, engine, run.ID(), false); err != nil {
		t.Fatal(err)
	}
	if receipt, err := run.Wait(ctx); receipt != "refused" || err != nil {
		t.Errorf("%q, %v", receipt, err)
	}
	if receipt, err := stentStart(ctx, engine, Order{ID: "43"}); receipt != "receipt-43" || err != nil {
		t.Errorf("%q, %v", receipt, err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
