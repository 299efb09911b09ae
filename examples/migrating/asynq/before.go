// Package asynq is a task of asynq's, and the same work with Stent: the code of docs/migrating/asynq.md.
package asynq

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
)

type Picture struct {
	Source string `json:"source"`
}

func asynqEnqueue(client *asynq.Client, p Picture) error {
	payload, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = client.Enqueue(asynq.NewTask("image:resize", payload),
		asynq.MaxRetry(5), asynq.Timeout(20*time.Minute), asynq.Queue("low"), asynq.TaskID("resize:"+p.Source))
	return err
}

func asynqWork(redis asynq.RedisClientOpt) error {
	server := asynq.NewServer(redis, asynq.Config{Concurrency: 10, Queues: map[string]int{"critical": 6, "low": 1}})
	mux := asynq.NewServeMux()
	mux.HandleFunc("image:resize", func(ctx context.Context, t *asynq.Task) error {
		var p Picture
		if err := json.Unmarshal(t.Payload(), &p); err != nil {
			return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
		}
		return resize(ctx, p)
	})
	return server.Run(mux)
}

func resize(context.Context, Picture) error { return nil }
