package cli

import (
	"context"
	"encoding/json"
	"math"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) showCommand() *cobra.Command {
	var history, follow bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one execution, step by step",
		Long: `Show one execution: its state, its steps, what it has told about itself, and how it ended.

ID is an execution's id, or the beginning of one that no other id has.

  >  began, or is running      +  completed      ~  waits
  x  failed or timed out       -  cancelled

With --follow --json each line is an object: a step as {"progress": ...}, and last the whole as {"execution": ...}. The exit
code does not tell how the execution ended.`,
		Example: `  stent show 550e8400-e29b-41d4-a716-446655440000
  stent show order-1003 --json | jq .result
  stent show order-1003 --follow               what happens, as it happens, until it has ended
  stent show order-1003 --history > testdata/order.json`,
		Args:              arguments(1, 1, "an execution's id, as in `stent show order-1003`"),
		ValidArgsFunction: a.completeExecutions,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case history && follow:
				return usagef("--history and --follow exclude each other")
			case history:
				return a.history(cmd.Context(), args[0])
			case follow:
				return a.follow(cmd.Context(), args[0])
			}
			return a.show(cmd.Context(), args[0])
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on printing what happens until the execution has ended")
	cmd.Flags().BoolVar(&history, "history", false, "print the history as JSON, to check new code against it in a test: see stenttest.AssertReplays")
	return cmd
}

// history exports an execution's history.
func (a *app) history(ctx context.Context, typed string) error {
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
	data, err := engine.ExportHistory(ctx, id)
	if err != nil {
		return err
	}
	a.screen.printf("%s", data)
	return nil
}

func (a *app) show(ctx context.Context, typed string) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := readDetail(ctx, db, typed)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(shapeDetail(d))
	}
	a.screen.detail(d)
	return nil
}

// detail is all that show tells about an execution.
type detail struct {
	core.Snapshot
	story   []event
	letters []backend.DeadLetter
}

func readDetail(ctx context.Context, db backend.Backend, typed string) (detail, error) {
	id, err := findExecution(ctx, db, typed)
	if err != nil {
		return detail{}, err
	}
	engine, err := core.New(db)
	if err != nil {
		return detail{}, err
	}
	d := detail{}
	if d.Snapshot, err = engine.StateOf(ctx, id); err != nil {
		return detail{}, err
	}
	tasks, err := listTasks(ctx, db, backend.TaskFilter{Execution: id}, math.MaxInt)
	if err != nil {
		return detail{}, err
	}
	d.story = tell(d.Snapshot, tasks)
	d.letters, err = listDeadLetters(ctx, engine, core.DeadLetterFilter{Execution: id}, math.MaxInt)
	return d, err
}

func (s *screen) detail(d detail) {
	s.field("ID", clean(d.ID))
	if d.Parent != nil {
		s.field("Parent", clean(d.Parent.Execution))
	}
	s.field("State", s.paint(colorOf(d.State), string(d.State)))
	if !d.Started.IsZero() {
		s.field("Started At", s.date(d.Started))
	} else {
		s.field("Created At", s.date(d.Created))
		if d.Due.After(d.Created) { // its start was delayed
			s.field("Due At", s.date(d.Due))
		}
	}
	if !d.Deadline.IsZero() && d.Finished.IsZero() {
		s.field("Deadline", s.date(d.Deadline))
	}
	if !d.CancelRequested.IsZero() {
		s.field("Cancel Requested At", s.date(d.CancelRequested))
	}
	if !d.Finished.IsZero() {
		s.field(ending(d.State), s.date(d.Finished))
	}
	if d.Run > 1 {
		s.field("Run", number(float64(d.Run)))
	}
	if len(d.story) > 0 {
		s.section("Progress")
		for _, e := range d.story {
			s.event(e)
		}
	}
	if len(d.Counters) > 0 {
		s.section("Counters")
		for _, c := range d.Counters {
			s.printf("- %s: %s\n", clean(c.Name), number(c.Value))
		}
	}
	if len(d.Custom) > 0 {
		s.section("Custom State")
		for _, c := range d.Custom {
			s.printf("- %s: %s\n", clean(c.Name), custom(c.Value))
		}
	}
	s.outcome(d)
}

// outcome is what came of the execution: its result, or why there is none and what to replay.
func (s *screen) outcome(d detail) {
	if len(d.Result) > 0 {
		s.printf("\n")
		s.field("Result", payload(d.Result))
	}
	if d.Failure == nil && len(d.letters) == 0 {
		return
	}
	s.printf("\n")
	if d.Failure != nil {
		s.field("Error", s.paint(red, lines(d.Failure.Message)))
	}
	for _, letter := range d.letters {
		s.field("Dead Letter", clean(letter.Task.String()))
	}
}

// ending is the name of the time at which an execution ended.
func ending(state backend.State) string {
	switch state {
	case backend.Failed:
		return "Failed At"
	case backend.TimedOut:
		return "Timed Out At"
	case backend.Cancelled:
		return "Cancelled At"
	default:
		return "Completed At"
	}
}

func shapeDetail(d detail) executionDetailShape {
	shape := executionDetailShape{
		executionShape: shapeExecution(d.Execution),
		Run:            d.Run,
		Deadline:       shapeTime(d.Deadline),
		CancelAsked:    shapeTime(d.CancelRequested),
		Metadata:       d.Metadata,
		Input:          shapePayload(d.Input),
		Result:         shapePayload(d.Result),
		Progress:       []progressShape{},
		Counters:       map[string]any{},
		CustomState:    map[string]json.RawMessage{},
		DeadLetters:    []string{},
	}
	if d.Parent != nil {
		shape.ParentID, shape.ParentTaskID = shapeText(d.Parent.Execution), shapeText(d.Parent.String())
	}
	if shape.Metadata == nil {
		shape.Metadata = map[string]string{}
	}
	for _, e := range d.story {
		shape.Progress = append(shape.Progress, e.shape())
	}
	for _, c := range d.Counters {
		shape.Counters[c.Name] = shapeNumber(c.Value)
	}
	for _, c := range d.Custom {
		shape.CustomState[c.Name] = c.Value
	}
	for _, letter := range d.letters {
		shape.DeadLetters = append(shape.DeadLetters, letter.Task.String())
	}
	return shape
}
