package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

func (a *app) dlqShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show TASK",
		Short: "Show one dead letter with all its attempts",
		Long: `Show one dead letter with all its attempts, and the stack where one panicked.

TASK is a task's id from "stent dlq list", or the id of an execution that has a single dead letter.`,
		Example:           `  stent dlq show order-1003.2`,
		Args:              arguments(1, 1, fmt.Sprintf(wantDeadLetter, "dlq show")),
		ValidArgsFunction: a.completeDeadLetters,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.dlqShow(cmd.Context(), args[0]) },
	}
}

func (a *app) dlqShow(ctx context.Context, typed string) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	d, err := findDeadLetter(ctx, db, typed)
	if err != nil {
		return err
	}
	audit, err := db.Audit(ctx, backend.AuditFilter{Task: d.Task})
	if err != nil {
		return err
	}
	slices.Reverse(audit)
	if a.json {
		shape := deadLetterDetailShape{deadLetterShape: shapeDeadLetter(d), Failures: []attemptShape{}, Audit: []auditShape{}}
		for _, e := range audit {
			shape.Audit = append(shape.Audit, auditShape{At: shapeTime(e.At), Actor: e.Actor, Action: e.Action, Detail: shapeText(e.Detail)})
		}
		for _, try := range d.Errors {
			shape.Failures = append(shape.Failures, attemptShape{
				Attempt: try.Attempt, At: shapeTime(try.At), WorkerID: try.Worker, Error: shapeError(&try.Failure),
			})
		}
		return a.printJSON(shape)
	}
	a.screen.deadLetter(d, audit)
	return nil
}

func (s *screen) deadLetter(d backend.DeadLetter, audit []backend.AuditEntry) {
	s.field("Task ID", clean(d.Task.String()))
	s.field("Execution ID", clean(d.Task.Execution))
	s.field("Step", fmt.Sprintf("%s (%s)", clean(d.Step), d.Kind))
	s.field("Queue", clean(d.Queue))
	s.field("Reason", s.paint(red, clean(d.Reason)))
	s.field("Fingerprint", core.Fingerprint(d.Failure))
	s.field("Moved At", s.date(d.Moved))
	s.field("Retries", strconv.Itoa(max(d.Attempts-1, 0)))
	if d.Crashes > 0 {
		s.field("Crashes", strconv.Itoa(d.Crashes))
	}
	if len(d.Tags) > 0 {
		s.field("Tags", clean(strings.Join(d.Tags, ", ")))
	}
	if len(d.Errors) > 0 {
		s.section("Attempts")
		for _, try := range d.Errors {
			s.printf("[%s] %s attempt %d: %s\n", s.clock(try.At), s.paint(red, "x"), try.Attempt, lines(try.Failure.Message))
		}
	}
	if len(audit) > 0 {
		s.section("Audit")
		for _, e := range audit {
			s.printf("[%s] %s by %s", s.date(e.At), clean(e.Action), clean(e.Actor))
			if e.Detail != "" {
				s.printf(": %s", clean(e.Detail))
			}
			s.printf("\n")
		}
	}
	if d.Failure.Stack != "" {
		s.section("Stack")
		for line := range strings.SplitSeq(strings.TrimSpace(d.Failure.Stack), "\n") {
			s.printf("  %s\n", clean(strings.ReplaceAll(line, "\t", "  ")))
		}
	}
}
