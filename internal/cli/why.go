package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
)

func (a *app) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why ID",
		Short: "Say why an execution is not done, or how it ended, and what helps",
		Long: `Say in one sentence why an execution has not gone further, or has ended as it did, and print the command that helps.

What keeps it from going on (a paused queue, no worker, no handler, a limit, a dead worker's lease) is told before what it
merely waits for (a signal, a child, a retry, a time), and that before what is at work.`,
		Example: `  stent why order-1003
  stent why order-1003 --json | jq -r .reason`,
		Args:              arguments(1, 1, "an execution's id, as in `stent why order-1003`"),
		ValidArgsFunction: a.completeExecutions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.why(cmd.Context(), args[0]) },
	}
}

func (a *app) why(ctx context.Context, typed string) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := findExecution(ctx, db, typed)
	if err != nil {
		return err
	}
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	because, err := engine.Why(ctx, id)
	if err != nil {
		return err
	}
	r := remedyOf(because)
	if a.json {
		return a.printJSON(whyShape{
			ExecutionID: because.Execution, Reason: because.Reason, Sentence: because.Sentence(nil), TaskID: because.Task.String(),
			Step: because.Step, Queue: because.Queue, UntilAt: shapeTime(because.Until), Child: shapeText(because.Child),
			Command: shapeText(r.typed("stent")), Hint: r.hint,
		})
	}
	a.screen.printf("%s.\n", clean(because.Sentence(a.screen.date)))
	if r.hint != "" {
		a.screen.printf("%s.\n", clean(r.hint))
	}
	if len(r.command) > 0 {
		a.screen.printf("\n  %s\n", a.screen.paint(cyan, clean(r.typed(a.program))))
	}
	return nil
}

// remedy is what helps: what to do, and a command that is part of it.
type remedy struct {
	hint    string
	command []string
}

func (r remedy) typed(program string) string {
	if len(r.command) == 0 {
		return ""
	}
	words := []string{program}
	for _, word := range r.command {
		words = append(words, quoted(word))
	}
	return strings.Join(words, " ")
}

func remedyOf(because core.Explanation) remedy {
	id := because.Execution
	switch because.Reason {
	case core.ReasonDeadLettered:
		return remedy{"When the cause is mended, this puts it back to work, and the execution goes on from there",
			[]string{"dlq", "replay", because.Task.String()}}
	case core.ReasonNonDeterminism:
		return remedy{"Restore the order of the workflow's calls, or give the new call a key of its own, deploy that, and then replay",
			[]string{"dlq", "replay", because.Task.String()}}
	case core.ReasonPaused:
		return remedy{"", []string{"queue", "resume", because.Queue}}
	case core.ReasonNoWorker:
		return remedy{fmt.Sprintf("Start a program whose WorkerConfig.Queues names %q; this lists what queues there are", because.Queue),
			[]string{"stats"}}
	case core.ReasonNoHandler:
		return remedy{fmt.Sprintf("Deploy a program that registers %q and serves the queue; this shows what waits for it", because.Step),
			[]string{"tasks", "--execution", id}}
	case core.ReasonNoTag:
		return remedy{"Start a worker that has one of the tags; this shows what waits for it", []string{"tasks", "--execution", id}}
	case core.ReasonLimit:
		return remedy{"This shows what holds the places", []string{"tasks", "--state", "running"}}
	case core.ReasonBusy, core.ReasonDeadWorker:
		return remedy{"This shows what the workers do", []string{"tasks", "--state", "running"}}
	case core.ReasonSignal:
		return remedy{"Put the payload that the workflow expects in the place of null", []string{"signal", id, because.Step, "null"}}
	case core.ReasonChild:
		return remedy{"This tells why the child is not done", []string{"why", because.Child}}
	case core.ReasonFailed, core.ReasonTimedOut, core.ReasonCancelled, core.ReasonCompleted,
		core.ReasonBackingOff, core.ReasonRunning, core.ReasonDelayed, core.ReasonSleeping, core.ReasonCancelling:
		return remedy{"", []string{"show", id}}
	}
	return remedy{}
}

// whyShape is `stent why --json`.
type whyShape struct {
	ExecutionID string      `json:"execution_id"`
	Reason      core.Reason `json:"reason"`
	Sentence    string      `json:"sentence"`
	TaskID      string      `json:"task_id"`
	Step        string      `json:"step"`
	Queue       string      `json:"queue"`
	UntilAt     *time.Time  `json:"until_at"`
	Child       *string     `json:"child"`
	Command     *string     `json:"command"`
	Hint        string      `json:"hint"`
}
