// Command poller has a slow and flaky service export something, and asks until it is ready, as often as the service says.
//
//	go run ./examples/poller
//
// The service is in the same program. The workflow is in export.go: what to do with an answer is three lines of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"sync"
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
		fmt.Println("Interrupted. The service goes with this program, so begin a new export with another --id.")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "poller:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("poller", flag.ContinueOnError)
	flags.SetOutput(out)
	file := flags.String("db", "poller.sqlite", "the `file` that Stent keeps everything in")
	id := flags.String("id", time.Now().UTC().Format("20060102-150405"), "the `name` of the export")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format, args...)
	}
	server := httptest.NewServer((&flaky{say: say, polls: map[string]int{}}).handler())
	defer server.Close()

	db, err := sqlite.Open(ctx, *file)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	c := &client{&httpService{base: server.URL, client: &http.Client{Timeout: 10 * time.Second}}}
	if err := engine.Register(exports.Handle(exportData), begin.Handle(c.begin), poll.Handle(c.poll)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- engine.Serve(work, core.WorkerConfig{Lease: 2 * time.Second}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	execution, err := exports.Start(ctx, engine, Request{Table: "orders"}, core.ID("export-"+*id))
	if err != nil {
		return err
	}
	say("Exporting as %s.\n", execution.ID())
	report, err := execution.Wait(ctx)
	if err != nil {
		return err
	}
	say("Ready: %d rows at %s\n", report.Rows, report.URL)
	say("What happened, step by step: go run ./cmd/stent --db %q show %s\n", *file, execution.ID())
	return nil
}
