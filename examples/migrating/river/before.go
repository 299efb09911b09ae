// Package river is a job of River's, and the same work with Stent: the code of docs/migrating/river.md.
package river

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

type WelcomeArgs struct {
	UserID int `json:"user_id"`
}

func (WelcomeArgs) Kind() string { return "welcome" }

type WelcomeWorker struct {
	river.WorkerDefaults[WelcomeArgs]
}

func (w *WelcomeWorker) Work(ctx context.Context, job *river.Job[WelcomeArgs]) error {
	return sendWelcome(ctx, job.Args.UserID)
}

func riverClient(pool *pgxpool.Pool) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &WelcomeWorker{})
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues:  map[string]river.QueueConfig{"mail": {MaxWorkers: 50}},
		Workers: workers,
	})
}

func riverInsert(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx, userID int) error {
	_, err := client.InsertTx(ctx, tx, WelcomeArgs{UserID: userID}, &river.InsertOpts{
		Queue: "mail", MaxAttempts: 5, ScheduledAt: time.Now().Add(time.Hour),
	})
	return err
}

func sendWelcome(context.Context, int) error { return nil }
