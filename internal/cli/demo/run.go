package demo

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Config says what a demo does.
type Config struct {
	DB   backend.Backend
	Log  slog.Handler  // of the engine and the shop
	For  time.Duration // 0 until the context ends
	Rate float64       // orders a second
	Seed uint64

	// Summary is called every few seconds; an error ends the demo.
	Summary func(Tally) error
	// Options are more options of the engine: whoever wants to measure it passes its recorder here.
	Options []core.Option
}

// Report is what a demo leaves behind: ids to look at, "" where there is none.
type Report struct {
	Tally
	RetriedID    string `json:"retried_execution"`
	DeadLetterID string `json:"dead_letter_task"`
	WaitingID    string `json:"waiting_execution"`
}

// How often things happen beside the orders.
const (
	summaryEvery = 3 * time.Second
	approveEvery = time.Second
	drainTime    = 5 * time.Second
	leaseTime    = 5 * time.Second // so that a demo that was killed goes on soon in the next
)

// runner is one demo.
type runner struct {
	cfg      Config
	db       backend.Backend
	engine   *core.Engine
	shop     *shop
	stream   *stream
	approver *approver
	before   int64 // executions that were completed before
}

// Run takes orders until the time is over or the context ends, lets the worker finish what it has begun, and reports.
// That the context ends is no error.
func Run(ctx context.Context, cfg Config) (Report, error) {
	r, err := newRunner(ctx, cfg)
	if err != nil {
		return Report{}, err
	}
	if err := r.serve(ctx); err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return r.report(ctx)
}

func newRunner(ctx context.Context, cfg Config) (*runner, error) {
	r := &runner{cfg: cfg, db: cfg.DB}
	r.shop = &shop{log: slog.New(taskHandler{cfg.Log}), opened: time.Now(), rand: rand.New(rand.NewPCG(cfg.Seed, 2))}
	var err error
	r.engine, err = core.New(cfg.DB, append([]core.Option{core.WithLogger(slog.New(cfg.Log))}, cfg.Options...)...)
	if err != nil {
		return nil, err
	}
	if err := r.engine.Register(r.shop.handlers()...); err != nil {
		return nil, err
	}
	if r.stream, err = newStream(ctx, r.engine, cfg.DB, cfg.Seed); err != nil {
		return nil, err
	}
	r.approver = &approver{engine: r.engine, db: cfg.DB, log: r.shop.log}
	stats, err := cfg.DB.Stats(ctx)
	r.before = stats.Executions[backend.Completed]
	return r, err
}

// serve runs the worker beside the shop, and stops it when the shop closes.
func (r *runner) serve(ctx context.Context) error {
	work, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		served <- r.engine.Serve(work, core.WorkerConfig{Slots: 20, Tags: []string{"billing"}, Lease: leaseTime, DrainTimeout: drainTime, Name: "demo"})
		stop() // a worker that cannot serve closes the shop
	}()
	err := r.open(work)
	stop()
	return errors.Join(err, <-served)
}

// open takes orders until it is time to close.
func (r *runner) open(ctx context.Context) error {
	orders := time.NewTicker(time.Duration(float64(time.Second) / r.cfg.Rate))
	defer orders.Stop()
	approve := time.NewTicker(approveEvery)
	defer approve.Stop()
	summary := time.NewTicker(summaryEvery)
	defer summary.Stop()
	var closing <-chan time.Time // never, unless asked for
	if r.cfg.For > 0 {
		closing = time.After(r.cfg.For)
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-closing:
			return nil
		case <-orders.C:
			err = r.stream.next(ctx)
		case <-approve.C:
			err = r.approver.look(ctx, r.stream.large)
		case <-summary.C:
			err = r.summarize(ctx)
		}
		if ctx.Err() != nil {
			return nil // whatever was under way was cut short
		}
		if err != nil {
			return err
		}
	}
}

func (r *runner) summarize(ctx context.Context) error {
	t, err := r.tally(ctx)
	if err != nil {
		return err
	}
	return r.cfg.Summary(t)
}

// report finds things that are worth a look.
func (r *runner) report(ctx context.Context) (Report, error) {
	t, err := r.tally(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Tally: t}
	report.RetriedID = r.shop.hardest()
	if report.DeadLetterID, err = r.curable(ctx); err != nil {
		return Report{}, err
	}
	waiting, err := waitingOrders(ctx, r.db)
	if slices.Contains(waiting, r.stream.large) {
		report.WaitingID = r.stream.large
	} else if len(waiting) > 0 {
		report.WaitingID = waiting[0]
	}
	return report, err
}

// curable is a dead letter that a replay mends: one of an outage, or else any. Its execution must have failed; one that
// the shop's closing has caught in between fails only when a worker comes to it again.
func (r *runner) curable(ctx context.Context) (string, error) {
	letters, err := r.db.DeadLetters(ctx, backend.DeadLetterFilter{Limit: 100})
	if err != nil {
		return "", err
	}
	found := ""
	for _, d := range letters {
		x, err := r.db.Execution(ctx, d.Task.Execution)
		if err != nil && !errors.Is(err, backend.ErrNotFound) { // it may be gone before its dead letter
			return "", err
		}
		if x.State != backend.Failed {
			continue
		}
		if found = d.Task.String(); d.Attempts > 1 {
			break
		}
	}
	return found, nil
}
