// Command batch makes thumbnails of many pictures, some of which fail, and shows how far it is.
//
//	go run ./examples/batch
//	go run ./examples/batch --pictures 2000 --takes 10ms
//
// Kill it in the middle and start it again with the same arguments: it goes on where it was. The workflow is in batch.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
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
		fmt.Println("Interrupted. To go on, run the same command again.")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "batch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("batch", flag.ContinueOnError)
	flags.SetOutput(out)
	file := flags.String("db", "batch.sqlite", "the `file` that Stent keeps everything in")
	pictures := flags.Int("pictures", 200, "how many")
	takes := flags.Duration("takes", 50*time.Millisecond, "how long one takes")
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
	studio := &studio{takes: *takes}
	if err := engine.Register(batches.Handle(makeThumbnails), thumbnail.Handle(studio.make)); err != nil {
		return err
	}

	work, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	var served error
	background.Go(func() { served = engine.Serve(work, core.WorkerConfig{Lease: 2 * time.Second}) })
	defer func() {
		stop()
		background.Wait()
		err = errors.Join(err, served)
	}()

	id := fmt.Sprintf("batch-%d", *pictures)
	execution, err := batches.Start(ctx, engine, folder(*pictures), core.ID(id))
	if err != nil {
		return err
	}
	background.Go(func() { show(work, engine, id, out) })
	summary, err := execution.Wait(ctx)
	stop()
	background.Wait()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Done: %d thumbnails of %d bytes; %d failed.\n", summary.Done, summary.Bytes, len(summary.Failed))
	if len(summary.Failed) > 0 {
		fmt.Fprintf(out, "Failed: %s\nWhy: go run ./cmd/stent --db %q dlq list\n", strings.Join(summary.Failed, ", "), *file)
	}
	fmt.Fprintf(out, "What happened, step by step: go run ./cmd/stent --db %q show %s\n", *file, id)
	return nil
}

// folder makes up a batch. The same arguments make the same batch, so that a second start means the same execution.
func folder(n int) (b Batch) {
	for i := range n {
		b.Pictures = append(b.Pictures, Picture{Name: fmt.Sprintf("%04d.jpg", i+1), Size: 1000 + i})
	}
	return b
}

// studio stands for what makes thumbnails.
type studio struct{ takes time.Duration }

var errBroken = errors.New("not a picture")

func (s *studio) make(ctx context.Context, p Picture) (int, error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if p.Size%97 == 0 {
		return 0, core.NonRetryable(errBroken) // another try would not help
	}
	if task, _ := core.InfoFrom(ctx); p.Size%31 == 0 && task.Attempt == 1 {
		return 0, errors.New("out of memory")
	}
	return p.Size / 10, nil
}

// show prints the counters whenever they have changed, until ctx ends.
func show(ctx context.Context, engine *core.Engine, id string, out io.Writer) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for last := ""; ; {
		if state, err := engine.StateOf(ctx, id); err == nil {
			counted := map[string]float64{}
			for _, c := range state.Counters {
				counted[c.Name] = c.Value
			}
			line := fmt.Sprintf("%.0f of %.0f done, %.0f failed", counted[done], counted[total], counted[failed])
			if line != last {
				fmt.Fprintln(out, line)
			}
			last = line
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
