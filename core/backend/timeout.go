package backend

import (
	"fmt"
	"time"
)

// Codes of the failures that are timeouts; [Failure.Limit] goes with them. The last two are stated by Expire.
const (
	CodeStartToClose    = "start_to_close"    // an attempt took too long
	CodeHeartbeat       = "heartbeat"         // an attempt said nothing for too long
	CodeScheduleToStart = "schedule_to_start" // no worker took the task in time
	CodeMaxDuration     = "max_duration"      // an execution took too long
)

// Unstarted is the failure of an activity that no worker took from its queue in time.
func Unstarted(queue string, limit time.Duration) Failure {
	return Failure{
		Type: "*core.TimeoutError", Code: CodeScheduleToStart, Limit: limit,
		Message: fmt.Sprintf("schedule-to-start timeout: no worker took the task from queue %s within %v", queue, limit),
	}
}

// Overdue is the failure of an execution that took longer than its maximal duration.
func Overdue(limit time.Duration) Failure {
	return Failure{
		Type: "*core.TimeoutError", Code: CodeMaxDuration, Limit: limit,
		Message: fmt.Sprintf("maximal duration: the execution took longer than %v", limit),
	}
}
