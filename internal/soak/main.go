//go:build unix

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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	backend string
	length  time.Duration // of the faults
	seed    uint64
	workers int
	rate    float64 // executions started a second
	only    string  // faults, separated by commas
	before  string  // a soak of an older version
	verbose bool
}

var errViolated = errors.New("violations")

func run(ctx context.Context, args []string, out io.Writer) error {
	if os.Getenv(workerEnv) != "" {
		return work(ctx)
	}
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.StringVar(&o.backend, "backend", "sqlite", "sqlite or postgres")
	flags.DurationVar(&o.length, "for", 2*time.Minute, "how long faults are injected")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of all that is chosen at random")
	flags.IntVar(&o.workers, "workers", 4, "worker processes")
	flags.Float64Var(&o.rate, "rate", 40, "executions started a second")
	flags.StringVar(&o.only, "only", "", "faults to inject, separated by commas; all where empty")
	flags.StringVar(&o.before, "before", "", "a soak `program` of an older version: its workers begin, and the others migrate the database under them")
	flags.BoolVar(&o.verbose, "v", false, "tell each fault")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return direct(ctx, o, out)
}
