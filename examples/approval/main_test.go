package main

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is what a program has printed so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// shows waits until something has been printed.
func (o *output) shows(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(o.String(), what); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in\n%s", what, o)
		}
	}
}

func TestTheProgram(t *testing.T) {
	t.Parallel()
	db := "--db=" + filepath.Join(t.TempDir(), "approval.sqlite")
	submit := []string{db, "submit", "lunch", "42"}

	// It is handed in, and the program is interrupted while it waits.
	ctx, interrupt := context.WithCancel(t.Context())
	var first output
	done := make(chan error, 1)
	go func() { done <- run(ctx, submit, &first) }()
	first.shows(t, "approve expense-1")
	interrupt()
	if err := <-done; err == nil {
		t.Errorf("interrupted, and no error; it printed\n%s", &first)
	}

	// The answer comes while nobody waits.
	var second output
	if err := run(t.Context(), []string{db, "approve", "expense-1"}, &second); err != nil {
		t.Fatal(err)
	}
	second.shows(t, "expense-1 will have your answer")

	var third output
	if err := run(t.Context(), submit, &third); err != nil {
		t.Fatal(err)
	}
	third.shows(t, "was handed in before")
	third.shows(t, "Paid, approved by ")

	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{db, "approve", "expense-1"}, "decided on already"},
		{[]string{db, "approve", "nothing"}, "there is no expense nothing"},
		{[]string{db, "submit", "dinner", "42"}, "another expense already"},
		{[]string{db}, "usage: approval"},
	} {
		if err := run(t.Context(), test.args, &output{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.args, err, test.want)
		}
	}
}
