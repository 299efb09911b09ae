package core

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Sentence says it in one sentence, without a full stop. at writes a time; nil writes it as RFC 3339 in UTC.
func (because *Explanation) Sentence(at func(time.Time) string) string {
	if at == nil {
		at = func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	}
	s := because.clause(at)
	switch {
	case because.Others == 1:
		s += "; one more of its tasks has not ended"
	case because.Others > 1:
		s += fmt.Sprintf("; %d more of its tasks have not ended", because.Others)
	}
	return s
}

func (because *Explanation) clause(at func(time.Time) string) string {
	subject := because.subject()
	switch because.Reason {
	case ReasonCompleted:
		return "It completed at " + at(because.Since)
	case ReasonCancelled:
		return "It was cancelled at " + at(because.Since) + because.because()
	case ReasonTimedOut:
		return "It timed out at " + at(because.Since) + because.because()
	case ReasonFailed:
		return "It failed at " + at(because.Since) + because.because() + "; there is no dead letter to replay"
	case ReasonNonDeterminism:
		return "Its workflow no longer makes the calls that its history holds" + because.because()
	case ReasonDeadLettered:
		return fmt.Sprintf("%s failed for good at %s, after %s%s", subject, at(because.Since), attempts(because.Attempt), because.because())
	case ReasonPaused:
		return fmt.Sprintf("%s is due, and its queue %q is paused", subject, because.Queue)
	case ReasonNoWorker:
		return fmt.Sprintf("%s is due, and no live worker serves its queue %q (served: %s)", subject, because.Queue, joined(because.Known))
	case ReasonNoHandler:
		return fmt.Sprintf("%s is due, and no worker that serves its queue %q has a handler for %q (they have: %s)",
			subject, because.Queue, because.Step, joined(because.Known))
	case ReasonNoTag:
		return fmt.Sprintf("%s is due, and no worker that could run it has one of its tags: %s (they have: %s)",
			subject, joined(because.Tags), joined(because.Known))
	case ReasonLimit:
		return fmt.Sprintf("%s is due, and as many of them run as its limit of %d at once allows", subject, because.Limit)
	case ReasonBusy:
		return fmt.Sprintf("%s is due and next in its queue %q as soon as a worker has a free slot", subject, because.Queue)
	case ReasonDeadWorker:
		return fmt.Sprintf("%s is held by worker %s, which stopped renewing its lease; that ended at %s, and any live worker takes over",
			subject, because.Worker, at(because.Until))
	default:
		return because.waiting(subject, at)
	}
}

// waiting is the clause of what goes on, or will, by itself.
func (because *Explanation) waiting(subject string, at func(time.Time) string) string {
	switch because.Reason {
	case ReasonDelayed:
		return fmt.Sprintf("%s is not due before %s", subject, at(because.Until))
	case ReasonBackingOff:
		return fmt.Sprintf("%s is tried again at %s, as attempt %d%s", subject, at(because.Until), because.Attempt, because.because())
	case ReasonSignal:
		if because.Until.IsZero() {
			return fmt.Sprintf("It waits for the signal %q", because.Step)
		}
		return fmt.Sprintf("It waits for the signal %q, until %s", because.Step, at(because.Until))
	case ReasonChild:
		return fmt.Sprintf("It waits for its child %s, a %s", because.Child, because.Step)
	case ReasonSleeping:
		return "It sleeps until " + at(because.Until)
	case ReasonCancelling:
		return "It is asked to stop, and its workflow has not returned yet"
	}
	if because.Since.IsZero() || because.Worker == "" {
		return subject + " is running"
	}
	return fmt.Sprintf("%s is running since %s on worker %s", subject, at(because.Since), because.Worker)
}

func (because *Explanation) subject() string {
	if because.Kind == backend.Orchestrator {
		return "Its workflow " + because.Step
	}
	return "Its activity " + because.Step
}

func (because *Explanation) because() string {
	if because.Detail == "" {
		return ""
	}
	return ": " + oneLine(because.Detail, 200)
}
