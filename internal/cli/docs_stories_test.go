package cli

import (
	"github.com/stentgo/stent/core/backend"
)

// tellDelivery is an order of two parcels, each a child of its own, one of which has arrived.
func (h *history) tellDelivery() {
	h.t.Helper()
	h.clock.at(h.t, "10:30:00")
	parcel := func(id string) *backend.Start {
		return &backend.Start{ID: id, Workflow: "ship_parcel", Queue: "default", Input: []byte(`{}`)}
	}
	h.commit(&backend.Start{ID: "order-42", Workflow: "deliver_order", Queue: "default", Input: []byte(`{}`)})
	h.claimSteps("deliver_order")
	h.commit(&backend.Turn{Execution: "order-42", Token: 1, Added: []backend.Add{
		{Seq: 1, Key: "ship_parcel#1", Kind: backend.Child, Step: "ship_parcel", Queue: "default", State: backend.Waiting, Delay: -1, Child: parcel("order-42/1")},
		{Seq: 2, Key: "ship_parcel#2", Kind: backend.Child, Step: "ship_parcel", Queue: "default", State: backend.Waiting, Delay: -1, Child: parcel("order-42/2")},
	}})
	h.claimSteps("ship_parcel")
	h.clock.at(h.t, "10:30:02")
	caller := task("order-42", 1)
	h.commit(&backend.Turn{Execution: "order-42/1", Token: 1, Close: &backend.Close{State: backend.Completed, Result: []byte(`"DE-1"`), Parent: &caller}})
}

// tellTraced is an order whose start was traced, and whose card was declined once.
func (h *history) tellTraced() {
	h.t.Helper()
	h.clock.at(h.t, "10:30:00")
	id := "order-1003"
	h.commit(&backend.Start{ID: id, Workflow: "order_workflow", Queue: "default", Input: []byte(`{}`), InputHash: 1,
		Carrier: map[string]string{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}})
	h.claim()
	h.begin(id, 0, 1, "validate_order")
	h.clock.at(h.t, "10:30:05")
	h.begin(id, 1, 2, "charge_payment")
	h.clock.at(h.t, "10:30:07")
	h.commit(&backend.Retry{Task: task(id, 2), Token: 1, Failure: backend.Failure{Message: "card declined"}, Delay: 1e9})
	h.clock.at(h.t, "10:30:08")
	h.claim()
	h.clock.at(h.t, "10:30:10")
	h.commit(&backend.Turn{Execution: id, Token: 1, Completed: []*backend.Complete{{Task: task(id, 2), Token: 2, Result: []byte(`true`)}},
		Close: &backend.Close{State: backend.Completed, Result: []byte(`true`)}})
}

func (h *history) claimSteps(steps ...string) {
	h.t.Helper()
	h.commit(&backend.Claim{Queues: allQueues, Tags: []string{"billing", "eu"}, Steps: steps, Max: 100})
}
