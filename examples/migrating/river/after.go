package river

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

var (
	SendWelcome = core.NewActivity[int, bool]("send_welcome", core.Retry(core.RetryPolicy{MaxAttempts: 5}))
	Welcome     = core.NewWorkflow[int, bool]("welcome", core.Queue("mail"))
)

func welcome(flow *core.Flow, userID int) (bool, error) { return SendWelcome.Call(flow, userID) }

func stentEngine(db backend.Backend) (*core.Engine, error) {
	engine, err := core.New(db)
	if err != nil {
		return nil, err
	}
	return engine, engine.Register(
		Welcome.Handle(welcome),
		SendWelcome.Handle(func(ctx context.Context, userID int) (bool, error) { return true, sendWelcome(ctx, userID) }),
	)
}

func stentWork(ctx context.Context, engine *core.Engine) error {
	return engine.Serve(ctx, core.WorkerConfig{Slots: 50, Queues: []string{"mail"}})
}

func stentInsert(ctx context.Context, engine *core.Engine, tx pgx.Tx, userID int) error {
	_, err := Welcome.StartTx(ctx, engine, tx, userID, core.Delay(time.Hour), core.ID(fmt.Sprint("welcome-", userID)))
	return err
}
