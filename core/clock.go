package core

import (
	"math"
	"time"
)

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

// AfterFunc makes no timer that is over at once. In a bubble of testing/synctest such a timer runs on the thread that makes
// it, and where two do so at a time the race detector of Go 1.26 crashes.
func (systemClock) AfterFunc(d time.Duration, f func()) ClockTimer {
	if d > 0 {
		return time.AfterFunc(d, f)
	}
	t := time.AfterFunc(math.MaxInt64, f)
	t.Stop() // it can still be reset
	go f()
	return t
}
