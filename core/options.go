package core

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// DefaultQueue is the queue of what names none.
const DefaultQueue = "default"

// maxName is the most bytes of a workflow's, activity's, signal's, queue's or tag's name, and of an execution's id. It
// keeps every index entry far below the databases' limits.
const maxName = 255

// Options are given to descriptors and overruled where they are used: a call's options count more than its activity's,
// a start's more than its workflow's.
type (
	// ActivityOption is an option of [NewActivity].
	ActivityOption interface{ toActivity(*settings) }
	// WorkflowOption is an option of [NewWorkflow].
	WorkflowOption interface{ toWorkflow(*settings) }
	// CallOption is an option of a call in a workflow.
	CallOption interface{ toCall(*settings) }
	// ChildOption is an option of a call of a workflow in another one.
	ChildOption interface{ toChild(*settings) }
	// StartOption is an option of [Workflow.Start].
	StartOption interface{ toStart(*settings) }
)

// settings is what all options together can set.
type settings struct {
	queue         string
	priority      int
	tags          []string
	retry         RetryPolicy
	maxConcurrent int
	parallel      int
	elsewhere     bool
	startToClose  time.Duration
	slo           float64
	sharing       sharing

	key      string
	detached bool

	historyWarn int
	historyMax  int

	scheduleToStart time.Duration
	heartbeat       time.Duration

	id          string
	delay       time.Duration
	at          time.Time
	maxDuration time.Duration
	metadata    map[string]string

	err error // the first bad option, reported where the settings are used
}

func (s *settings) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Where an option may be given is told by its type.
type (
	sharedOption   func(*settings) // everywhere
	policyOption   func(*settings) // descriptors and calls
	activityOption func(*settings) // activities and calls
	calleeOption   func(*settings) // descriptors
	workflowOption func(*settings)
	callOption     func(*settings) // calls of activities and of workflows
	childOption    func(*settings)
	startOption    func(*settings)
	wholeOption    func(*settings) // workflows and starts
)

func (o sharedOption) toActivity(s *settings)   { o(s) }
func (o sharedOption) toWorkflow(s *settings)   { o(s) }
func (o sharedOption) toCall(s *settings)       { o(s) }
func (o sharedOption) toStart(s *settings)      { o(s) }
func (o sharedOption) toChild(s *settings)      { o(s) }
func (o policyOption) toActivity(s *settings)   { o(s) }
func (o policyOption) toWorkflow(s *settings)   { o(s) }
func (o policyOption) toCall(s *settings)       { o(s) }
func (o policyOption) toChild(s *settings)      { o(s) }
func (o activityOption) toActivity(s *settings) { o(s) }
func (o activityOption) toCall(s *settings)     { o(s) }
func (o calleeOption) toActivity(s *settings)   { o(s) }
func (o calleeOption) toWorkflow(s *settings)   { o(s) }
func (o workflowOption) toWorkflow(s *settings) { o(s) }
func (o callOption) toCall(s *settings)         { o(s) }
func (o callOption) toChild(s *settings)        { o(s) }
func (o childOption) toChild(s *settings)       { o(s) }
func (o startOption) toStart(s *settings)       { o(s) }
func (o startOption) toChild(s *settings)       { o(s) }
func (o wholeOption) toWorkflow(s *settings)    { o(s) }
func (o wholeOption) toStart(s *settings)       { o(s) }
func (o wholeOption) toChild(s *settings)       { o(s) }

// Queue names the queue that the task waits in. Default "default". An activity without it goes to its workflow's queue.
func Queue(name string) sharedOption {
	return func(s *settings) {
		if err := checkName("queue", name); err != nil {
			s.fail(err)
		}
		s.queue = name
	}
}

// Priority orders a queue: higher first. Default 0; between -32768 and 32767. While a worker works off a backlog on PostgreSQL
// it looks for what other programs have put in front of it ten times a second.
func Priority(p int) sharedOption {
	return func(s *settings) {
		if p < -32768 || p > 32767 {
			s.fail(fmt.Errorf("priority %d: want -32768 to 32767", p))
		}
		s.priority = p
	}
}

// Tags let only workers that have one of these tags take the task. Default none: any worker.
func Tags(tags ...string) sharedOption {
	return func(s *settings) {
		for _, tag := range tags {
			if err := checkName("tag", tag); err != nil {
				s.fail(err)
			}
		}
		s.tags = tags
	}
}

// Retry sets the retry policy: of an activity, the default is RetryPolicy{}; of a workflow, a single attempt.
func Retry(p RetryPolicy) policyOption {
	return func(s *settings) {
		if err := p.validate(); err != nil {
			s.fail(err)
		}
		s.retry = p
	}
}

// MaxConcurrent is the most of this activity that run at once on all workers together; exact. Default 0: no limit.
//
// It counts the tasks that the database holds as running. One that is cancelled, or whose execution ends, is none from then
// on, while its code goes on until its worker is told, within a third of the [WorkerConfig] Lease (10 s by default), and it
// returns. Whoever needs more, such as for a licence that must not be used twice, holds that itself.
func MaxConcurrent(n int) activityOption {
	return func(s *settings) {
		if n < 0 {
			s.fail(fmt.Errorf("max concurrent %d: want 0 (no limit) or more", n))
		}
		s.maxConcurrent = n
	}
}

