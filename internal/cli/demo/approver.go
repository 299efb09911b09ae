package demo

import (
	"context"
	"errors"
	"log/slog"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// approver is the person who agrees to large orders, a few seconds after they came: also to those that an earlier demo
// has left, but not to the one that is kept for whoever watches.
type approver struct {
	engine *core.Engine
	db     backend.Inspector
	log    *slog.Logger
	seen   map[string]int // how often an execution was found waiting
}

// patience is how many looks the approver takes before it agrees; there is one a second.
const patience = 3

func (a *approver) look(ctx context.Context, keep string) error {
	ids, err := waitingOrders(ctx, a.db)
	if err != nil {
		return err
	}
	still := map[string]int{}
	for _, id := range ids {
		if id == keep {
			continue
		}
		still[id] = a.seen[id] + 1
		if still[id] != patience {
			continue
		}
		err := approval.Send(ctx, a.engine, id, Decision{Approved: true, By: "demo"})
		if err != nil && !errors.Is(err, core.ErrFinished) {
			return err
		}
		a.log.Info("large order approved", "stent_execution_id", id)
	}
	a.seen = still
	return nil
}

// waitingOrders are the executions that wait for an approval.
func waitingOrders(ctx context.Context, db backend.Inspector) ([]string, error) {
	tasks, err := db.Tasks(ctx, backend.TaskFilter{
		States: []backend.State{backend.Waiting}, Kinds: []backend.Kind{backend.SignalWait},
	})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, t := range tasks {
		if t.Step == approval.Name() {
			ids = append(ids, t.ID.Execution)
		}
	}
	return ids, nil
}
