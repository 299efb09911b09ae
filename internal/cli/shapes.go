package cli

import (
	"encoding/json"
	"math"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// The shapes of what --json prints. They are kept: a field may be added, none is renamed or removed. Every field is
// always there; what there is none of is null, a list empty. Times are RFC 3339 in UTC.

// executionShape is an element of `stent list --json`.
type executionShape struct {
	ID         string        `json:"id"`
	Workflow   string        `json:"workflow"`
	Queue      string        `json:"queue"`
	Priority   int           `json:"priority"`
	Tags       []string      `json:"tags"`
	State      backend.State `json:"state"`
	Attempt    int           `json:"attempt"`
	CreatedAt  *time.Time    `json:"created_at"`
	StartedAt  *time.Time    `json:"started_at"`
	FinishedAt *time.Time    `json:"finished_at"`
	Error      *errorShape   `json:"error"`
}

// executionDetailShape is `stent show --json`.
type executionDetailShape struct {
	executionShape
	ParentID     *string                    `json:"parent_id"`           // the execution that called this one
	ParentTaskID *string                    `json:"parent_task_id"`      // and the call in its history
	Run          int                        `json:"run"`                 // from 1: how often it has begun anew
	Deadline     *time.Time                 `json:"deadline_at"`         // when it times out, or would have
	CancelAsked  *time.Time                 `json:"cancel_requested_at"` // when it was asked to stop
	Metadata     map[string]string          `json:"metadata"`
	Input        any                        `json:"input"`
	Result       any                        `json:"result"`
	Progress     []progressShape            `json:"progress"`
	Counters     map[string]any             `json:"counters"`
	CustomState  map[string]json.RawMessage `json:"custom_state"`
	DeadLetters  []string                   `json:"dead_letters"` // task ids
}

// progressShape is one event of an execution.
type progressShape struct {
	At      time.Time     `json:"at"`
	Step    string        `json:"step"`
	TaskID  string        `json:"task_id"`
	Kind    backend.Kind  `json:"kind"`
	State   backend.State `json:"state"`
	Attempt *int          `json:"attempt"` // of an activity
	DueAt   *time.Time    `json:"due_at"`  // when a task that waits is next looked at
	Error   *string       `json:"error"`
	ChildID *string       `json:"child_id"` // of a call of a workflow: its execution
}

// errorShape is why something failed.
type errorShape struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    string `json:"code"` // "" unless the engine itself says why
	Stack   string `json:"stack"`
}

// taskShape is an element of `stent tasks --json`.
type taskShape struct {
	TaskID      string        `json:"task_id"`
	ExecutionID string        `json:"execution_id"`
	Workflow    string        `json:"workflow"`
	Step        string        `json:"step"`
	Kind        backend.Kind  `json:"kind"`
	Queue       *string       `json:"queue"` // null for what never is in one: a sleep, a wait for a signal
	Tags        []string      `json:"tags"`
	State       backend.State `json:"state"`
	Attempt     int           `json:"attempt"`
	WorkerID    *string       `json:"worker_id"`
	CreatedAt   *time.Time    `json:"created_at"`
	StartedAt   *time.Time    `json:"started_at"`
	FinishedAt  *time.Time    `json:"finished_at"`
	DueAt       *time.Time    `json:"due_at"`
	LeaseUntil  *time.Time    `json:"lease_until"`
	Error       *errorShape   `json:"error"`
}

// deadLetterShape is an element of `stent dlq list --json`.
type deadLetterShape struct {
	TaskID      string       `json:"task_id"`
	ExecutionID string       `json:"execution_id"`
	Workflow    string       `json:"workflow"`
	Step        string       `json:"step"`
	Kind        backend.Kind `json:"kind"`
	Queue       string       `json:"queue"`
	Tags        []string     `json:"tags"`
	Reason      string       `json:"reason"`
	Attempts    int          `json:"attempts"`
	MovedAt     *time.Time   `json:"moved_at"`
	Error       *errorShape  `json:"error"`
	Fingerprint string       `json:"fingerprint"` // the same for failures of one reason
}

