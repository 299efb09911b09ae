package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// rivers is River, a job queue: it has no workflows in its free edition, so its jobs stand beside root-only executions.
func rivers() []engine {
	const module = "github.com/riverqueue/river"
	return []engine{
		{
			name: "river", module: module, settings: "defaults, MaxWorkers 100, InsertMany in batches of 1000", kinds: []string{"postgres", "sqlite"},
			backlog: 2000, open: openRiver(false),
		},
		{
			name: "river tuned", module: module, settings: "FetchCooldown 1ms, FetchPollInterval 100ms, MaxWorkers 100; PostgreSQL: InsertManyFast (COPY), 20 connections",
			kinds: []string{"postgres", "sqlite"}, backlog: 20_000, open: openRiver(true),
		},
	}
}

type riverArgs struct {
	N    int   `json:"n"`
	Sent int64 `json:"sent"`
}

func (riverArgs) Kind() string { return "noop" }

type riverWorker struct {
	river.WorkerDefaults[riverArgs]
	done  func()
	begun func(int64)
}

func (w *riverWorker) Work(_ context.Context, job *river.Job[riverArgs]) error {
	if w.done != nil {
		w.done()
	}
	if w.begun != nil {
		w.begun(job.Args.Sent)
	}
	return nil
}

// riverSession is a session with River on either database; TTx is its transactions' type.
type riverSession[TTx any] struct {
	driver riverdriver.Driver[TTx]
	client *river.Client[TTx]
	worker *riverWorker
	fast   bool // COPY
	close  func()
}

func openRiver(tuned bool) func(context.Context, target) (session, error) {
	return func(ctx context.Context, t target) (session, error) {
		if t.kind == "postgres" {
			dsn := t.address
			if tuned {
				dsn += "&pool_max_conns=20"
			}
			pool, err := pgxpool.New(ctx, dsn)
			if err != nil {
				return nil, err
			}
			return newRiver(ctx, riverpgxv5.New(pool), tuned, tuned, pool.Close)
		}
		level := "NORMAL"
		if t.full {
			level = "FULL"
		}
		db, err := sql.Open("sqlite", "file:"+t.address+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous("+level+")")
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1) // as its documentation says
		return newRiver(ctx, riversqlite.New(db), tuned, false, func() { _ = db.Close() })
	}
}

func newRiver[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], tuned, fast bool, closing func()) (session, error) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	s := &riverSession[TTx]{driver: driver, worker: &riverWorker{}, fast: fast, close: closing}
	workers := river.NewWorkers()
	river.AddWorker(workers, s.worker)
	config := &river.Config{Logger: quiet, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}}}
	if tuned {
		config.FetchCooldown, config.FetchPollInterval = time.Millisecond, 100*time.Millisecond
	}
	s.client, err = river.NewClient(driver, config)
	return s, err
}

func (s *riverSession[TTx]) Close() error { s.close(); return nil }

func (s *riverSession[TTx]) Insert(ctx context.Context, n int) error {
	params := make([]river.InsertManyParams, n)
	for i := range params {
		params[i].Args = riverArgs{N: i}
	}
	if s.fast {
		_, err := s.client.InsertManyFast(ctx, params)
		return err
	}
	_, err := s.client.InsertMany(ctx, params)
	return err
}

func (s *riverSession[TTx]) Serve(ctx context.Context) error { return s.client.Start(ctx) }

func (s *riverSession[TTx]) Flow(context.Context, int) error { return errNotHad }

func (s *riverSession[TTx]) Drain(ctx context.Context, done func()) error {
	s.worker.done = done
	return s.Serve(ctx)
}

func (s *riverSession[TTx]) ServeStarts(ctx context.Context, begun func(int64)) error {
	s.worker.begun = begun
	return s.Serve(ctx)
}

func (s *riverSession[TTx]) Start(ctx context.Context, sent int64) error {
	_, err := s.client.Insert(ctx, riverArgs{Sent: sent}, nil)
	if err != nil {
		return fmt.Errorf("river: %w", err)
	}
	return nil
}
