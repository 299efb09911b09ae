package core

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// nothing is a backend for what must fail before one is asked.
type nothing struct{ backend.Backend }

func testEngine(t *testing.T, handlers ...Handler) *Engine {
	t.Helper()
	e, err := New(nothing{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Register(handlers...); err != nil {
		t.Fatal(err)
	}
	return e
}

func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not say %q: %v", part, err)
		}
	}
}

func TestBadInputIsNamedWithItsRemedy(t *testing.T) {
	a := NewActivity[int, int]("a")
	w := NewWorkflow[float64, int]("w")
	handleA := a.Handle(func(_ context.Context, n int) (int, error) { return n, nil })
	handleW := w.Handle(func(*Flow, float64) (int, error) { return 0, nil })
	serve := func(e *Engine, cfg WorkerConfig) error { return e.Serve(t.Context(), cfg) }

	t.Run("no backend", func(t *testing.T) {
		_, err := New(nil)
		mustSay(t, err, "sqlite.Open")
	})
	t.Run("a name twice", func(t *testing.T) {
		e := testEngine(t, handleA, handleW)
		err := e.Register(NewWorkflow[int, int]("a").Handle(func(*Flow, int) (int, error) { return 0, nil }))
		mustSay(t, err, `"a" is registered already, as activity`, "registered: a, w")
		mustSay(t, serve(e, WorkerConfig{}), `"a" is registered already`)
	})
	t.Run("an empty name", func(t *testing.T) {
		e, _ := New(nothing{})
		mustSay(t, e.Register(NewActivity[int, int]("").Handle(func(_ context.Context, n int) (int, error) { return n, nil })), "empty name")
	})
	t.Run("a bad option", func(t *testing.T) {
		e, _ := New(nothing{})
		bad := NewActivity[int, int]("b", Retry(RetryPolicy{Jitter: 3}))
		mustSay(t, e.Register(bad.Handle(func(_ context.Context, n int) (int, error) { return n, nil })), `"b"`, "jitter 3")
	})
	t.Run("an unregistered workflow", func(t *testing.T) {
		_, err := w.Start(t.Context(), testEngine(t, handleA), 1)
		mustSay(t, err, `"w" is not registered`, "registered: a", "core.Elsewhere()")
	})
	t.Run("an input that does not encode", func(t *testing.T) {
		_, err := w.Start(t.Context(), testEngine(t, handleW), math.NaN())
		mustSay(t, err, "input of workflow w", "float64 does not encode", "NaN")
	})
	t.Run("an input that is too large", func(t *testing.T) {
		big := NewWorkflow[string, int]("big")
		_, err := big.Start(t.Context(), testEngine(t), strings.Repeat("x", DefaultPayloadLimit))
		mustSay(t, err, "input of workflow big", "1048578 bytes", "limit of 1048576", "WithPayloadLimit")
	})
	t.Run("negative slots", func(t *testing.T) {
		mustSay(t, serve(testEngine(t, handleA), WorkerConfig{Slots: -3}), "Slots is -3", "want 0")
	})
	t.Run("a lease that is too short", func(t *testing.T) {
		mustSay(t, serve(testEngine(t, handleA), WorkerConfig{Lease: 5}), "lease of 5ns", "100ms")
	})
	t.Run("nothing registered", func(t *testing.T) {
		mustSay(t, serve(testEngine(t), WorkerConfig{}), "nothing is registered")
	})
	t.Run("a bad id", func(t *testing.T) {
		_, err := w.Start(t.Context(), testEngine(t, handleW), 1, ID("a\nb"))
		mustSay(t, err, `execution id "a\nb"`, "control character")
	})
}
