package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite"
)

// dboses is DBOS Transact: workflows of steps, in the process that starts them or from a queue.
func dboses() []engine {
	const module = "github.com/dbos-inc/dbos-transact-golang"
	return []engine{
		{
			name: "dbos", module: module, settings: "defaults; queue with worker concurrency 100; SQLite: its own pragmas (NORMAL), FULL by a handle of ours",
			kinds: []string{"postgres", "sqlite"}, backlog: 400, open: openDBOS(false),
		},
		{
			name: "dbos tuned", module: module, settings: "50 connections, queue polled every 10 ms, results polled every 10 ms",
			kinds: []string{"postgres"}, backlog: 1000, open: openDBOS(true),
		},
	}
}

type dbosSession struct {
	ctx    dbos.Context
	queue  dbos.Queue
	tuned  bool
	remote bool

	launched bool
	done     func()
	begun    func(int64)
}

func openDBOS(tuned bool) func(context.Context, target) (session, error) {
	return func(ctx context.Context, t target) (session, error) {
		config := dbos.Config{
			AppName: "bench", Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), ExecutorID: fmt.Sprint("p", os.Getpid()),
		}
		if t.kind == "postgres" {
			pool := t.address
			if tuned {
				pool += "&pool_max_conns=50"
			}
			config.DatabaseURL = pool
		} else if t.full {
			db, err := sql.Open("sqlite", "file:"+t.address+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(ON)&_pragma=synchronous(FULL)&_txlock=immediate")
			if err != nil {
				return nil, err
			}
			config.SQLiteSystemDB = db
		} else {
			config.DatabaseURL = "sqlite:" + t.address
		}
		c, err := dbos.NewContext(ctx, config)
		if err != nil {
			return nil, err
		}
		s := &dbosSession{ctx: c, tuned: tuned}
		dbos.RegisterWorkflow(c, s.sequence, dbos.WithWorkflowName("sequence"))
		dbos.RegisterWorkflow(c, s.remotely, dbos.WithWorkflowName("remotely"))
		dbos.RegisterWorkflow(c, s.rootOnly, dbos.WithWorkflowName("root_only"))
		dbos.RegisterWorkflow(c, s.beginning, dbos.WithWorkflowName("beginning"))
		dbos.RegisterWorkflow(c, dbosNoop, dbos.WithWorkflowName("noop"))
		options := []dbos.QueueOption{dbos.WithWorkerConcurrency(100)}
		if tuned {
			options = append(options, dbos.WithQueueBasePollingInterval(10*time.Millisecond))
		}
		if s.queue, err = dbos.RegisterQueue(c, "work", options...); err != nil {
			return nil, err
		}
		return s, nil
	}
}

func (s *dbosSession) sequence(ctx dbos.Context, n int) (int, error) {
	for i := range n {
		if _, err := dbos.RunAsStep(ctx, func(context.Context) (int, error) { return i, nil }); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func dbosNoop(_ dbos.Context, n int) (int, error) { return n, nil }

// remotely has each activity run by whoever serves the queue.
func (s *dbosSession) remotely(ctx dbos.Context, n int) (int, error) {
	for i := range n {
		h, err := dbos.RunWorkflow(ctx, dbosNoop, i, dbos.WithQueue(s.queue))
		if err == nil {
			_, err = h.GetResult(s.polling()...)
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (s *dbosSession) rootOnly(_ dbos.Context, n int) (int, error) {
	if s.done != nil {
		s.done()
	}
	return n, nil
}

func (s *dbosSession) beginning(ctx dbos.Context, sent int64) (int, error) {
	return dbos.RunAsStep(ctx, func(context.Context) (int, error) {
		s.begun(sent)
		return 0, nil
	})
}

func (s *dbosSession) polling() []dbos.GetResultOption {
	if s.tuned {
		return []dbos.GetResultOption{dbos.WithHandlePollingInterval(10 * time.Millisecond)}
	}
	return nil
}

// Insert enqueues from 20 goroutines, for want of a batch. It has to be launched for that, and is, without its queue.
func (s *dbosSession) Insert(_ context.Context, n int) error {
	if !s.launched {
		if err := s.launchWithoutQueue(); err != nil {
			return err
		}
	}
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := range work {
				if _, errs[w] = dbos.RunWorkflow(s.ctx, s.rootOnly, i, dbos.WithQueue(s.queue)); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *dbosSession) Drain(_ context.Context, done func()) error {
	s.done = done
	s.ctx.ListenQueues(s.ctx, "work")
	return nil
}

func (s *dbosSession) Serve(context.Context) error { return dbos.Launch(s.ctx) }

func (s *dbosSession) ServeRemote(context.Context) error { return dbos.Launch(s.ctx) }

// ServeFlows leaves the queue to the other process.
func (s *dbosSession) ServeFlows(context.Context) error {
	s.remote = true
	return s.launchWithoutQueue()
}

func (s *dbosSession) launchWithoutQueue() error {
	s.launched = true
	if _, err := dbos.RegisterQueue(s.ctx, "other"); err != nil {
		return err
	}
	s.ctx.ListenQueues(s.ctx, "other")
	return dbos.Launch(s.ctx)
}

func (s *dbosSession) Flow(_ context.Context, activities int) error {
	wf := s.sequence
	if s.remote {
		wf = s.remotely
	}
	h, err := dbos.RunWorkflow(s.ctx, wf, activities)
	if err == nil {
		_, err = h.GetResult(s.polling()...)
	}
	return err
}

func (s *dbosSession) ServeStarts(_ context.Context, begun func(int64)) error {
	s.begun = begun
	return dbos.Launch(s.ctx)
}

func (s *dbosSession) Start(_ context.Context, sent int64) error {
	_, err := dbos.RunWorkflow(s.ctx, s.beginning, sent)
	return err
}

func (s *dbosSession) Close() error { dbos.Shutdown(s.ctx, time.Second); return nil }
