package core

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Errors that a caller may act on; compare with [errors.Is].
var (
	ErrNotFound      = backend.ErrNotFound
	ErrAlreadyExists = backend.ErrAlreadyExists
	ErrFinished      = backend.ErrFinished
	ErrLeaseLost     = backend.ErrLeaseLost
	ErrNotReplayable = backend.ErrNotReplayable

	// ErrCancelled is what a workflow gets from the wait that a cancellation ends, see [Engine.Cancel], and the cause of an
	// activity's context that is cancelled with its execution.
	ErrCancelled = errors.New("the execution was cancelled")

	// ErrShutdown is the cause of an activity's context that is cancelled because its worker's drain took too long. The
	// activity is given back and runs again elsewhere; its attempt is not counted.
	ErrShutdown = errors.New("the worker shuts down")

	// ErrExecutionEnded is the cause of an activity's context that is cancelled because its execution has ended and
	// nobody waits for the result.
	ErrExecutionEnded = errors.New("the execution has ended")

	// ErrSignalTimeout says that no signal came in the time that ReceiveWithin was given.
	ErrSignalTimeout = errors.New("no signal in time")
)

// Codes of failures that the engine itself states; see [backend.Failure].
const (
	CodePanic          = "panic"           // user code panicked; the stack is kept
	CodeNonDeterminism = "non_determinism" // the workflow no longer makes the calls that its history holds
	CodeNotRegistered  = "not_registered"  // no handler for what the workflow calls
	CodePayload        = "payload"         // a value could not be encoded or decoded, or is too large
	CodePoison         = "poison"          // workers died of the task too often
	CodeHistoryLimit   = "history_limit"   // the history is as long as it may be; see WithHistoryLimit
	CodeRejected       = "rejected"        // the database does not take what the task or the workflow wrote
	CodeChildExists    = backend.CodeChildExists
)

// ActivityError is what a workflow gets from a call whose activity failed for good. The activity is in the dead
// letters under Task.
type ActivityError struct {
	Activity string
	Task     backend.TaskID
	Attempts int
	State    backend.State // failed or timed_out
	Failure  backend.Failure
}

func (e *ActivityError) Error() string {
	return fmt.Sprintf("activity %s %s after %s: %s", e.Activity, stateVerb(e.State), attempts(e.Attempts), e.Failure.Message)
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprint(n, " attempts")
}

// Unwrap gives the [*TimeoutError], if the activity has timed out.
func (e *ActivityError) Unwrap() error { return unwrapped(e.State, e.Failure) }

// ChildError is what a workflow gets from a call of another workflow whose execution ended without a result.
type ChildError struct {
	Child    string // the id of its execution
	Workflow string
	Task     backend.TaskID // the call, in the history of the execution that made it
	State    backend.State  // failed, timed_out or cancelled
	Failure  backend.Failure
	Cause    *backend.TaskID // the dead letter by which a replay heals both; nil where there is none
}

func (e *ChildError) Error() string {
	s := fmt.Sprintf("child %s of %s %s", e.Child, e.Workflow, stateVerb(e.State))
	if e.Failure.Message != "" {
		s += ": " + e.Failure.Message
	}
	return s
}

// Is tells that the child was not begun since its id is another execution's, for [ErrAlreadyExists].
func (e *ChildError) Is(target error) bool {
	return target == ErrAlreadyExists && e.Failure.Code == CodeChildExists
}

// Unwrap gives the [*TimeoutError] of a child that has timed out, and ErrCancelled for one that was cancelled.
func (e *ChildError) Unwrap() error { return unwrapped(e.State, e.Failure) }

// ExecutionError is what Wait returns for an execution that ended without a result.
type ExecutionError struct {
	ID       string
	Workflow string
	State    backend.State // failed, cancelled or timed_out
	Failure  backend.Failure
	Cause    *backend.TaskID // the dead letter that made it fail, if another task than the workflow's own
}

func (e *ExecutionError) Error() string {
	s := fmt.Sprintf("execution %s of %s %s", e.ID, e.Workflow, stateVerb(e.State))
	if e.Failure.Message != "" {
		s += ": " + e.Failure.Message
	}
	return s
}

// Unwrap gives the [*TimeoutError] of an execution that has timed out, and ErrCancelled for one that was cancelled.
func (e *ExecutionError) Unwrap() error { return unwrapped(e.State, e.Failure) }

// unwrapped is what an error about something that has ended holds besides its failure.
func unwrapped(state backend.State, f backend.Failure) error {
	if state == backend.Cancelled {
		return ErrCancelled
	}
	return timeoutOf(state, f)
}

func stateVerb(s backend.State) string {
	switch s {
	case backend.TimedOut:
		return "timed out"
	case backend.Cancelled:
		return "was cancelled"
	default:
		return string(s)
	}
}

