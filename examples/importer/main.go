// Command importer copies rows from somewhere to somewhere, and can be stopped on the way: what it has copied by then is
// taken away again.
//
//	go run ./examples/importer
//	go run ./examples/importer --cancel-after 300ms
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "importer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("importer", flag.ContinueOnError)
	flags.SetOutput(out)
	rows := flags.Int("rows", 100, "how many rows to copy")
	pace := flags.Duration("pace", 10*time.Millisecond, "how long one takes")
	cancelAfter := flags.Duration("cancel-after", 0, "cancel after so long; 0 for not at all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "importer-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "importer.sqlite"))
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	t := &table{pace: *pace}
	if err := engine.Register(t.handlers()...); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- engine.Serve(work, core.WorkerConfig{}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	execution, err := Import.Start(ctx, engine, Source{Rows: *rows}, core.ID("import-1"), core.MaxDuration(time.Hour))
	if err != nil {
		return err
	}
	if *cancelAfter > 0 {
		timer := time.AfterFunc(*cancelAfter, func() {
			if err := stopImport(ctx, engine, execution.ID()); err != nil {
				fmt.Fprintln(out, err)
			}
		})
		defer timer.Stop()
	}
	n, err := execution.Wait(ctx)
	fmt.Fprintln(out, ending(n, err))
	fmt.Fprintf(out, "The table has %d rows.\n", t.count())
	return nil
}
