// Command parcels delivers an order whose parcels are executions of their own, and keeps a subscription that goes on for
// ever, in a file:
//
//	go run ./examples/parcels
//	delivered: [code-1 code-2 code-3]
//	stent show --db parcels.sqlite order-42
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, "parcels.sqlite", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run delivers one order.
func run(ctx context.Context, path string, out io.Writer) (err error) {
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	if err := engine.Register(handlers()...); err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- engine.Serve(serving, core.WorkerConfig{}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	order := Order{ID: "42", Parcels: []Parcel{{1, 2.5}, {2, 0.8}, {3, 12}}}
	delivery, err := Deliver.Start(ctx, engine, order, core.ID("order-"+order.ID))
	if err != nil {
		return err
	}
	codes, err := delivery.Wait(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "delivered:", codes)
	return err
}
