package operating

import (
	"context"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

const day = 24 * time.Hour

// Keep is how long this shop keeps what has ended: what failed the longest, so that it can be replayed.
func Keep() core.Option {
	return core.WithRetention(core.Retention{
		Completed: 7 * day,
		Cancelled: 7 * day,
		Failed:    90 * day,
		TimedOut:  90 * day,
	})
}

// MakeRoom deletes at once what completed over a day ago, and tells how many executions that were.
func MakeRoom(ctx context.Context, engine *core.Engine) (int, error) {
	report, err := engine.Cleanup(ctx, core.Cleanup{OlderThan: day, States: []backend.State{backend.Completed}, Actor: "anna"})
	return report.Deleted, err
}