// NonDeterminismError says that a workflow, run again, asked for something else under a key than its history holds, or came
// to its end without having asked for it.
// The execution fails and its orchestrator is in the dead letters; once the workflow's code fits its history again, a
// replay lets it go on.
type NonDeterminismError struct {
	Execution string
	Key       string
	Recorded  string // what the history holds under the key
	Asked     string // what the workflow asks for now
}

// asksNothing is what a workflow asks for that has left a call out.
const asksNothing = "nothing"

func (e *NonDeterminismError) Error() string {
	advice := "restore the order of calls, or give the new call a key of its own, and replay the dead letter"
	if e.Asked == asksNothing {
		advice = "restore the call, or leave it out behind flow.Version, and replay the dead letter"
	}
	return fmt.Sprintf("non-determinism in execution %s at call %q: its history holds %s, the workflow now asks for %s; %s",
		e.Execution, e.Key, e.Recorded, e.Asked, advice)
}

// PanicError is a panic of user code, turned into a failed attempt.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the panic's value if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// recovered makes an error of what recover returned; it must be called in the deferred function itself, so that the
// stack is still the panic's.
func recovered(value any) error { return &PanicError{Value: value, Stack: debug.Stack()} }

// NonRetryable marks an error as final: the attempt that returns it is the last, whatever the policy allows.
func NonRetryable(err error) error {
	if err == nil {
		return nil
	}
	return &nonRetryableError{err}
}

type nonRetryableError struct{ error }

func (e *nonRetryableError) Unwrap() error { return e.error }

// RetryAfter makes the next attempt, if the policy allows one, come after d instead of after the policy's delay; for
// an API that says when to come back.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, max(d, 0)}
}

type retryAfterError struct {
	error
	after time.Duration
}

func (e *retryAfterError) Unwrap() error { return e.error }

// codedError is a failure that the engine itself states.
type codedError struct {
	code string
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// FailureOf is what is kept of the error that a task fails with. It is for middleware, which sees the error itself.
func FailureOf(err error) backend.Failure { return failureOf(err) }

func failureOf(err error) backend.Failure {
	f := backend.Failure{Message: storable(err.Error(), maxText), Type: typeName(err)}
	var (
		panicked *PanicError
		coded    *codedError
		nondet   *NonDeterminismError
		activity *ActivityError
		child    *ChildError
		late     *lateError
	)
	switch {
	case errors.As(err, &late):
		f.Type, f.Code, f.Limit = "*core.TimeoutError", string(late.late.Kind), late.late.Limit
	case errors.As(err, &panicked):
		f.Code, f.Stack = CodePanic, storable(string(panicked.Stack), maxText)
	case errors.As(err, &nondet):
		f.Code = CodeNonDeterminism
	case errors.As(err, &coded):
		f.Code = coded.code
	}
	if errors.As(err, &activity) {
		f.Cause = activity.Task.String()
	} else if errors.As(err, &child) {
		f.Cause = child.Failure.Cause
	}
	return f
}

// maxText is the most bytes that are kept of an error's message, and of a stack.
const maxText = 64 << 10

// storable is a text as every database takes it: UTF-8 without NUL, of at most so many bytes.
func storable(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	if strings.ContainsRune(s, 0) {
		s = strings.ReplaceAll(s, "\x00", "\ufffd")
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// typeName names the first error of the chain that is more than a wrapper.
func typeName(err error) string {
	name := ""
	for ; err != nil; err = errors.Unwrap(err) {
		switch err.(type) { //nolint:errorlint // it walks the chain itself
		case *nonRetryableError, *retryAfterError, *codedError:
			continue
		}
		t := reflect.TypeOf(err).String()
		if name == "" || !isWrapper(t) {
			name = t
		}
		if !isWrapper(t) {
			return name
		}
	}
	return name
}

func isWrapper(t string) bool { return t == "*fmt.wrapError" || t == "*fmt.wrapErrors" }

// reasonOf is a failure in one line, for the dead letters: the error's type, unless it says nothing, and its message.
func reasonOf(f backend.Failure) string {
	line := oneLine(f.Message, 200)
	switch f.Type {
	case "", "*errors.errorString", "*fmt.wrapError", "*fmt.wrapErrors", "*core.PanicError", "*core.ActivityError", "*core.ChildError", "*core.NonDeterminismError",
		"*core.TimeoutError":
		return line
	}
	return f.Type + ": " + line
}

func oneLine(s string, limit int) string {
	runes := []rune(s)
	for i, r := range runes {
		if r == '\n' || r == '\r' || r == '\t' {
			runes[i] = ' '
		}
	}
	if len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return string(runes)
}
