// Command saga places an order in three steps at three services, and undoes what was done when a later one fails.
//
//	go run ./examples/saga
//	go run ./examples/saga --break book_courier
//
// Kill it in the middle and start it again with the same --id: it goes on where it was, also with undoing. The saga is in
// order.go, and its tests kill it at each of its commits.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first Ctrl-C asks to end, the second ends at once
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case ctx.Err() != nil:
		fmt.Println("Interrupted. To go on, run the same command again.")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "saga:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("saga", flag.ContinueOnError)
	flags.SetOutput(out)
	file := flags.String("db", "saga.sqlite", "the `file` that Stent keeps everything in")
	id := flags.String("id", "1", "the order's `number`")
	broken := flags.String("break", "", "the `activity` that fails: reserve_stock, charge_card or book_courier")
	if err := flags.Parse(args); err != nil {
		return err
	}

	db, err := sqlite.Open(ctx, *file)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	shop := &shop{broken: *broken, out: out}
	if err := engine.Register(shop.handlers()...); err != nil {
		return err
	}

	work, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- engine.Serve(work, core.WorkerConfig{Lease: lease}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	execution, err := orders.Start(ctx, engine, Order{ID: *id, Item: "a blue kettle", Amount: 42}, core.ID("order-"+*id))
	if err != nil {
		return err
	}
	if execution.Existed {
		fmt.Fprintf(out, "Order %s was placed before; going on with it.\n", *id)
	} else {
		fmt.Fprintf(out, "Placing order %s.\n", *id)
	}
	outcome, err := execution.Wait(ctx)
	if err != nil {
		return err
	}
	if outcome.Shipped {
		fmt.Fprintf(out, "Shipped: %s\n", outcome.Tracking)
	} else {
		fmt.Fprintf(out, "Not carried out, and undone: %s\n", outcome.Why)
	}
	fmt.Fprintf(out, "What happened, step by step: go run ./cmd/stent --db %q show %s\n", *file, execution.ID())
	if !outcome.Shipped {
		fmt.Fprintf(out, "What failed: go run ./cmd/stent --db %q dlq list\n", *file)
	}
	return nil
}

// lease is how long a program that is started again waits for what a killed one held. The default of 30 s suits servers.
const lease = 2 * time.Second
