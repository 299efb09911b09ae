// Command cronreport mails a report of each day's sales in the night after it.
//
//	go run ./examples/cronreport                                      # at half past two, until Ctrl-C
//	go run ./examples/cronreport --cron "@every 2s" --reports 3       # to see it work
//
// Start it twice, on one file: each report is made once. Stop it for a while, and start it again: what was missed is made up
// for. The workflow is in report.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cronreport:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("cronreport", flag.ContinueOnError)
	flags.SetOutput(out)
	file := flags.String("db", "cronreport.sqlite", "the `file` that Stent keeps everything in")
	cron := flags.String("cron", "30 2 * * *", "when reports are made, an `expression`")
	zone := flags.String("location", "Europe/Berlin", "where that is meant, a `name`")
	most := flags.Int("reports", 0, "end after so many reports; 0 for never")
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
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	post := &post{out: out, most: *most, enough: stop}
	if err := engine.Register((&shop{sales: sales, mailed: post.mailed}).handlers()...); err != nil {
		return err
	}

	// Each time that the program begins: where nothing has changed, nothing is written.
	if err := reports.PutSchedule(ctx, engine, nightly(*cron, *zone), Settings{To: "sales@example.com", Zone: *zone}); err != nil {
		return err
	}
	status, err := engine.ScheduleStatus(ctx, "nightly")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The next report is due at %s.\n", status.Next.In(time.Local).Format(time.DateTime))
	return engine.Serve(ctx, core.WorkerConfig{})
}

// sales makes up the sales of a day.
func sales(day string) Totals {
	n := 0
	for _, c := range day {
		n = n*31 + int(c)
	}
	return Totals{Orders: n % 500, Cents: n % 500 * 1995}
}

// post shows the mails, and knows when there were enough of them.
type post struct {
	out    io.Writer
	most   int
	enough func()

	mu   sync.Mutex
	sent int
}

func (p *post) mailed(m Mail) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "To %s: %s: %s\n", m.To, m.Subject, m.Body)
	if p.sent++; p.sent == p.most {
		p.enough()
	}
}
