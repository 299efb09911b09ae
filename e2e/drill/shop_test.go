package drill_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/stentgo/stent/core"
)

// The shop's workflows. Each trouble of the story has a queue of its own, so that its alert has one cause.
var (
	validate = core.NewActivity[int, int]("validate_order")
	charge   = core.NewActivity[int, int]("charge_payment", core.Queue("billing"), core.SLO(0.99), core.MaxConcurrent(8))
	notify   = core.NewActivity[int, int]("send_notification", core.Queue("mail"))
	orders   = core.NewWorkflow[int, int]("order_workflow")

	fetchRate = core.NewActivity[int, int]("fetch_rate", core.Retry(core.RetryPolicy{MaxAttempts: 6, InitialDelay: 50 * time.Millisecond, BackoffFactor: 1}))
	rates     = core.NewWorkflow[int, int]("rates_workflow")

	printInvoice = core.NewActivity[int, int]("print_invoice")
	invoices     = core.NewWorkflow[int, int]("invoice_workflow")

	resize    = core.NewActivity[int, int]("resize_photo", core.Queue("photos"))
	taxReport = core.NewActivity[int, int]("tax_report", core.Queue("reports"), core.Tags("ledger"))
	export    = core.NewActivity[int, int]("export_orders", core.Queue("export"))
	bind      = core.NewActivity[int, int]("bind_book", core.Queue("bindery"))
	parse     = core.NewActivity[int, int]("parse_upload", core.Queue("fragile"))
	errands   = core.NewWorkflow[errand, int]("errand_workflow")
)

// errand is a workflow of one activity.
type errand struct {
	Activity string
	N        int
	Tags     []string // that the worker has to have
}

func runErrand(flow *core.Flow, e errand) (int, error) {
	for _, activity := range []*core.Activity[int, int]{resize, taxReport, export, bind, parse} {
		if activity.Name() == e.Activity {
			var opts []core.CallOption
			if len(e.Tags) > 0 {
				opts = append(opts, core.Tags(e.Tags...))
			}
			return activity.Call(flow, e.N, opts...)
		}
	}
	return 0, core.NonRetryable(errors.New("nobody does " + e.Activity))
}

// shop is what the activities of one process do, and what is wrong with it.
type shop struct {
	log *slog.Logger
	mu  sync.Mutex
	is  map[string]string // what is wrong, by name
}

func (s *shop) set(what, how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.is[what] = how
}

func (s *shop) get(what string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.is[what]
}

// handlers are those for some queues. Workflows are in the queue default.
func (s *shop) handlers(queues []string) (all []core.Handler) {
	by := map[string][]core.Handler{
		"default": {
			orders.Handle(s.order), rates.Handle(only(fetchRate)), invoices.Handle(only(printInvoice)), errands.Handle(runErrand),
			validate.Handle(step(s, 5*time.Millisecond, nil)),
			fetchRate.Handle(step(s, time.Millisecond, func(ctx context.Context) error {
				if info, _ := core.InfoFrom(ctx); s.get("rates") == "flaky" && info.Attempt < 4 {
					return errors.New("503 Service Unavailable")
				}
				return nil
			})),
			printInvoice.Handle(step(s, 10*time.Millisecond, func(context.Context) error {
				if s.get("printer") == "out of paper" {
					return core.NonRetryable(errors.New("out of paper"))
				}
				return nil
			})),
		},
		"billing": {charge.Handle(step(s, 30*time.Millisecond, func(ctx context.Context) error {
			switch s.get("gateway") {
			case "slow":
				return work(ctx, 4*time.Second)
			case "closed":
				return core.NonRetryable(errors.New("the account at the gateway is closed"))
			}
			return nil
		}))},
		"mail": {notify.Handle(step(s, 20*time.Millisecond, func(ctx context.Context) error {
			if s.get("mail server") == "hangs" {
				<-ctx.Done()
			}
			return ctx.Err()
		}))},
		"photos":  {resize.Handle(step(s, 10*time.Millisecond, nil))},
		"reports": {taxReport.Handle(step(s, 50*time.Millisecond, nil))},
		"export":  {export.Handle(step(s, 50*time.Millisecond, nil))},
		"bindery": {bind.Handle(step(s, 2*time.Second, nil))},
		"fragile": {parse.Handle(step(s, time.Millisecond, func(ctx context.Context) error {
			for s.get("upload") != "read" { // all recorders tell that it began
				if err := work(ctx, 10*time.Millisecond); err != nil {
					return err
				}
			}
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}))},
	}
	for _, q := range queues {
		all = append(all, by[q]...)
	}
	return all
}

// order is the guide's workflow.
func (s *shop) order(flow *core.Flow, n int) (int, error) {
	s.log.InfoContext(flow.Context(), "an order has come", "order", n)
	for _, activity := range []*core.Activity[int, int]{validate, charge, notify} {
		if _, err := activity.Call(flow, n); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// only is a workflow of one activity.
func only(activity *core.Activity[int, int]) func(*core.Flow, int) (int, error) {
	return func(flow *core.Flow, n int) (int, error) { return activity.Call(flow, n) }
}

// step is an activity that takes a while, and then does what may go wrong.
func step(s *shop, takes time.Duration, does func(ctx context.Context) error) func(context.Context, int) (int, error) {
	return func(ctx context.Context, n int) (int, error) {
		s.log.InfoContext(ctx, "at work", "order", n)
		if err := work(ctx, takes*time.Duration(50+n*37%100)/100); err != nil || does == nil { // around so long
			return n, err
		}
		return n, does(ctx)
	}
}

func work(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
