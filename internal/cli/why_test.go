package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// whyCases have an execution for each reason of why, whose id is that of the reason if not told otherwise. what the command
// that why suggests prints has says in it; after it the reason is another one where heals is set.
var whyCases = []struct {
	reason core.Reason
	id     string
	tell   func(h *history)
	says   []string
	heals  bool
}{
	{core.ReasonCompleted, completedID, (*history).tellCompleted, []string{"State: completed"}, false},
	{core.ReasonCancelled, "", func(h *history) {
		h.commit(&backend.Start{ID: "cancelled", Workflow: "order_workflow", Queue: "default", Delay: time.Hour})
		h.mustRun("cancel", "cancelled", "--yes")
	}, []string{"State: cancelled", "Cancelled At"}, false},
	{core.ReasonCancelling, waitingID, func(h *history) {
		h.tellWaiting()
		h.mustRun("cancel", waitingID, "--yes")
		h.claim() // its workflow puts things right
	}, []string{"State: cancelling", "Cancel Requested At"}, false},
	{core.ReasonTimedOut, "", func(h *history) {
		h.commit(&backend.Start{ID: "timed_out", Workflow: "order_workflow", Queue: "default", Delay: time.Hour, MaxDuration: time.Second})
		h.until("it times out", func() bool {
			x, err := h.db.Expire(h.t.Context())
			return err == nil && len(x.Executions) > 0
		})
	}, []string{"State: timed_out", "Timed Out At"}, false},
	{core.ReasonDeadLettered, failedID, (*history).tellFailed, []string{"charge_payment is in queue default again"}, true},
	{core.ReasonNonDeterminism, "", func(h *history) {
		h.start("non_determinism")
		h.claim()
		h.commit(&backend.Turn{Execution: "non_determinism", Token: 1, Close: &backend.Close{
			State: backend.Failed, Reason: "another call", Failure: &backend.Failure{Code: core.CodeNonDeterminism, Message: "another call"},
		}})
	}, []string{"order_workflow is in queue default again"}, true},
	{core.ReasonFailed, failedID, func(h *history) {
		h.tellFailed()
		h.mustRun("dlq", "discard", failedID+".2")
	}, []string{"State: failed", "Connection timed out"}, false},
	{core.ReasonPaused, "", func(h *history) {
		h.start("queue_paused")
		h.mustRun("queue", "pause", "default")
	}, []string{"default"}, true},
	{core.ReasonNoWorker, "", func(h *history) {
		h.commit(&backend.Start{ID: "no_worker", Workflow: "order_workflow", Queue: "nobody"})
	}, []string{"nobody", "billing"}, false},
	{core.ReasonNoHandler, "", func(h *history) {
		h.commit(&backend.Start{ID: "no_handler", Workflow: "new_workflow", Queue: "default"})
	}, []string{"no_handler.0", "new_workflow", "pending"}, false},
	{core.ReasonNoTag, "", func(h *history) {
		h.commit(&backend.Start{ID: "no_tag", Workflow: "order_workflow", Queue: "default", Tags: []string{"gpu"}})
	}, []string{"no_tag.0", "pending"}, false},
	{core.ReasonLimit, "", func(h *history) {
		h.register(backend.Worker{ID: "limited", Queues: allQueues, Tags: []string{"billing"}, Steps: []string{"charge_payment"}, Limits: map[string]int{"charge_payment": 1}}, 24*time.Hour)
		for _, id := range []string{"first", "concurrency"} {
			h.start(id)
			h.claim()
			h.begin(id, 0, 1, "charge_payment")
		}
		h.commit(&backend.Retry{Task: task("concurrency", 1), Token: 1, Failure: backend.Failure{Message: "again"}})
	}, []string{"first.1", "charge_payment"}, false},
	{core.ReasonBusy, "", func(h *history) {
		h.tellRunning()
		h.register(backend.Worker{ID: "busy", Queues: allQueues, Tags: []string{"eu"}, Steps: []string{"order_workflow"}}, 24*time.Hour)
		h.start("workers_busy")
	}, []string{runningID, "validate_order", testWorker}, false},
	{core.ReasonDeadWorker, "", func(h *history) {
		h.register(backend.Worker{ID: "gone", Queues: allQueues}, time.Second)
		h.start("dead_worker")
		claim := &backend.Claim{Queues: allQueues, Steps: []string{"order_workflow"}, Tags: []string{"eu"}, Max: 1}
		if err := h.db.Commit(h.t.Context(), &backend.Batch{Worker: "gone", Commands: []backend.Command{claim}}); err != nil || len(claim.Tasks) != 1 {
			h.t.Fatal(err, claim.Err, len(claim.Tasks))
		}
		h.clock.at(h.t, "23:00:00")
	}, []string{"dead_worker.0", "gone"}, false},
	{core.ReasonDelayed, "", func(h *history) {
		h.commit(&backend.Start{ID: "delayed", Workflow: "order_workflow", Queue: "default", Delay: time.Hour})
	}, []string{"State: pending", "Due At"}, false},
	{core.ReasonBackingOff, retryingID, (*history).tellRetrying, []string{"charge_payment (retrying) attempt 2 at"}, false},
	{core.ReasonSignal, waitingID, (*history).tellWaiting, []string{"Sent approval to " + waitingID}, true},
	{core.ReasonChild, "order-7", (*history).tellFamily, []string{"It", "is not due before"}, false},
	{core.ReasonSleeping, sleepingID, (*history).tellSleeping, []string{"sleep (sleeping) until"}, false},
	{core.ReasonRunning, runningID, (*history).tellRunning, []string{"validate_order (running)"}, false},
}

