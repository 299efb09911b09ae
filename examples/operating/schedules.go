package operating

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/stentgo/stent/core"
)

// Late tells which schedules should have ticked, and have not.
func Late(ctx context.Context, engine *core.Engine, out io.Writer) error {
	schedules, err := engine.Schedules(ctx)
	for _, s := range schedules {
		if s.Overdue {
			fmt.Fprintf(out, "%s: due since %s\n", s.Name, s.Next.Format(time.RFC3339))
		}
	}
	return err
}

// Rehearse keeps a schedule from ticking, and begins its execution by hand.
func Rehearse(ctx context.Context, engine *core.Engine, name string) (execution string, err error) {
	if err := engine.PauseSchedule(ctx, name, core.By("anna")); err != nil {
		return "", err
	}
	return engine.TriggerSchedule(ctx, name, core.By("anna"))
}
