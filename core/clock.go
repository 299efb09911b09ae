package core

import "time"

// Clock is where a worker takes its own timers from. It decides when to look, never what is due: that is the
// database's clock. It is safe for concurrent use.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own after d, unless stop is called before; stop tells whether it was.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the default.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}
