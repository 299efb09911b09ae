// Package spans tells the spans of an execution from its history, as tracing/otel would have made them and with the same
// ids, for executions that were not sampled or whose spans were lost.
package spans

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core/backend"
	stentotel "github.com/stentgo/stent/tracing/otel"
)

// Span is one span, with those below it by their beginning.
type Span struct {
	TraceID trace.TraceID
	ID      trace.SpanID
	Parent  trace.SpanID // zero if it has none that is known here
	Name    string
	Kind    trace.SpanKind
	Start   time.Time
	End     time.Time // zero if it has not ended
	Attrs   []Attr
	State   backend.State
	Failure *backend.Failure
	Link    trace.SpanID // the first attempt; zero for none

	Below []*Span
}

// Attr is an attribute; its value is a string or an int64.
type Attr struct {
	Key   string
	Value any
}

// Attr is the value of an attribute, as text.
func (s *Span) Attr(key string) string {
	for _, a := range s.Attrs {
		if a.Key == key {
			return fmt.Sprint(a.Value)
		}
	}
	return ""
}

// All are the span and those below it, each before its own.
func (s *Span) All() []*Span {
	all := []*Span{s}
	for _, b := range s.Below {
		all = append(all, b.All()...)
	}
	return all
}

// Of reads an execution and its children, and returns the span that all others are below: the dispatch, or, where nobody
// traced that, the execution's own.
func Of(ctx context.Context, db backend.Backend, id string) (*Span, error) {
	x, err := db.Execution(ctx, id)
	if err != nil {
		return nil, err
	}
	return of(ctx, db, x, nil)
}

// maxDepth bounds how deep children have children; a database that says otherwise is broken.
const maxDepth = 100

func of(ctx context.Context, db backend.Backend, x backend.Execution, parents []string) (*Span, error) {
	top, whole := ofExecution(x)
	tasks, err := allTasks(ctx, db, x.ID)
	if err != nil {
		return nil, err
	}
	attempts := map[backend.TaskID][]backend.Attempt{}
	if db, ok := db.(backend.Attempts); ok {
		all, err := db.Attempts(ctx, x.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			attempts[a.Task] = append(attempts[a.Task], a)
		}
	}
	for _, t := range tasks {
		switch {
		case t.Kind == backend.Activity:
			whole.Below = append(whole.Below, ofTask(whole, t, attempts[t.ID])...)
		case t.Kind == backend.Child && len(parents) < maxDepth && !slices.Contains(parents, t.Child):
			child, err := db.Execution(ctx, t.Child)
			if err != nil {
				continue // it has been cleaned up, or is not there yet
			}
			below, err := of(ctx, db, child, append(parents, x.ID))
			if err != nil {
				return nil, err
			}
			if below.ID == top.ID && top != whole { // nobody traced its start, and it has its parent's carrier
				below = below.Below[0]
			}
			if below.TraceID == whole.TraceID {
				below.Parent = whole.ID // it was a turn's, which history does not tell
			}
			whole.Below = append(whole.Below, below)
		}
	}
	slices.SortStableFunc(whole.Below, func(a, b *Span) int { return a.Start.Compare(b.Start) })
	return top, nil
}

// ofExecution are the spans of an execution itself: the whole one, and above it the dispatch if that was traced.
func ofExecution(x backend.Execution) (top, whole *Span) {
	from := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(x.Carrier)))
	traceID := from.TraceID()
	if !from.IsValid() {
		traceID = stentotel.TraceIDOf(x.ID)
	}
	whole = &Span{
		TraceID: traceID, ID: stentotel.ExecutionSpanID(traceID, x.ID), Parent: from.SpanID(),
		Name: "stent.execute " + x.Workflow, Kind: trace.SpanKindConsumer, Start: x.Started, End: x.Finished, State: x.State, Failure: x.Failure,
		Attrs: attrs(backend.TaskID{Execution: x.ID}, x.Workflow, x.Worker, x.Queue, backend.Orchestrator, x.Attempt),
	}
	if whole.Start.IsZero() {
		whole.Start = x.Created
	}
	if x.State.Final() {
		whole.Attrs = append(whole.Attrs, Attr{"stent.state", string(x.State)})
	}
	if !from.IsValid() {
		return whole, whole
	}
	return &Span{
		TraceID: traceID, ID: from.SpanID(), Name: "stent.dispatch " + x.Workflow, Kind: trace.SpanKindProducer, Start: x.Created, End: x.Created,
		Attrs: []Attr{{"stent.function", x.Workflow}, {"stent.execution_id", x.ID}, {"stent.queue", x.Queue}},
		Below: []*Span{whole},
	}, whole
}

// ofTask are an activity's attempts: those that failed, and the one that runs or has succeeded.
func ofTask(whole *Span, t backend.Task, failed []backend.Attempt) (all []*Span) {
	span := func(attempt int, token int64, worker string, start, end time.Time) *Span {
		s := &Span{
			TraceID: whole.TraceID, ID: stentotel.AttemptSpanID(whole.TraceID, t.ID.String(), token), Parent: whole.ID,
			Name: "stent.execute " + t.Step, Kind: trace.SpanKindConsumer, Start: start, End: end,
			Attrs: attrs(t.ID, t.Step, worker, t.Queue, t.Kind, attempt),
		}
		if attempt > 1 {
			s.Link = stentotel.AttemptSpanID(whole.TraceID, t.ID.String(), 1)
		}
		all = append(all, s)
		return s
	}
	told := false
	for _, a := range failed {
		if a.Token == 0 { // from before that was kept
			a.Token = int64(a.Attempt)
		}
		if a.Started.IsZero() {
			a.Started = a.At
		}
		s := span(a.Attempt, a.Token, a.Worker, a.Started, a.At)
		s.State, s.Failure = backend.Failed, &a.Failure
		told = told || a.Token == t.Token
	}
	if !told && !t.Started.IsZero() && (t.State == backend.Running || t.State.Final()) {
		s := span(t.Attempt, t.Token, t.Worker, t.Started, t.Finished)
		s.State, s.Failure = t.State, t.Failure
		if t.State == backend.Running || t.State == backend.Completed {
			s.Failure = nil // of the attempt before
		}
	}
	return all
}

func attrs(id backend.TaskID, step, worker, queue string, kind backend.Kind, attempt int) []Attr {
	return []Attr{
		{"stent.task_id", id.String()}, {"stent.execution_id", id.Execution}, {"stent.step", step}, {"stent.worker_id", worker},
		{"stent.queue", queue}, {"stent.kind", string(kind)}, {"stent.attempt", int64(attempt)},
	}
}

func allTasks(ctx context.Context, db backend.Inspector, id string) (all []backend.Task, err error) {
	const page = 1000
	for f := (backend.TaskFilter{Execution: id, Limit: page}); ; f.After = all[len(all)-1].ID {
		tasks, err := db.Tasks(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, tasks...)
		if len(tasks) < page {
			return all, nil
		}
	}
}

// Failed tells whether the span's status is an error, and what it says.
func (s *Span) Failed() (message string, failed bool) {
	switch {
	case s.Failure != nil:
		message, _, _ = strings.Cut(s.Failure.Message, "\n")
		return message, true
	case s.State == backend.Failed || s.State == backend.TimedOut || s.State == backend.Cancelled:
		return string(s.State), true
	}
	return "", false
}
