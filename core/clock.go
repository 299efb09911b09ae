package core

import "time"

// Clock is where a worker takes its own timers from. It decides when to look, never what is due: that is the
// database's clock. It is safe for concurrent use.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own after d, unless the timer is stopped before.
	AfterFunc(d time.Duration, f func()) ClockTimer
}

// ClockTimer is what [Clock].AfterFunc makes; a [*time.Timer] is one.
type ClockTimer interface {
	// Stop keeps f from being called, and tells whether it did: false if f has been called, or was stopped before.
	Stop() bool
	// Reset has f called after d, once more if it was called before, and tells whether the timer was running.
	Reset(d time.Duration) bool
}

// systemClock is the default.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) ClockTimer { return time.AfterFunc(d, f) }
