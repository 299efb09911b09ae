// Command approval pays an expense back when a person has approved it, from another terminal.
//
//	go run ./examples/approval submit lunch 42
//	go run ./examples/approval approve expense-1
//
// While it waits, the first may be stopped with Ctrl-C, for as long as you like; an answer that comes meanwhile is kept.
// The workflow is in approval.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"strconv"
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
		fmt.Println("Interrupted, and nothing is lost. To wait on, run the same command again.")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "approval:", err)
		os.Exit(1)
	}
}

const usage = "approval [--db FILE] submit [--id ID] [--patience 1h] WHAT AMOUNT, or approval [--db FILE] approve|reject ID"

var errUsage = errors.New("usage: " + usage)

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("approval", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() { fmt.Fprintln(out, "usage:", usage); flags.PrintDefaults() }
	file := flags.String("db", "approval.sqlite", "the `file` that Stent keeps everything in")
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
	desk := &desk{engine: engine, file: *file, out: out}
	switch command := flags.Arg(0); {
	case command == "submit":
		return desk.submit(ctx, flags.Args()[1:])
	case (command == "approve" || command == "reject") && flags.NArg() == 2:
		return desk.decide(ctx, flags.Arg(1), command == "approve")
	}
	return errUsage
}

// desk is where expenses are handed in and decided on.
type desk struct {
	engine *core.Engine
	file   string

	mu  sync.Mutex
	out io.Writer
}

func (d *desk) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, format, args...)
}

func (d *desk) submit(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("submit", flag.ContinueOnError)
	flags.SetOutput(d.out)
	id := flags.String("id", "expense-1", "the `name` of the expense")
	patience := flags.Duration("patience", time.Hour, "how long each of the two who decide has time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	amount, numeric := strconv.Atoi(flags.Arg(1))
	if flags.NArg() != 2 || numeric != nil {
		return errUsage
	}
	if err := d.engine.Register(expenses.Handle(approveExpense), ask.Handle(d.ask), pay.Handle(d.pay)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- d.engine.Serve(work, core.WorkerConfig{Lease: 2 * time.Second}) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()

	run, err := expenses.Start(ctx, d.engine, Expense{What: flags.Arg(0), Amount: amount, Patience: *patience}, core.ID(*id))
	if errors.Is(err, core.ErrAlreadyExists) {
		return fmt.Errorf("%s is another expense already: choose a name with --id", *id)
	}
	if err != nil {
		return err
	}
	if run.Existed {
		d.say("%s was handed in before; waiting on.\n", *id)
	}
	outcome, err := run.Wait(ctx)
	if err != nil {
		return err
	}
	if outcome.Paid {
		d.say("Paid, %s: %s\n", outcome.Why, outcome.Receipt)
	} else {
		d.say("Not paid: %s\n", outcome.Why)
	}
	d.say("What happened, step by step: go run ./cmd/stent --db %q show %s\n", d.file, *id)
	return nil
}

// ask stands for a mail. A second one, after a crash between sending and noting it, would do no harm.
func (d *desk) ask(ctx context.Context, q Question) (bool, error) {
	task, _ := core.InfoFrom(ctx)
	d.say("To the %s: may %q be paid back for %d? You have %v. In another terminal:\n", q.To, q.Expense.What, q.Expense.Amount, q.Expense.Patience)
	d.say("  go run ./examples/approval --db %q approve %s\n  go run ./examples/approval --db %q reject %s\n", d.file, task.ExecutionID, d.file, task.ExecutionID)
	return true, nil
}

// pay stands for a bank, which is given the task's id so that it pays once.
func (d *desk) pay(ctx context.Context, e Expense) (string, error) {
	task, _ := core.InfoFrom(ctx)
	return fmt.Sprintf("%d with reference %s", e.Amount, task.TaskID), nil
}

func (d *desk) decide(ctx context.Context, id string, approved bool) error {
	by := "somebody"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	switch err := decisions.Send(ctx, d.engine, id, Decision{Approved: approved, By: by}); {
	case errors.Is(err, core.ErrNotFound):
		return fmt.Errorf("there is no expense %s in %q", id, d.file)
	case errors.Is(err, core.ErrFinished):
		return fmt.Errorf("%s has been decided on already", id)
	case err != nil:
		return err
	}
	d.say("%s will have your answer.\n", id)
	return nil
}
