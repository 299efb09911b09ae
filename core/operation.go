package core

import (
	"errors"
	"fmt"
	"time"
)

// Options of what operators do: each says by its type where it may be given.
type (
	// ActOption is an option of what changes something by hand: [Engine.Discard], [Engine.PauseQueue] ...
	ActOption interface{ toAct(*operation) }
	// ReplayOption is an option of [Engine.Replay].
	ReplayOption interface{ toReplay(*operation) }
	// BulkReplayOption is an option of [Engine.ReplayAll].
	BulkReplayOption interface{ toBulkReplay(*operation) }
	// BulkOption is an option of [Engine.DiscardAll].
	BulkOption interface{ toBulk(*operation) }
)

// operation is what these options can set.
type operation struct {
	actor string
	queue string

	canary       int
	canaryWithin time.Duration
	rate         float64 // a second; 0 for no limit
	dryRun       bool
	progress     func(BulkProgress)

	err error // the first bad option
}

type (
	replayOperation     func(*operation)
	bulkOperation       func(*operation)
	bulkReplayOperation func(*operation)
)

func (o replayOperation) toReplay(s *operation)         { o(s) }
func (o replayOperation) toBulkReplay(s *operation)     { o(s) }
func (o bulkOperation) toBulk(s *operation)             { o(s) }
func (o bulkOperation) toBulkReplay(s *operation)       { o(s) }
func (o bulkReplayOperation) toBulkReplay(s *operation) { o(s) }

func (s *operation) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// ToQueue puts the task into another queue than the one it came from.
func ToQueue(name string) replayOperation {
	return func(s *operation) {
		if err := checkName("queue", name); err != nil {
			s.fail(err)
		}
		s.queue = name
	}
}

// Canary has the first n dead letters replayed alone, and the others only when these n tasks have ended well. Default 0:
// none.
func Canary(n int) bulkReplayOperation {
	return func(s *operation) {
		if n < 0 {
			s.fail(fmt.Errorf("canary %d: want 0 (none) or more", n))
		}
		s.canary = n
	}
}

// CanaryWithin is how long the tasks of [Canary] may take to end well, all together. Default 10 min.
func CanaryWithin(d time.Duration) bulkReplayOperation {
	return func(s *operation) {
		if d <= 0 {
			s.fail(fmt.Errorf("canary within %v: want more than 0", d))
		}
		s.canaryWithin = d
	}
}

// Rate is the most dead letters a second. Default 0: no limit but the database's.
func Rate(perSecond float64) bulkOperation {
	return func(s *operation) {
		if !(perSecond >= 0) { // also not a number
			s.fail(fmt.Errorf("rate %v a second: want 0 (no limit) or more", perSecond))
		}
		s.rate = perSecond
	}
}

// DryRun changes nothing, and only tells what would be done.
func DryRun() bulkOperation { return func(s *operation) { s.dryRun = true } }

// OnProgress is called after each dead letter, by the goroutine that does the work.
func OnProgress(fn func(BulkProgress)) bulkOperation {
	return func(s *operation) {
		if fn == nil {
			s.fail(errors.New("on progress: the function is nil"))
		}
		s.progress = fn
	}
}

func act(opts []ActOption) (s operation) {
	for _, opt := range opts {
		opt.toAct(&s)
	}
	return s
}