// deadLetterDetailShape is `stent dlq show --json`.
type deadLetterDetailShape struct {
	deadLetterShape
	Failures []attemptShape `json:"failures"` // oldest first
	Audit    []auditShape   `json:"audit"`    // what people did to the task, oldest first
}

type auditShape struct {
	At     *time.Time `json:"at"`
	Actor  string     `json:"actor"`
	Action string     `json:"action"`
	Detail *string    `json:"detail"`
}

// letterGroupShape is an element of `stent dlq groups --json`.
type letterGroupShape struct {
	Fingerprint   string     `json:"fingerprint"`
	Step          string     `json:"step"`
	Count         int        `json:"count"`
	Reason        string     `json:"reason"` // of the newest
	OldestMovedAt *time.Time `json:"oldest_moved_at"`
	NewestMovedAt *time.Time `json:"newest_moved_at"`
}

// bulkShape is `stent dlq replay-all --json` and `stent dlq discard-all --json`.
type bulkShape struct {
	DryRun   bool          `json:"dry_run"`
	Matched  int           `json:"matched"`
	Done     int           `json:"done"`
	Skipped  int           `json:"skipped"`
	Canaries []canaryShape `json:"canaries"`
}

type canaryShape struct {
	TaskID string        `json:"task_id"`
	Step   string        `json:"step"`
	State  backend.State `json:"state"`
	Error  *errorShape   `json:"error"`
}

func shapeBulk(r core.BulkReport, dryRun bool) bulkShape {
	shape := bulkShape{DryRun: dryRun, Matched: r.Matched, Done: r.Done, Skipped: r.Skipped, Canaries: []canaryShape{}}
	for _, c := range r.Canaries {
		shape.Canaries = append(shape.Canaries, canaryShape{TaskID: c.Task.String(), Step: c.Step, State: c.State, Error: shapeError(c.Failure)})
	}
	return shape
}

type attemptShape struct {
	Attempt  int         `json:"attempt"`
	At       *time.Time  `json:"at"`
	WorkerID string      `json:"worker_id"`
	Error    *errorShape `json:"error"`
}

// replayShape is `stent dlq replay --json`.
type replayShape struct {
	TaskID string `json:"task_id"`
	Queue  string `json:"queue"`
}

// signalShape is `stent signal --json`.
type signalShape struct {
	ExecutionID string          `json:"execution_id"`
	Signal      string          `json:"signal"`
	Payload     json.RawMessage `json:"payload"`
}

// cancelShape is `stent cancel --json`.
type cancelShape struct {
	ExecutionID string        `json:"execution_id"`
	State       backend.State `json:"state"` // cancelling or cancelled
}

// migrateShape is `stent migrate up --json` and `stent migrate status --json`.
type migrateShape struct {
	UpToDate bool             `json:"up_to_date"` // where it is not, that is an error
	Pending  []migrationShape `json:"pending"`
}

type migrationShape struct {
	Version int    `json:"version"`
	Name    string `json:"name"`
}

// versionShape is `stent version --json`.
type versionShape struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// statsShape is `stent stats --json`.
type statsShape struct {
	At         time.Time               `json:"at"`
	Executions map[backend.State]int64 `json:"executions"` // every state that an execution can have
	Queues     []queueShape            `json:"queues"`
}

type queueShape struct {
	Queue       string     `json:"queue"`
	Depth       int64      `json:"depth"`     // due and not claimed
	Scheduled   int64      `json:"scheduled"` // due later
	Running     int64      `json:"running"`
	DeadLetters int64      `json:"dead_letters"`
	Workers     int64      `json:"workers"`
	Paused      bool       `json:"paused"`
	OldestDueAt *time.Time `json:"oldest_due_at"`
}

// queueDetailShape is an element of `stent queue list --json`, and what pause and resume print.
type queueDetailShape struct {
	queueShape
	PausedAt *time.Time `json:"paused_at"`
	PausedBy *string    `json:"paused_by"`
}

