package core

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// heard is a recorder that keeps what it is told.
type heard struct {
	NopRecorder
	gate chan struct{} // each TaskClaimed takes one, if not nil

	mu      sync.Mutex
	claimed []string
	dropped []EventsDropped
}

func (h *heard) TaskClaimed(_ context.Context, e TaskClaimed) {
	if e.Step == "panics" {
		panic("no")
	}
	if h.gate != nil {
		<-h.gate
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.claimed = append(h.claimed, e.Step)
}

func (h *heard) EventsDropped(_ context.Context, e EventsDropped) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropped = append(h.dropped, e)
}

// queueOf is a queue for a recorder, and what it logs.
func queueOf(r MetricsRecorder) (*recorderQueue, *strings.Builder) {
	q, log := newRecorderQueue(r), &strings.Builder{}
	q.log = slog.New(slog.NewTextHandler(log, nil))
	return q, log
}

func claim(step string) *recorded { return &recorded{what: taskClaimed, step: step} }

func TestRecorderIsToldInOrder(t *testing.T) {
	h := &heard{}
	q, _ := queueOf(h)
	for i := range 1000 {
		q.put(claim(string(rune('a' + i%26))))
	}
	if err := q.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, step := range h.claimed {
		if step != string(rune('a'+i%26)) {
			t.Fatalf("event %d is %s", i, step)
		}
	}
	if len(h.claimed) != 1000 {
		t.Errorf("told %d of 1000 events", len(h.claimed))
	}
}

// A recorder that blocks loses what does not fit and holds up nobody; when it goes on it is told how much.
func TestRecorderThatBlocks(t *testing.T) {
	h := &heard{gate: make(chan struct{})}
	q, log := queueOf(h)
	q.put(claim("first"))
	for q.waiting() > 0 { // until the recorder has it
		<-time.After(time.Millisecond)
	}
	for range recorderQueueLimit + 7 {
		q.put(claim("next"))
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := q.flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a flush of a recorder that blocks: %v, want the context's end", err)
	}
	close(h.gate)
	if err := q.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(h.claimed) != 1+recorderQueueLimit {
		t.Errorf("told %d events, want %d", len(h.claimed), 1+recorderQueueLimit)
	}
	if err := q.flush(t.Context()); err != nil { // the report follows the events
		t.Fatal(err)
	}
	if len(h.dropped) != 1 || h.dropped[0] != (EventsDropped{7, QueueFull}) {
		t.Errorf("told of dropped events: %v, want 7", h.dropped)
	}
	if n := strings.Count(log.String(), "does not keep up"); n != 1 {
		t.Errorf("logged %d times that it does not keep up:\n%s", n, log)
	}
}

func (q *recorderQueue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.filling)
}

func TestRecorderThatPanics(t *testing.T) {
	h := &heard{}
	q, log := queueOf(h)
	for range 3 {
		q.put(claim("panics"))
		q.put(claim("a"))
	}
	for range 2 {
		if err := q.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.claimed) != 3 {
		t.Errorf("told %d events besides, want 3", len(h.claimed))
	}
	lost := 0
	for _, d := range h.dropped {
		if d.Reason == Panicked {
			lost += d.Events
		}
	}
	if lost != 3 {
		t.Errorf("told of dropped events: %v, want 3 for panics", h.dropped)
	}
	if n := strings.Count(log.String(), "panicked"); n != 1 || !strings.Contains(log.String(), "recorderqueue_test.go") {
		t.Errorf("logged %d times that it panicked, want once and with its stack:\n%s", n, log)
	}
}

func TestPutAllocatesNothing(t *testing.T) {
	q, _ := queueOf(NopRecorder{})
	ctx := t.Context()
	put := func() {
		q.put(&recorded{what: taskCompleted, ctx: ctx, queue: "q", step: "s", kind: backend.Activity, duration: time.Second})
	}
	for range 2 * recorderQueueLimit { // both buffers have grown
		put()
	}
	if n := testing.AllocsPerRun(10_000, put); n != 0 {
		t.Errorf("an event allocates %g times", n)
	}
}

func TestMultiRecorderTellsEach(t *testing.T) {
	a, b := &heard{}, &heard{}
	m := MultiRecorder(a, nil, MultiRecorder(b, NopRecorder{}))
	m.TaskClaimed(t.Context(), TaskClaimed{Step: "x"})
	m.EventsDropped(t.Context(), EventsDropped{Events: 1})
	for _, h := range []*heard{a, b} {
		if len(h.claimed) != 1 || len(h.dropped) != 1 {
			t.Errorf("told %v, %v", h.claimed, h.dropped)
		}
	}
	e := &Engine{}
	if err := WithMetrics(m)(e); err != nil || len(e.metrics) != 3 {
		t.Errorf("%d queues for 3 recorders, %v", len(e.metrics), err)
	}
	if err := WithMetrics(nil)(e); err == nil {
		t.Error("a nil recorder is accepted")
	}
}

func BenchmarkPut(b *testing.B) {
	q, _ := queueOf(NopRecorder{})
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		q.put(&recorded{what: taskCompleted, ctx: ctx, queue: "q", step: "s", kind: backend.Activity, duration: time.Second})
	}
}
