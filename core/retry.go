package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"
)

// RetryPolicy says how often and when a failed activity is tried again. A zero field takes its default, so that
// RetryPolicy{} is the policy of an activity that names none. The policy is stored with each task when it is
// scheduled, and a later change of the program does not change it.
//
// The delay before attempt n+1 is min(InitialDelay * BackoffFactor^(n-1), MaxDelay), made longer or shorter by a
// random share of it, at most Jitter: exponential backoff with jitter, so that what failed together does not come back
// together.
type RetryPolicy struct {
	MaxAttempts   int           // the first included; default 3; negative for no limit
	InitialDelay  time.Duration // default 1 s; negative for none
	BackoffFactor float64       // default 2; at least 1
	MaxDelay      time.Duration // default 60 s
	Jitter        float64       // a share between 0 and 1; default 0.1; negative for none
	NonRetryable  []string      // Go types, as "*payments.DeclinedError", that end the attempts wherever they are in the error's chain
}

const (
	defaultMaxAttempts   = 3
	defaultInitialDelay  = time.Second
	defaultBackoffFactor = 2
	defaultMaxDelay      = time.Minute
	defaultJitter        = 0.1
)

// once is the policy of a workflow that names none: its returned error is final.
var once = RetryPolicy{MaxAttempts: 1}

func (p RetryPolicy) validate() error {
	switch {
	case p.BackoffFactor != 0 && (p.BackoffFactor < 1 || math.IsInf(p.BackoffFactor, 0) || math.IsNaN(p.BackoffFactor)):
		return fmt.Errorf("retry policy: backoff factor %v: want 1 or more", p.BackoffFactor)
	case p.Jitter > 1 || math.IsNaN(p.Jitter):
		return fmt.Errorf("retry policy: jitter %v: want a share between 0 and 1", p.Jitter)
	case p.MaxDelay < 0:
		return fmt.Errorf("retry policy: maximal delay %v: want 0 (for 60s) or more", p.MaxDelay)
	}
	return nil
}

// delay is the pause after the given failed attempt (from 1). random is in [0, 1).
func (p RetryPolicy) delay(attempt int, random float64) time.Duration {
	initial := orDefault(p.InitialDelay, defaultInitialDelay)
	if initial < 0 {
		return 0
	}
	limit := orDefault(p.MaxDelay, defaultMaxDelay)
	factor := orDefault(p.BackoffFactor, defaultBackoffFactor)
	jitter := max(orDefault(p.Jitter, defaultJitter), 0)

	d := min(float64(initial)*math.Pow(factor, float64(attempt-1)), float64(limit))
	d *= 1 + jitter*(2*random-1)
	return time.Duration(d)
}

// next decides after a failed attempt: whether there is another, and when.
func (p RetryPolicy) next(attempt int, err error, random float64) (delay time.Duration, again bool) {
	var final *nonRetryableError
	limit := orDefault(p.MaxAttempts, defaultMaxAttempts)
	if errors.As(err, &final) || (limit > 0 && attempt >= limit) || p.excludes(err) {
		return 0, false
	}
	var after *retryAfterError
	if errors.As(err, &after) {
		return after.after, true
	}
	return p.delay(attempt, random), true
}

func (p RetryPolicy) excludes(err error) bool {
	if len(p.NonRetryable) == 0 || err == nil {
		return false
	}
	if slices.Contains(p.NonRetryable, reflect.TypeOf(err).String()) {
		return true
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(all.Unwrap(), p.excludes)
	}
	return p.excludes(errors.Unwrap(err))
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// taskPolicy is all that is decided for a task when it is scheduled.
type taskPolicy struct {
	retry           RetryPolicy
	startToClose    time.Duration
	scheduleToStart time.Duration
	heartbeat       time.Duration
	shareKey        string        // of an activity that shares its result
	shareFor        time.Duration // 0: for ever
}

// storedPolicy is a policy as it stands in the database: seconds, and only what differs from the default, since most
// tasks have the default and every byte of a task is written to the log twice.
type storedPolicy struct {
	MaxAttempts   int      `json:"max_attempts,omitempty"`
	InitialDelay  float64  `json:"initial_delay_s,omitempty"`
	BackoffFactor float64  `json:"backoff_factor,omitempty"`
	MaxDelay      float64  `json:"max_delay_s,omitempty"`
	Jitter        float64  `json:"jitter,omitempty"`
	NonRetryable  []string `json:"non_retryable,omitempty"`
	StartToClose  float64  `json:"start_to_close_s,omitempty"`
	StartWithin   float64  `json:"schedule_to_start_s,omitempty"`
	Heartbeat     float64  `json:"heartbeat_s,omitempty"`
	ShareKey      string   `json:"share_key,omitempty"`
	ShareFor      float64  `json:"share_for_s,omitempty"`
}

func (p taskPolicy) encode() []byte {
	if p.isDefault() {
		return nil
	}
	s := storedPolicy{
		MaxAttempts:   p.retry.MaxAttempts,
		InitialDelay:  p.retry.InitialDelay.Seconds(),
		BackoffFactor: p.retry.BackoffFactor,
		MaxDelay:      p.retry.MaxDelay.Seconds(),
		Jitter:        p.retry.Jitter,
		NonRetryable:  p.retry.NonRetryable,
		StartToClose:  p.startToClose.Seconds(),
		StartWithin:   p.scheduleToStart.Seconds(),
		Heartbeat:     p.heartbeat.Seconds(),
		ShareKey:      p.shareKey,
		ShareFor:      p.shareFor.Seconds(),
	}
	data, err := json.Marshal(s)
	if err != nil || string(data) == "{}" {
		return nil // a policy has been validated and holds nothing that JSON cannot say
	}
	return data
}

// isDefault tells whether all is left to the defaults, as for most tasks.
func (p taskPolicy) isDefault() bool {
	r := p.retry
	return r.MaxAttempts == 0 && r.InitialDelay == 0 && r.BackoffFactor == 0 && r.MaxDelay == 0 && r.Jitter == 0 && len(r.NonRetryable) == 0 &&
		p.startToClose == 0 && p.scheduleToStart == 0 && p.heartbeat == 0 && p.shareKey == "" && p.shareFor == 0
}

func decodePolicy(data []byte) (taskPolicy, error) {
	if len(data) == 0 {
		return taskPolicy{}, nil
	}
	var s storedPolicy
	if err := json.Unmarshal(data, &s); err != nil {
		return taskPolicy{}, fmt.Errorf("stored policy: %w", err)
	}
	return taskPolicy{
		retry: RetryPolicy{
			MaxAttempts:   s.MaxAttempts,
			InitialDelay:  seconds(s.InitialDelay),
			BackoffFactor: s.BackoffFactor,
			MaxDelay:      seconds(s.MaxDelay),
			Jitter:        s.Jitter,
			NonRetryable:  s.NonRetryable,
		},
		startToClose:    seconds(s.StartToClose),
		scheduleToStart: seconds(s.StartWithin),
		heartbeat:       seconds(s.Heartbeat),
		shareKey:        s.ShareKey,
		shareFor:        seconds(s.ShareFor),
	}, nil
}

// seconds reads a stored time. What nobody can have meant, from a row that somebody else wrote, is none or the longest.
func seconds(s float64) time.Duration {
	const longest = float64(1 << 62)
	return time.Duration(min(max(s*float64(time.Second), 0), longest))
}
