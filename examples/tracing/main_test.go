package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// kept is an exporter that keeps what it gets.
type kept struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

func (k *kept) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, spans...)
	return nil
}

func (k *kept) Shutdown(context.Context) error { return nil }

func TestLogAndSpansTellTheSameStory(t *testing.T) {
	var log bytes.Buffer
	spans := &kept{}
	if err := run(t.Context(), &log, spans, filepath.Join(t.TempDir(), "orders.sqlite")); err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	byID := map[string]sdktrace.ReadOnlySpan{}
	trace := spans.spans[0].SpanContext().TraceID()
	for _, s := range spans.spans {
		names[s.Name()]++
		byID[s.SpanContext().SpanID().String()] = s
		if s.SpanContext().TraceID() != trace {
			t.Errorf("%s is in another trace", s.Name())
		}
	}
	for name, want := range map[string]int{
		"POST /orders": 1, "stent.dispatch order_workflow": 1, "stent.execute order_workflow": 1, "stent.turn order_workflow": 3,
		"stent.execute validate_order": 1, "stent.execute charge_payment": 2,
	} {
		if names[name] != want {
			t.Errorf("%d spans %s, want %d", names[name], name, want)
		}
	}
	lines := 0
	for line := range bytes.Lines(log.Bytes()) {
		var l struct {
			Message string `json:"msg"`
			Step    string `json:"stent_step"`
			TraceID string `json:"trace_id"`
			SpanID  string `json:"span_id"`
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		if l.Step == "" {
			continue // of the worker, not of a task
		}
		lines++
		if s := byID[l.SpanID]; s == nil || l.TraceID != trace.String() || s.Name() != "stent.execute "+l.Step {
			t.Errorf("no span fits the line %s", line)
		}
	}
	if lines != 3 { // two of the shop's, one of the engine's about the attempt that failed
		t.Errorf("%d lines of tasks:\n%s", lines, log.String())
	}
}