// For each reason the command that why suggests is there, runs, and does what why says of it.
func TestWhySuggestsWhatHelps(t *testing.T) {
	onEach(t, func(t *testing.T, b testBackend) {
		for _, c := range whyCases {
			t.Run(string(c.reason), func(t *testing.T) {
				h := newHistory(t, b)
				h.clock.at(t, "10:00:00")
				c.tell(h)
				id := c.id
				if id == "" {
					id = string(c.reason)
				}
				var why whyShape
				h.until("it is explained by "+string(c.reason), func() bool {
					why = h.why(id)
					return why.Reason == c.reason || why.Reason != core.ReasonRunning // which a dead worker's is until its lease ends
				})
				if why.Reason != c.reason {
					t.Fatalf("it is explained by %s: %s", why.Reason, why.Sentence)
				}
				if why.Command == nil {
					t.Fatalf("no command for %s", why.Sentence)
				}
				words := strings.Fields(*why.Command)
				if text := h.mustRun("why", id); words[0] != "stent" || !strings.Contains(text, "\n  "+*why.Command+"\n") {
					t.Errorf("as JSON %q, in text\n%s", *why.Command, text)
				}
				got := h.mustRun(words[1:]...)
				for _, text := range c.says {
					if !strings.Contains(got, text) {
						t.Errorf("%s does not say %q:\n%s", *why.Command, text, got)
					}
				}
				if after := h.why(id); (after.Reason != c.reason) != c.heals {
					t.Errorf("after %s it is explained by %s: %s", *why.Command, after.Reason, after.Sentence)
				}
			})
		}
	})
}

// why asks why an execution is not done.
func (h *history) why(id string) (shape whyShape) {
	h.t.Helper()
	if err := json.Unmarshal([]byte(h.mustRun("why", id, "--json")), &shape); err != nil {
		h.t.Fatal(err)
	}
	return shape
}

// mustRun is run where nothing may go wrong.
func (h *history) mustRun(args ...string) string {
	h.t.Helper()
	r := h.run(args...)
	if r.code != exitOK || r.stderr != "" {
		h.t.Fatalf("%q: exit code %d, %s%s", args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

func (h *history) register(w backend.Worker, lease time.Duration) {
	h.t.Helper()
	w.State = backend.WorkerReady
	if _, err := h.db.Register(h.t.Context(), w, lease); err != nil {
		h.t.Fatal(err)
	}
}

// until waits for what depends on the database's own clock.
func (h *history) until(what string, done func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			h.t.Fatalf("it never came that %s", what)
		}
		h.clock.advance(time.Second)
		<-time.After(10 * time.Millisecond)
	}
}
