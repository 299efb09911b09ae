// Command bench measures Stent beside its peers and beside the least program that does the same durable steps, on the
// same machine and in turns.
//
//	bench compare   all rows of the table, written to RESULTS.md
//	bench latency   from a start to the begin of its activity, at several rates
//	bench growth    Stent with more history, processes, queues and larger payloads, written to GROWTH.md
//	bench cost      what recorders, log injectors and a tracer cost, written to COST.md
//
// Each measurement runs in a process of its own, on an empty database. PostgreSQL is the one that STENT_TEST_POSTGRES
// names, else one that is started for the purpose; see package pgtest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const usage = `bench measures Stent beside its peers and beside the least program that does the same durable steps.

  bench compare   all rows of the table, to RESULTS.md
  bench latency   from a start to the begin of its activity, at several rates, to LATENCY.md
  bench growth    Stent with more history, processes, queues and larger payloads, to GROWTH.md
  bench cost      what recorders, log injectors and a tracer cost, to COST.md

Each tells of its flags with -h. PostgreSQL is the one that STENT_TEST_POSTGRES names, else one that is started here.
`

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want compare, latency, growth or cost, each with -h for its flags")
	}
	switch command, args := args[0], args[1:]; command {
	case "help", "-h", "-help", "--help":
		fmt.Print(usage)
		return nil
	case "compare":
		return compare(ctx, args)
	case "latency":
		return latency(ctx, args)
	case "growth":
		return growth(ctx, args)
	case "cost":
		return cost(ctx, args)
	case "measure": // one measurement, in a process of its own
		return measureHere(ctx, args)
	case "sink": // a server of StatsD
		return sinkHere(ctx)
	case "serve": // another worker process
		return serveHere(ctx, args)
	}
	return fmt.Errorf("unknown command %q: want compare, latency, growth or cost", args[0])
}
