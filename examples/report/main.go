// Command report writes a report in a fixed rhythm, by one workflow that begins anew each time.
//
//	go run ./examples/report --every 2s --reports 5
//
// Kill it, wait a while and start it again with the same arguments: the periods that it has missed are reported on first.
// The workflow is in report.go.
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
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(out)
	file := flags.String("db", "report.sqlite", "the `file` that Stent keeps everything in")
	folder := flags.String("folder", "reports", "the `folder` that reports are written to")
	every := flags.Duration("every", 2*time.Second, "how long a period is")
	number := flags.Int("reports", 5, "how many reports; 0 for no end")
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
	writer := &writer{folder: *folder, out: out}
	if err := engine.Register(reports.Handle(reportInRhythm), report.Handle(writer.write)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- engine.Serve(work, core.WorkerConfig{Lease: 2 * time.Second}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	id := fmt.Sprintf("report-every-%v-%d", *every, *number)
	execution, err := reports.Start(ctx, engine, Rhythm{Every: *every, Left: *number}, core.ID(id))
	if err != nil {
		return err
	}
	if execution.Existed {
		fmt.Fprintf(out, "Going on with %s.\n", id)
	} else {
		fmt.Fprintf(out, "Reporting every %v as %s.\n", *every, id)
	}
	summary, err := execution.Wait(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Done: %d reports.\nWhat happened, step by step: go run ./cmd/stent --db %q show %s\n", summary.Reports, *file, id)
	return nil
}

// writer writes reports.
type writer struct {
	folder string
	out    io.Writer
}

// write makes a file that is named after its period. A second attempt writes the same file again.
func (w *writer) write(_ context.Context, p Period) (Report, error) {
	if err := os.MkdirAll(w.folder, 0o755); err != nil {
		return Report{}, err
	}
	file := filepath.Join(w.folder, p.To.UTC().Format("20060102T150405.000Z")+".txt")
	text := fmt.Sprintf("From %s to %s: all is well.\n", p.From.UTC().Format(time.RFC3339), p.To.UTC().Format(time.RFC3339))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return Report{}, err
	}
	fmt.Fprintf(w.out, "  %s\n", file)
	return Report{File: file}, nil
}
