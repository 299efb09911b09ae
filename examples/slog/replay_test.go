package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

var (
	shipped   = core.NewSignal[string]("shipped")
	shipments = core.NewWorkflow[string, string]("shipment")
)

// A workflow that was put aside runs again from its top on the next worker, and its log tells everything once.
func TestWhatAReplayLogsIsDropped(t *testing.T) {
	var out bytes.Buffer
	setUpLog(&out)
	file := filepath.Join(t.TempDir(), "orders.sqlite")
	began := make(chan struct{}, 2) // how often the workflow ran to its wait

	workflow := func(flow *core.Flow, order string) (string, error) {
		log := slog.With("order", order)
		log.InfoContext(flow.Context(), "shipment ordered")
		if _, err := validate.Call(flow, order); err != nil {
			return "", err
		}
		log.InfoContext(flow.Context(), "waiting for the parcel service")
		began <- struct{}{}
		parcel, err := shipped.Receive(flow)
		log.InfoContext(flow.Context(), "on its way", "parcel", parcel)
		return parcel, err
	}
	serve := func(do func(context.Context, *core.Engine)) {
		db, err := sqlite.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		engine, err := core.New(db)
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Register(shipments.Handle(workflow), validate.Handle(validateOrder)); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- engine.Serve(ctx, core.WorkerConfig{}) }()
		do(t.Context(), engine)
		stop()
		if err := <-served; err != nil {
			t.Fatal(err)
		}
	}
	serve(func(ctx context.Context, e *core.Engine) {
		if _, err := shipments.Start(ctx, e, "7", core.ID("shipment-7")); err != nil {
			t.Fatal(err)
		}
		<-began
	})
	serve(func(ctx context.Context, e *core.Engine) {
		if err := shipped.Send(ctx, e, "shipment-7", "P-1"); err != nil {
			t.Fatal(err)
		}
		run, err := shipments.Start(ctx, e, "7", core.ID("shipment-7")) // it is there
		if err != nil {
			t.Fatal(err)
		}
		if parcel, err := run.Wait(ctx); parcel != "P-1" || err != nil {
			t.Fatalf("parcel %q, %v", parcel, err)
		}
	})
	if len(began) != 1 {
		t.Fatalf("the workflow ran again %d times, want once", len(began))
	}
	workflowLine := line{Level: "INFO", Order: "7", ExecutionID: "shipment-7", TaskID: "shipment-7.0", Step: "shipment", Attempt: 1}
	ordered, waiting, onItsWay := workflowLine, workflowLine, workflowLine
	ordered.Message, waiting.Message, onItsWay.Message = "shipment ordered", "waiting for the parcel service", "on its way"
	checkLog(t, out.Bytes(), []line{
		ordered,
		{Level: "INFO", Message: "order validated", Order: "7", ExecutionID: "shipment-7", TaskID: "shipment-7.1", Step: "validate_order", Attempt: 1},
		waiting,
		onItsWay,
	})
}