// ScheduleToStart is the longest that the activity may wait in its queue for a worker, from when it is due, each time that
// it goes there. Then it has timed out for good: it is not tried again, since another attempt would wait in the same
// queue, and is in the dead letters. One that begins where its workflow runs, as most do, never waits. Default 0: no
// limit.
func ScheduleToStart(d time.Duration) activityOption {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("schedule-to-start timeout %v: want 0 (no limit) or more", d))
		}
		s.scheduleToStart = d
	}
}

// HeartbeatTimeout is the longest that an attempt at the activity may go on without a [Heartbeat]; then its context ends,
// with a [*TimeoutError] as its cause, and the attempt has failed. It is tried again as the policy says, also where the
// activity hangs and never returns. Default 0: no heartbeat is expected.
func HeartbeatTimeout(d time.Duration) activityOption {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("heartbeat timeout %v: want 0 (no limit) or more", d))
		}
		s.heartbeat = d
	}
}

// MaxDuration is the longest that the execution may take, from its start on, with all that it waits for; then it has timed
// out, also where no worker has it, the contexts of its activities end, and it is in the dead letters. A replay gives it
// the same time again. One that is cancelling by then is cancelled. Default 0: no limit.
func MaxDuration(d time.Duration) wholeOption {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("maximal duration %v: want 0 (no limit) or more", d))
		}
		s.maxDuration = d
	}
}

// StartToClose is the longest that one attempt at the activity may take; then its context ends, with a [*TimeoutError] as
// its cause, and the attempt has failed. It is tried again as the policy says. Default 0: no limit.
func StartToClose(d time.Duration) activityOption {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("start-to-close timeout %v: want 0 (no limit) or more", d))
		}
		s.startToClose = d
	}
}

// Elsewhere says that another program implements this workflow or activity, so that an engine without a handler for it
// starts and calls it all the same.
func Elsewhere() calleeOption { return func(s *settings) { s.elsewhere = true } }

// Key names a call within its workflow, instead of the callee's name and ordinal. It must be the same whenever the
// workflow runs again, and no two calls may share it.
func Key(key string) callOption {
	return func(s *settings) {
		if err := checkName("key", key); err != nil {
			s.fail(err)
		}
		s.key = key
	}
}

// Parallel is the most calls of a Map that are under way at once. Default 0: all.
func Parallel(n int) callOption {
	return func(s *settings) {
		if n < 0 {
			s.fail(fmt.Errorf("parallel %d: want 0 (all) or more", n))
		}
		s.parallel = max(n, 0)
	}
}

// Detached lets a child go on when the execution that called it ends or begins anew, whatever the way; without it the
// child is asked to cancel then.
func Detached() childOption { return func(s *settings) { s.detached = true } }

// HistoryLimit sets for executions of this workflow what [WithHistoryLimit] sets for all.
func HistoryLimit(warn, most int) workflowOption {
	return func(s *settings) {
		if err := checkHistoryLimit(warn, most); err != nil {
			s.fail(err)
		}
		s.historyWarn, s.historyMax = warn, most
	}
}

// ID names the execution. Starting the same workflow with the same input and id again returns the same execution;
// anything else under that id is ErrAlreadyExists. Default: a new UUID of version 7; for a child, the id of the execution
// that calls it and the place of the call, "order-42/3". An id that is given to a child must be free.
func ID(id string) startOption {
	return func(s *settings) {
		if err := checkName("execution id", id); err != nil {
			s.fail(err)
		}
		s.id = id
	}
}

// Delay makes the execution due so long after it is started. Default 0.
func Delay(d time.Duration) startOption {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("delay %v: want 0 or more", d))
		}
		s.delay = d
	}
}

// At makes the execution due at a time, by the database's clock; a time in the past means now.
func At(t time.Time) startOption { return func(s *settings) { s.at = t } }

// maxMetadata is the most bytes of an execution's metadata.
const maxMetadata = 64 << 10

// Metadata is kept with the execution and shown with it. Keys are like other names; all together it has at most 64 KiB.
func Metadata(m map[string]string) startOption {
	return func(s *settings) {
		size := 0
		for key, value := range m {
			if err := checkName("metadata key", key); err != nil {
				s.fail(err)
			}
			if size += len(key) + len(value); size > maxMetadata {
				s.fail(fmt.Errorf("metadata: more than the %d bytes that it may have", maxMetadata))
			}
			if storable(value, maxMetadata) != value {
				s.fail(fmt.Errorf("metadata %q: a value that is not valid UTF-8, or holds a NUL", key))
			}
		}
		s.metadata = m
	}
}

// checkName refuses names that could not be stored, shown on a line, or typed at a console.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s: an empty name", what)
	case len(name) > maxName:
		return fmt.Errorf("%s %.40q…: %d bytes, want at most %d", what, name, len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s %q: not valid UTF-8", what, name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%s %q: contains a control character", what, name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%s %q: begins or ends with a blank", what, name)
	}
	return nil
}

// checkID says ErrNotFound of what can be no execution's id, before a database has to say what it thinks of it.
func checkID(id string) error {
	if err := checkName("execution id", id); err != nil {
		return fmt.Errorf("%w: %w", err, ErrNotFound)
	}
	return nil
}

// names lists what is known, for an error about what is not.
func names[V any](m map[string]V) string {
	if len(m) == 0 {
		return "none"
	}
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
