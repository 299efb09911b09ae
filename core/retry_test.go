package core

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"
)

func TestDelayDoublesUpToItsLimitAndJitters(t *testing.T) {
	exact := RetryPolicy{Jitter: -1}
	for attempt, want := range []float64{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := exact.delay(attempt+1, 0.9).Seconds(); got != want {
			t.Errorf("after attempt %d: %v s, want %v s", attempt+1, got, want)
		}
	}
	if got := exact.delay(5000, 0); got != time.Minute {
		t.Errorf("after attempt 5000: %v", got)
	}
	var def RetryPolicy
	if lo, hi := def.delay(1, 0), def.delay(1, 1); lo != 900*time.Millisecond || hi != 1100*time.Millisecond {
		t.Errorf("default jitter: %v to %v, want 0.9s to 1.1s", lo, hi)
	}
	if got := (RetryPolicy{InitialDelay: -1}).delay(3, 0.5); got != 0 {
		t.Errorf("no delay: %v", got)
	}
}

func TestWhetherThereIsAnotherAttempt(t *testing.T) {
	plain := errors.New("plain")
	missing := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	for _, c := range []struct {
		name    string
		policy  RetryPolicy
		attempt int
		err     error
		delay   time.Duration
		again   bool
	}{
		{"the default allows three", RetryPolicy{Jitter: -1}, 2, plain, 2 * time.Second, true},
		{"and no fourth", RetryPolicy{Jitter: -1}, 3, plain, 0, false},
		{"no limit", RetryPolicy{MaxAttempts: -1, Jitter: -1}, 1000, plain, time.Minute, true},
		{"final by the error", RetryPolicy{}, 1, fmt.Errorf("pay: %w", NonRetryable(plain)), 0, false},
		{"final by its type", RetryPolicy{NonRetryable: []string{"*fs.PathError"}}, 1, fmt.Errorf("read: %w", missing), 0, false},
		{"another type is not", RetryPolicy{NonRetryable: []string{"*net.OpError"}, Jitter: -1}, 1, missing, time.Second, true},
		{"the error says when", RetryPolicy{}, 1, fmt.Errorf("busy: %w", RetryAfter(plain, time.Hour)), time.Hour, true},
		{"but not how often", RetryPolicy{MaxAttempts: 1}, 1, RetryAfter(plain, time.Hour), 0, false},
		{"a final one that says when is final", RetryPolicy{}, 1, NonRetryable(RetryAfter(plain, time.Hour)), 0, false},
	} {
		delay, again := c.policy.next(c.attempt, c.err, 0.5)
		if delay != c.delay || again != c.again {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, delay, again, c.delay, c.again)
		}
	}
}

func TestAPolicyIsStoredAsItIsAndTheDefaultAsNothing(t *testing.T) {
	if data := (taskPolicy{}).encode(); data != nil {
		t.Errorf("the default is stored as %s", data)
	}
	want := taskPolicy{RetryPolicy{MaxAttempts: 7, InitialDelay: 1500 * time.Millisecond, BackoffFactor: 1.5, MaxDelay: time.Hour, Jitter: -1, NonRetryable: []string{"*x.E"}}, 3 * time.Second, 4 * time.Second, 5 * time.Second, "k", 2 * time.Second}
	got, err := decodePolicy(want.encode())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := decodePolicy([]byte("{")); err == nil {
		t.Error("a broken policy was read")
	}
}

func TestBadPoliciesAreNamed(t *testing.T) {
	for _, p := range []RetryPolicy{{BackoffFactor: 0.5}, {Jitter: 2}, {MaxDelay: -1}} {
		if err := p.validate(); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
}
