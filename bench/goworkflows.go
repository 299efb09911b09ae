package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/postgres"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"
	"github.com/jackc/pgx/v5"
)

// goWorkflows is go-workflows. Its SQLite backend leaves synchronous at SQLite's own default, FULL.
func goWorkflows() []engine {
	const module = "github.com/cschleiden/go-workflows"
	return []engine{
		{name: "go-workflows", module: module, settings: "defaults; PostgreSQL: at most 50 connections, since without a limit it takes more than the server has", kinds: []string{"postgres", "sqlite"}, backlog: 100, open: openGoWorkflows(nil)},
		{
			name: "go-workflows tuned", module: module, settings: "single worker mode, 4 pollers, polled every 5 ms, 1000 executors cached", kinds: []string{"postgres", "sqlite"}, backlog: 100,
			open: openGoWorkflows(&worker.Options{
				WorkflowWorkerOptions: worker.WorkflowWorkerOptions{
					WorkflowPollers: 4, WorkflowPollingInterval: 5 * time.Millisecond, WorkflowHeartbeatInterval: 25 * time.Second,
					WorkflowExecutorCacheSize: 1000, WorkflowExecutorCacheTTL: 10 * time.Second,
				},
				ActivityWorkerOptions: worker.ActivityWorkerOptions{
					ActivityPollers: 4, ActivityPollingInterval: 5 * time.Millisecond, ActivityHeartbeatInterval: 25 * time.Second,
				},
				SingleWorkerMode: true,
			}),
		},
	}
}

type goWorkflowsSession struct {
	backend backend.Backend
	client  *client.Client
	options *worker.Options
}

func openGoWorkflows(options *worker.Options) func(context.Context, target) (session, error) {
	return func(_ context.Context, t target) (session, error) {
		if t.kind == "sqlite" && !t.full {
			return nil, errNotHad // it has no such option
		}
		quiet := backend.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
		var b backend.Backend
		if t.kind == "postgres" {
			c, err := pgx.ParseConfig(t.address)
			if err != nil {
				return nil, err
			}
			b = postgres.NewPostgresBackend(c.Host, int(c.Port), c.User, "none", c.Database, postgres.WithBackendOptions(quiet),
				postgres.WithPostgresOptions(func(db *sql.DB) { db.SetMaxOpenConns(50); db.SetMaxIdleConns(50) }))
		} else {
			b = sqlite.NewSqliteBackend(t.address, sqlite.WithBackendOptions(quiet))
		}
		return &goWorkflowsSession{b, client.New(b), options}, nil
	}
}

func goWorkflowsNoop(_ context.Context, n int) (int, error) { return n, nil }

func goWorkflowsSequence(ctx workflow.Context, n int) (int, error) {
	for i := range n {
		if _, err := workflow.ExecuteActivity[int](ctx, workflow.DefaultActivityOptions, goWorkflowsNoop, i).Get(ctx); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (s *goWorkflowsSession) Serve(ctx context.Context) error {
	w := worker.New(s.backend, s.options)
	if err := w.RegisterWorkflow(goWorkflowsSequence); err != nil {
		return err
	}
	if err := w.RegisterActivity(goWorkflowsNoop); err != nil {
		return err
	}
	return w.Start(ctx)
}

func (s *goWorkflowsSession) ServeFlows(ctx context.Context) error {
	var options *worker.WorkflowWorkerOptions
	if s.options != nil {
		options = &s.options.WorkflowWorkerOptions
	}
	w := worker.NewWorkflowWorker(s.backend, options)
	if err := w.RegisterWorkflow(goWorkflowsSequence); err != nil {
		return err
	}
	return w.Start(ctx)
}

func (s *goWorkflowsSession) ServeRemote(ctx context.Context) error {
	var options *worker.ActivityWorkerOptions
	if s.options != nil {
		options = &s.options.ActivityWorkerOptions
	}
	w := worker.NewActivityWorker(s.backend, options)
	if err := w.RegisterActivity(goWorkflowsNoop); err != nil {
		return err
	}
	return w.Start(ctx)
}

func (s *goWorkflowsSession) Flow(ctx context.Context, activities int) error {
	wf, err := s.client.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: rand.Text()}, goWorkflowsSequence, activities)
	if err != nil {
		return err
	}
	n, err := client.GetWorkflowResult[int](ctx, s.client, wf, time.Minute)
	if err == nil && n != activities {
		err = fmt.Errorf("go-workflows: result %d", n)
	}
	return err
}

func (s *goWorkflowsSession) Close() error { return nil }
