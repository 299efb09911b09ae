package demo

import (
	"context"

	"github.com/stentgo/stent/core/backend"
)

// Tally counts what the demo has done, and what it leaves. Completed is since it began; the others are as they are in
// the database, but for Retried, which only this process knows.
type Tally struct {
	Started      int   `json:"started"`
	Completed    int64 `json:"completed"`
	Retried      int64 `json:"retried"`
	DeadLettered int64 `json:"dead_lettered"`
	Waiting      int64 `json:"waiting"`
}

func (r *runner) tally(ctx context.Context) (Tally, error) {
	stats, err := r.db.Stats(ctx)
	if err != nil {
		return Tally{}, err
	}
	waiting, err := waitingOrders(ctx, r.db)
	if err != nil {
		return Tally{}, err
	}
	t := Tally{
		Started:   r.stream.placed,
		Completed: stats.Executions[backend.Completed] - r.before,
		Retried:   r.shop.retried.Load(),
		Waiting:   int64(len(waiting)),
	}
	for _, q := range stats.Queues {
		t.DeadLettered += q.Dead
	}
	return t, nil
}
