package core_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/stentgo/stent/core"
)

// report tells what a program can know of its database and of itself.
func report(ctx context.Context, out io.Writer, engine *core.Engine) error {
	total, err := engine.QueueDepth(ctx, "") // of all queues together
	if err != nil {
		return err
	}
	billing, err := engine.QueueDepth(ctx, "billing")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d tasks are due, %d of them in the queue billing\n", total, billing)

	running, err := engine.RunningActivities(ctx)
	if err != nil {
		return err
	}
	for _, task := range running {
		fmt.Fprintf(out, "%s: %s since %v on %s\n", task.ID, task.Step, task.Started, task.Worker)
	}

	workers := engine.WorkerStatus() // of this process; it asks nothing of the database
	fmt.Fprintln(out, "ready:", workers.Ready, "draining:", workers.Draining)
	for _, w := range workers.Workers {
		fmt.Fprintf(out, "%s uses %d of %d slots\n", w.State, w.SlotsUsed, w.Slots)
	}
	return nil
}

// progress tells how far an execution is.
func progress(ctx context.Context, out io.Writer, engine *core.Engine, id string) error {
	state, err := engine.StateOf(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is %s\n", state.ID, state.State)
	for _, p := range state.Progress {
		fmt.Fprintf(out, "  %s %s\n", p.Step, p.State)
	}
	for _, c := range state.Counters {
		fmt.Fprintf(out, "  %s: %g\n", c.Name, c.Value)
	}
	return nil
}

func ExampleEngine_StateOf() {
	ctx := context.Background()
	wf := core.NewWorkflow[[]Line, int]("count_lines")
	engine, stop := serve(
		wf.Handle(func(flow *core.Flow, lines []Line) (int, error) {
			reserved, err := Reserve.Map(flow, lines)
			flow.Counter("progress").Add(float64(len(reserved)))
			return len(reserved), err
		}),
		Reserve.Handle(func(_ context.Context, l Line) (string, error) { return l.Item, nil }),
	)
	defer stop()
	run, err := wf.Start(ctx, engine, []Line{{"tea", 1}}, core.ID("lines-1"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := run.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	if err := progress(ctx, os.Stdout, engine, "lines-1"); err != nil {
		log.Fatal(err)
	}
	if err := report(ctx, os.Stdout, engine); err != nil {
		log.Fatal(err)
	}
	letters, err := engine.DeadLetters(ctx, core.DeadLetterFilter{Limit: 100})
	fmt.Println(len(letters), "dead letters,", err)
	// Output:
	// lines-1 is completed
	//   count_lines running
	//   reserve completed
	//   count_lines completed
	//   progress: 1
	// 0 tasks are due, 0 of them in the queue billing
	// ready: true draining: false
	// ready uses 0 of 10 slots
	// 0 dead letters, <nil>
}
