package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/internal/cli/spans"
)

func (a *app) traceCommand() *cobra.Command {
	var to, service string
	var headers []string
	cmd := &cobra.Command{
		Use:   "trace ID",
		Short: "Show the spans of one execution, and export them after the fact",
		Long: `Show the spans of one execution as a tree, from its history: also of one that no tracer sampled, or knew of.

With --otlp they are sent to a collector, or to Jaeger, by OTLP over HTTP. They have the ids that they had, or would have
had, when they were made by tracing/otel: so send those that are missing, since most tools show a span twice that comes
twice. What has not ended is not sent.`,
		Example: `  stent trace order-1003
  stent trace order-1003 --otlp http://localhost:4318`,
		Args:              arguments(1, 1, "an execution's id, as in `stent trace order-1003`"),
		ValidArgsFunction: a.completeExecutions,
		RunE: func(cmd *cobra.Command, args []string) error {
			header, err := headersOf(headers)
			if err != nil {
				return err
			}
			return a.trace(cmd.Context(), args[0], func(ctx context.Context, all []*spans.Span) (int, error) {
				if to == "" {
					return 0, nil
				}
				return spans.Export(ctx, to, service, header, all)
			})
		},
	}
	cmd.Flags().StringVar(&to, "otlp", "", "send the spans to a collector at this `URL`, such as http://localhost:4318")
	cmd.Flags().StringVar(&service, "service", "stent", "the `name` of the service that the spans are of")
	cmd.Flags().StringArrayVar(&headers, "header", nil, "a `NAME=VALUE` to send with them, such as a token; may be repeated")
	return cmd
}

func headersOf(list []string) (http.Header, error) {
	header := http.Header{}
	for _, h := range list {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return nil, usagef("--header: want NAME=VALUE")
		}
		header.Add(name, value)
	}
	return header, nil
}

func (a *app) trace(ctx context.Context, typed string, export func(context.Context, []*spans.Span) (int, error)) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := findExecution(ctx, db, typed)
	if err != nil {
		return err
	}
	top, err := spans.Of(ctx, db, id)
	if err != nil {
		return err
	}
	sent, err := export(ctx, top.All())
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(shapeTrace(top, sent))
	}
	a.screen.field("Trace", top.TraceID.String())
	a.screen.printf("\n")
	a.screen.span(top, "", "")
	if sent > 0 {
		a.screen.printf("\nSent %d spans\n", sent)
	}
	return nil
}

// span prints a span and those below it, after the guide's drawing.
func (s *screen) span(x *spans.Span, branch, below string) {
	took := "-"
	if !x.End.IsZero() {
		took = fmt.Sprintf("%.3fs", x.End.Sub(x.Start).Seconds())
	}
	line := branch + clean(x.Name)
	if attempt := x.Attr("stent.attempt"); attempt != "" && attempt != "1" {
		line += " (attempt " + attempt + ")"
	}
	if x.State != "" {
		line += " " + s.paint(colorOf(x.State), string(x.State))
	}
	if message, failed := x.Failed(); failed && message != string(x.State) {
		line += ": " + s.paint(red, clean(message))
	}
	s.printf("%s %10s  %s\n", s.clock(x.Start), took, line)
	for i, b := range x.Below {
		if i < len(x.Below)-1 {
			s.span(b, below+"├── ", below+"│   ")
		} else {
			s.span(b, below+"└── ", below+"    ")
		}
	}
}

// traceShape is `stent trace --json`.
type traceShape struct {
	TraceID string      `json:"trace_id"`
	Sent    int         `json:"sent"` // by --otlp
	Spans   []spanShape `json:"spans"`
}

type spanShape struct {
	SpanID     string         `json:"span_id"`
	ParentID   *string        `json:"parent_span_id"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"` // producer or consumer
	StartedAt  *time.Time     `json:"started_at"`
	EndedAt    *time.Time     `json:"ended_at"`
	State      *backend.State `json:"state"` // of a dispatch null
	Attributes map[string]any `json:"attributes"`
	LinkedTo   *string        `json:"linked_to"` // the first attempt's span
	Error      *errorShape    `json:"error"`
}

func shapeTrace(top *spans.Span, sent int) traceShape {
	shape := traceShape{TraceID: top.TraceID.String(), Sent: sent}
	for _, x := range top.All() {
		s := spanShape{
			SpanID: x.ID.String(), ParentID: shapeSpanID(x.Parent), Name: x.Name, Kind: x.Kind.String(),
			StartedAt: shapeTime(x.Start), EndedAt: shapeTime(x.End), Attributes: map[string]any{},
			LinkedTo: shapeSpanID(x.Link), Error: shapeError(x.Failure),
		}
		if x.State != "" {
			s.State = &x.State
		}
		for _, a := range x.Attrs {
			s.Attributes[a.Key] = a.Value
		}
		shape.Spans = append(shape.Spans, s)
	}
	return shape
}

func shapeSpanID(id trace.SpanID) *string {
	if !id.IsValid() {
		return nil
	}
	return shapeText(id.String())
}
