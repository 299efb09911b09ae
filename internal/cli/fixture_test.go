package cli

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

// The executions of the tests. The first two are those of the monitoring guide.
const (
	completedID = "550e8400-e29b-41d4-a716-446655440000"
	runningID   = "550e8400-e29b-41d4-a716-446655440001"
	failedID    = "order-failed"
	retryingID  = "order-retrying"
	waitingID   = "order-waiting"
	sleepingID  = "order-sleeping"
	panickedID  = "order-panicked"
	delayedID   = "later"
	pendingID   = "order-pending-with-an-id-that-is-longer-than-usual"
)

func task(id string, seq int) backend.TaskID { return backend.TaskID{Execution: id, Seq: seq} }

// tellAll writes every kind of execution.
func (h *history) tellAll() {
	h.t.Helper()
	h.tellCompleted()
	h.tellRunning()
	h.tellFailed()
	h.tellPanicked()
	h.tellRetrying()
	h.tellWaiting()
	h.tellSleeping()
	h.clock.at(h.t, "11:00:00")
	h.start(pendingID)
	h.commit(&backend.Start{ID: delayedID, Workflow: "order_workflow", Queue: "billing", Delay: 90 * time.Minute})
	h.clock.at(h.t, "11:00:05")
}

// tellCompleted is the execution that the guide shows.
func (h *history) tellCompleted() {
	h.t.Helper()
	id := completedID
	h.clock.at(h.t, "10:30:00")
	h.start(id)
	h.claim()
	h.begin(id, 0, 1, "validate_order",
		backend.Effect{Counter: "progress", Delta: 42},
		backend.Effect{Custom: "phase", Value: []byte(`"completed"`)},
		backend.Effect{Custom: "owner", Value: []byte(`"billing-pipeline"`)})
	h.clock.at(h.t, "10:30:05")
	h.begin(id, 1, 2, "charge_payment")
	h.clock.at(h.t, "10:30:10")
	h.begin(id, 2, 3, "send_notification")
	h.clock.at(h.t, "10:30:15")
	h.commit(&backend.Turn{Execution: id, Token: 1, Completed: []*backend.Complete{{Task: task(id, 3), Token: 1, Result: []byte(`true`)}},
		Added: []backend.Add{{Seq: 4, Key: "sleep#1", Kind: backend.Timer, Step: "sleep", State: backend.Waiting, Delay: 75 * time.Second}}})
	h.clock.at(h.t, "10:31:30")
	h.commit(&backend.Turn{Execution: id, Token: 1, Settled: []backend.Settle{{Seq: 4, State: backend.Completed}},
		Close: &backend.Close{State: backend.Completed, Result: []byte(`{"order_id":"ORD-123","status":"completed"}`)}})
}

func (h *history) tellRunning() {
	h.t.Helper()
	h.clock.at(h.t, "10:35:00")
	h.start(runningID)
	h.claim()
	h.begin(runningID, 0, 1, "validate_order",
		backend.Effect{Counter: "rate", Delta: 0.5},
		backend.Effect{Custom: "cart", Value: []byte(`{"items":[1,2],"note":"a\u003cb: c, \"d\""}`)})
}

// tellFailed is an execution whose charge has used up its attempts.
func (h *history) tellFailed() {
	h.t.Helper()
	id, charge := failedID, task(failedID, 2)
	timeout := backend.Failure{Type: "ConnectionError", Message: "timeout"}
	h.clock.at(h.t, "10:40:00")
	h.start(id)
	h.claim()
	h.begin(id, 0, 1, "validate_order")
	h.clock.at(h.t, "10:40:01")
	h.begin(id, 1, 2, "charge_payment")
	h.clock.at(h.t, "10:40:02")
	h.commit(&backend.Retry{Task: charge, Token: 1, Failure: timeout})
	h.claim()
	h.clock.at(h.t, "10:40:04")
	h.commit(&backend.Retry{Task: charge, Token: 2, Failure: timeout})
	h.claim()
	h.clock.at(h.t, "10:40:08")
	final := backend.Failure{Type: "ConnectionError", Message: "Connection timed out"}
	h.commit(&backend.Turn{
		Execution: id, Token: 1,
		Buried: []*backend.Bury{{Task: charge, Token: 3, State: backend.Failed, Failure: final, Reason: "ConnectionError: Connection timed out"}},
		Close: &backend.Close{State: backend.Failed, Cause: &charge,
			Failure: &backend.Failure{Type: "*core.ActivityError", Message: "activity charge_payment failed: Connection timed out", Cause: charge.String()}},
	})
}

// tellPanicked is an execution whose workflow panicked, with a message that would play with a terminal.
func (h *history) tellPanicked() {
	h.t.Helper()
	h.clock.at(h.t, "10:45:00")
	h.start(panickedID)
	h.claim()
	h.clock.at(h.t, "10:45:01")
	h.commit(&backend.Turn{Execution: panickedID, Token: 1, Close: &backend.Close{
		State:  backend.Failed,
		Reason: "panic: bad \x1b[31mred",
		Failure: &backend.Failure{
			Type: "*core.PanicError", Code: "panic", Message: "panic: bad \x1b[31mred\nsecond line",
			Stack: "goroutine 7 [running]:\nmain.order(0x1)\n\t/src/order.go:12 +0x5\n",
		},
	}})
}

func (h *history) tellRetrying() {
	h.t.Helper()
	h.clock.at(h.t, "10:50:00")
	h.start(retryingID)
	h.claim()
	h.begin(retryingID, 0, 1, "charge_payment")
	h.clock.at(h.t, "10:50:01")
	h.commit(&backend.Retry{Task: task(retryingID, 1), Token: 1, Failure: backend.Failure{Message: "try later"}, Delay: 30 * time.Minute})
}

func (h *history) tellWaiting() {
	h.t.Helper()
	h.clock.at(h.t, "10:51:00")
	h.start(waitingID)
	h.claim()
	h.begin(waitingID, 0, 1, "validate_order")
	h.clock.at(h.t, "10:51:01")
	h.wait(waitingID, 1, backend.Add{Seq: 2, Key: "approval#1", Kind: backend.SignalWait, Step: "approval", State: backend.Waiting, Delay: -1})
}

func (h *history) tellSleeping() {
	h.t.Helper()
	h.clock.at(h.t, "10:52:00")
	h.start(sleepingID)
	h.claim()
	h.begin(sleepingID, 0, 1, "validate_order")
	h.clock.at(h.t, "10:52:01")
	h.wait(sleepingID, 1, backend.Add{Seq: 2, Key: "sleep#1", Kind: backend.Timer, Step: "sleep", State: backend.Waiting, Delay: 48 * time.Hour})
}
