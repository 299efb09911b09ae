package spans

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Export sends spans to a collector by OTLP over HTTP, as JSON (OTLP 1.x, "JSON Protobuf Encoding"). The address is a
// collector's, such as http://localhost:4318, or that of its traces, .../v1/traces. Spans that have not ended are left
// out; it returns how many were sent.
func Export(ctx context.Context, address, service string, header http.Header, all []*Span) (int, error) {
	to, err := url.Parse(address)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
		return 0, fmt.Errorf("export spans: %q is no address like http://localhost:4318", address)
	}
	if to.Path == "" || to.Path == "/" {
		to.Path = "/v1/traces"
	}
	var ended []otlpSpan
	for _, s := range all {
		if !s.End.IsZero() {
			ended = append(ended, encode(s))
		}
	}
	if len(ended) == 0 {
		return 0, nil
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{
		"resource": map[string]any{"attributes": []otlpAttr{text("service.name", service)}},
		"scopeSpans": []any{map[string]any{
			"scope": map[string]any{"name": "github.com/stentgo/stent/tracing/otel"},
			"spans": ended,
		}},
	}}})
	if err != nil {
		return 0, fmt.Errorf("export spans: %w", err)
	}
	if err := post(ctx, to.String(), header, body); err != nil {
		return 0, fmt.Errorf("export %d spans: %w", len(ended), err)
	}
	return len(ended), nil
}

func post(ctx context.Context, to string, header http.Header, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if header != nil {
		request.Header = header.Clone()
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(said[:min(len(said), 500)])))
	}
	var partial struct {
		PartialSuccess struct {
			RejectedSpans json.Number `json:"rejectedSpans"`
			ErrorMessage  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(said, &partial) == nil {
		if n := partial.PartialSuccess.RejectedSpans.String(); n != "" && n != "0" {
			return errors.New("the collector refused " + n + ": " + partial.PartialSuccess.ErrorMessage)
		}
	}
	return nil
}

// The shapes of OTLP's JSON. Ids are in hex, 64-bit numbers are strings.
type (
	otlpSpan struct {
		TraceID      string      `json:"traceId"`
		SpanID       string      `json:"spanId"`
		ParentSpanID string      `json:"parentSpanId,omitempty"`
		Name         string      `json:"name"`
		Kind         int         `json:"kind"`
		Start        string      `json:"startTimeUnixNano"`
		End          string      `json:"endTimeUnixNano"`
		Attributes   []otlpAttr  `json:"attributes"`
		Events       []otlpEvent `json:"events,omitempty"`
		Links        []otlpLink  `json:"links,omitempty"`
		Status       otlpStatus  `json:"status"`
	}
	otlpEvent struct {
		Time       string     `json:"timeUnixNano"`
		Name       string     `json:"name"`
		Attributes []otlpAttr `json:"attributes"`
	}
	otlpLink struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	}
	otlpStatus struct {
		Code    int    `json:"code,omitempty"` // 2 is an error
		Message string `json:"message,omitempty"`
	}
	otlpAttr struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

func text(key, value string) otlpAttr { return otlpAttr{key, map[string]any{"stringValue": value}} }

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func encode(s *Span) otlpSpan {
	o := otlpSpan{
		TraceID: s.TraceID.String(), SpanID: s.ID.String(), Name: s.Name, Kind: int(s.Kind), Start: nanos(s.Start), End: nanos(s.End),
	}
	if s.Kind == trace.SpanKindUnspecified {
		o.Kind = int(trace.SpanKindInternal)
	}
	if s.Parent.IsValid() {
		o.ParentSpanID = s.Parent.String()
	}
	for _, a := range s.Attrs {
		switch v := a.Value.(type) {
		case int64:
			o.Attributes = append(o.Attributes, otlpAttr{a.Key, map[string]any{"intValue": strconv.FormatInt(v, 10)}})
		default:
			o.Attributes = append(o.Attributes, text(a.Key, fmt.Sprint(v)))
		}
	}
	if s.Link.IsValid() {
		o.Links = []otlpLink{{o.TraceID, s.Link.String()}}
	}
	if f := s.Failure; f != nil {
		exception := otlpEvent{Time: o.End, Name: "exception", Attributes: []otlpAttr{
			text("exception.type", f.Type), text("exception.message", f.Message),
		}}
		if f.Stack != "" {
			exception.Attributes = append(exception.Attributes, text("exception.stacktrace", f.Stack))
		}
		o.Events = []otlpEvent{exception}
	}
	if message, failed := s.Failed(); failed {
		o.Status = otlpStatus{2, message}
	}
	return o
}
