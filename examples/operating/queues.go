// Package operating shows what a program can do while work goes on: pause a queue, put dead letters back, delete what is
// old. The command stent does the same from a shell.
package operating

import (
	"context"
	"fmt"
	"io"

	"github.com/stentgo/stent/core"
)

// Maintenance keeps the payments from beginning while fn works on what they need.
func Maintenance(ctx context.Context, engine *core.Engine, fn func() error) error {
	if err := engine.PauseQueue(ctx, "payments", core.By("maintenance job")); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err // the queue stays paused until somebody has looked
	}
	return engine.ResumeQueue(ctx, "payments", core.By("maintenance job"))
}

// Paused tells which queues are paused, and by whom.
func Paused(ctx context.Context, engine *core.Engine, out io.Writer) error {
	paused, err := engine.PausedQueues(ctx)
	for _, q := range paused {
		fmt.Fprintf(out, "%s: paused by %s\n", q.Name, q.Actor)
	}
	return err
}
