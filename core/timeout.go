package core

import (
	"errors"
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// TimeoutKind says what took too long.
type TimeoutKind string

// The four timeouts. None of them is ever told as a bare "timeout".
const (
	TimeoutScheduleToStart TimeoutKind = backend.CodeScheduleToStart // no worker took an activity from its queue in time: see ScheduleToStart
	TimeoutStartToClose    TimeoutKind = backend.CodeStartToClose    // an attempt took too long: see StartToClose
	TimeoutHeartbeat       TimeoutKind = backend.CodeHeartbeat       // an attempt said nothing for too long: see HeartbeatTimeout
	TimeoutMaxDuration     TimeoutKind = backend.CodeMaxDuration     // an execution took too long: see MaxDuration
)

// TimeoutError says that something took longer than it was allowed to. It is the cause of an activity's context that
// ends for that reason, and [errors.As] finds it in the [*ActivityError] of a call and in the [*ExecutionError] of Wait.
//
// It is about limits of the engine alone: an activity that fails with a context.DeadlineExceeded of its own has failed
// like any other, and is no timeout.
type TimeoutError struct {
	Kind  TimeoutKind
	Limit time.Duration
}

func (e *TimeoutError) Error() string {
	switch e.Kind {
	case TimeoutStartToClose:
		return fmt.Sprintf("start-to-close timeout: the attempt took longer than %v", e.Limit)
	case TimeoutHeartbeat:
		return fmt.Sprintf("heartbeat timeout: the attempt said nothing for %v", e.Limit)
	case TimeoutScheduleToStart:
		return fmt.Sprintf("schedule-to-start timeout: no worker took the task within %v", e.Limit)
	case TimeoutMaxDuration:
		return fmt.Sprintf("maximal duration: the execution took longer than %v", e.Limit)
	default:
		return fmt.Sprintf("%s timeout of %v", e.Kind, e.Limit)
	}
}

// timeoutOf is the timeout that a failure was, if it was one.
func timeoutOf(state backend.State, f backend.Failure) error {
	switch kind := TimeoutKind(f.Code); kind {
	case TimeoutScheduleToStart, TimeoutStartToClose, TimeoutHeartbeat, TimeoutMaxDuration:
		if state == backend.TimedOut {
			return &TimeoutError{Kind: kind, Limit: f.Limit}
		}
	}
	return nil
}

// lateError is the failure of an attempt that has used up its time, with what the activity returned then. Only the engine
// makes one, so that no error of a user's own is taken for a timeout.
type lateError struct {
	late *TimeoutError
	err  error
}

func (e *lateError) Error() string {
	if errors.Is(e.err, e.late) {
		return e.late.Error() // it returned the cause of its context
	}
	return e.late.Error() + ": " + e.err.Error()
}

func (e *lateError) Unwrap() []error { return []error{e.late, e.err} }

// errStuck is what an attempt returned that did not return.
var errStuck = errors.New("the activity did not return when its context ended")

// attemptGrace is how long an activity has to return after its attempt used up its time. Then the attempt has failed
// without it, and what it returns later counts for nothing.
const attemptGrace = 2 * time.Second
