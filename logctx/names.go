package logctx

import "fmt"

// Names says what the fields are called. An empty name means the default, "-" leaves the field out.
type Names struct {
	ExecutionID string // default "stent_execution_id"
	TaskID      string // default "stent_task_id"
	WorkerID    string // default "stent_worker_id"
	Step        string // default "stent_step"
	Queue       string // default "stent_queue"
	Attempt     string // default "stent_attempt"; the value is a number
	TraceID     string // default "trace_id", as OpenTelemetry says; only with a span
	SpanID      string // default "span_id"; likewise
}

var (
	defaultNames = Names{
		"stent_execution_id", "stent_task_id", "stent_worker_id", "stent_step", "stent_queue", "stent_attempt", "trace_id", "span_id",
	}
	bareNames = Names{"execution_id", "task_id", "worker_id", "step", "queue", "attempt", "trace_id", "span_id"}
)

// leaveOut is the name of a field that nobody wants.
const leaveOut = "-"

// change takes over the names that others has.
func (n *Names) change(others Names) {
	to := others.all()
	for i, name := range n.all() {
		if *to[i] != "" {
			*name = *to[i]
		}
	}
}

func (n *Names) all() []*string {
	return []*string{&n.ExecutionID, &n.TaskID, &n.WorkerID, &n.Step, &n.Queue, &n.Attempt, &n.TraceID, &n.SpanID}
}

// validate refuses names under which a record would say two things.
func (n *Names) validate() error {
	seen := map[string]bool{}
	for _, name := range n.all() {
		if seen[*name] && *name != leaveOut {
			return fmt.Errorf("two fields have the name %q", *name)
		}
		seen[*name] = true
	}
	return nil
}