// scheduleShape is an element of `stent schedule list --json`, and what the other schedule commands print of one.
type scheduleShape struct {
	Name          string            `json:"name"`
	Cron          string            `json:"cron"`
	Location      string            `json:"location"`
	CatchUp       core.CatchUp      `json:"catch_up"`
	CatchUpMost   *int              `json:"catch_up_most"` // of catch_up all
	Overlap       core.Overlap      `json:"overlap"`
	Workflow      string            `json:"workflow"`
	Queue         string            `json:"queue"`
	Priority      int               `json:"priority"`
	Tags          []string          `json:"tags"`
	Input         any               `json:"input"`
	MaxDuration   *float64          `json:"max_duration_seconds"`
	Metadata      map[string]string `json:"metadata"`
	State         string            `json:"state"` // active, overdue, paused or invalid
	NextAt        *time.Time        `json:"next_at"`
	Upcoming      []time.Time       `json:"upcoming"` // the next ticks, the first of them next_at
	LastTickAt    *time.Time        `json:"last_tick_at"`
	LastExecution *string           `json:"last_execution_id"`
	Running       bool              `json:"running"` // the last execution has not ended
	Skipped       int64             `json:"skipped"`
	PausedAt      *time.Time        `json:"paused_at"`
	PausedBy      *string           `json:"paused_by"`
	ChangedAt     *time.Time        `json:"changed_at"`
	Error         *string           `json:"error"` // of one that is invalid here
}

// scheduleTriggerShape is `stent schedule trigger --json`.
type scheduleTriggerShape struct {
	Schedule    string `json:"schedule"`
	ExecutionID string `json:"execution_id"`
}

// scheduleDeleteShape is `stent schedule delete --json`.
type scheduleDeleteShape struct {
	Schedule string `json:"schedule"`
	Deleted  bool   `json:"deleted"`
}

// cleanupShape is `stent cleanup --json`.
type cleanupShape struct {
	DryRun     bool                  `json:"dry_run"`
	Executions int                   `json:"executions"`
	ByState    map[backend.State]int `json:"by_state"` // every final state
	Tasks      int                   `json:"tasks"`
}

// printJSON ends a command that was asked for JSON.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.screen)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func shapeExecution(x backend.Execution) executionShape {
	return executionShape{
		ID: x.ID, Workflow: x.Workflow, Queue: x.Queue, Priority: x.Priority, Tags: shapeList(x.Tags), State: x.State, Attempt: x.Attempt,
		CreatedAt: shapeTime(x.Created), StartedAt: shapeTime(x.Started), FinishedAt: shapeTime(x.Finished),
		Error: shapeError(x.Failure),
	}
}

func shapeTask(t backend.Task) taskShape {
	return taskShape{
		TaskID: t.ID.String(), ExecutionID: t.ID.Execution, Workflow: t.Workflow, Step: t.Step, Kind: t.Kind, Queue: shapeText(t.Queue),
		Tags: shapeList(t.Tags), State: t.State, Attempt: t.Attempt, WorkerID: shapeText(t.Worker),
		CreatedAt: shapeTime(t.Created), StartedAt: shapeTime(t.Started), FinishedAt: shapeTime(t.Finished), DueAt: shapeTime(t.Due),
		LeaseUntil: shapeTime(t.LeaseUntil), Error: shapeError(t.Failure),
	}
}

func shapeDeadLetter(d backend.DeadLetter) deadLetterShape {
	return deadLetterShape{
		TaskID: d.Task.String(), ExecutionID: d.Task.Execution, Workflow: d.Workflow, Step: d.Step, Kind: d.Kind, Queue: d.Queue,
		Tags: shapeList(d.Tags), Reason: d.Reason, Attempts: d.Attempts, MovedAt: shapeTime(d.Moved), Error: shapeError(&d.Failure),
		Fingerprint: core.Fingerprint(d.Failure),
	}
}

func shapeError(f *backend.Failure) *errorShape {
	if f == nil {
		return nil
	}
	return &errorShape{Type: f.Type, Message: f.Message, Code: f.Code, Stack: f.Stack}
}

func shapeTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func shapeText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func shapeList(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// shapePayload is stored JSON as it is; what is not JSON is a string in base64.
func shapePayload(data []byte) any {
	switch {
	case len(data) == 0:
		return nil
	case json.Valid(data):
		return json.RawMessage(data)
	}
	return data
}

// shapeNumber is null where JSON has no word for a number.
func shapeNumber(f float64) any {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return f
}
