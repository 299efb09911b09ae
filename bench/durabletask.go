package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/microsoft/durabletask-go/api"
	"github.com/microsoft/durabletask-go/backend"
	"github.com/microsoft/durabletask-go/backend/postgres"
	"github.com/microsoft/durabletask-go/backend/sqlite"
	"github.com/microsoft/durabletask-go/task"
)

// durableTasks is durabletask-go, the engine of Dapr's workflows.
func durableTasks() []engine {
	const module = "github.com/microsoft/durabletask-go"
	return []engine{
		{name: "durabletask", module: module, settings: "defaults", kinds: []string{"postgres", "sqlite"}, backlog: 100, open: openDurableTask(1)},
		{name: "durabletask tuned", module: module, settings: "100 work items at once", kinds: []string{"postgres", "sqlite"}, backlog: 100, open: openDurableTask(100)},
	}
}

type durableTaskSession struct {
	client backend.TaskHubClient
	worker backend.TaskHubWorker
}

func openDurableTask(parallel int32) func(context.Context, target) (session, error) {
	return func(ctx context.Context, t target) (session, error) {
		var be backend.Backend
		if t.kind == "postgres" {
			c, err := pgx.ParseConfig(t.address)
			if err != nil {
				return nil, err
			}
			be = postgres.NewPostgresBackend(postgres.NewPostgresOptions(c.Host, c.Port, c.Database, c.User, c.Password), silent{})
		} else {
			if !t.full {
				return nil, errNotHad // it has no such option
			}
			be = sqlite.NewSqliteBackend(sqlite.NewSqliteOptions(t.address), silent{})
		}
		r := task.NewTaskRegistry()
		if err := r.AddActivityN("noop", func(ctx task.ActivityContext) (any, error) {
			var n int
			err := ctx.GetInput(&n)
			return n, err
		}); err != nil {
			return nil, err
		}
		if err := r.AddOrchestratorN("sequence", func(ctx *task.OrchestrationContext) (any, error) {
			var n int
			if err := ctx.GetInput(&n); err != nil {
				return nil, err
			}
			for i := range n {
				if err := ctx.CallActivity("noop", task.WithActivityInput(i)).Await(nil); err != nil {
					return nil, err
				}
			}
			return n, nil
		}); err != nil {
			return nil, err
		}
		executor := task.NewTaskExecutor(r)
		limit := backend.WithMaxParallelism(parallel)
		worker := backend.NewTaskHubWorker(be,
			backend.NewOrchestrationWorker(be, executor, silent{}, limit), backend.NewActivityTaskWorker(be, executor, silent{}, limit), silent{})
		return &durableTaskSession{backend.NewTaskHubClient(be), worker}, nil
	}
}

func (s *durableTaskSession) Serve(ctx context.Context) error { return s.worker.Start(ctx) }

func (s *durableTaskSession) Flow(ctx context.Context, activities int) error {
	id, err := s.client.ScheduleNewOrchestration(ctx, "sequence", api.WithInput(activities))
	if err != nil {
		return err
	}
	m, err := s.client.WaitForOrchestrationCompletion(ctx, id)
	if err == nil && m.FailureDetails != nil {
		err = fmt.Errorf("durabletask: %s", m.FailureDetails.GetErrorMessage())
	}
	return err
}

func (s *durableTaskSession) Close() error { return nil }

// silent is its logger.
type silent struct{}

func (silent) Debug(...any)          {}
func (silent) Debugf(string, ...any) {}
func (silent) Info(...any)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Warn(...any)           {}
func (silent) Warnf(string, ...any)  {}
func (silent) Error(...any)          {}
func (silent) Errorf(string, ...any) {}
