package demo

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core"
)

// Order is what a customer wants, and, since this is a demo, what will go wrong with it.
type Order struct {
	ID       string    `json:"order_id"`
	Customer string    `json:"customer"`
	Cents    int       `json:"amount_cents"`
	Placed   time.Time `json:"placed_at"`
	Trouble  Trouble   `json:"trouble,omitempty"`
}

// Receipt is how an order ends.
type Receipt struct {
	OrderID string `json:"order_id"`
	Status  string `json:"status"`
}

// Payment is what the gateway answers.
type Payment struct {
	Reference string `json:"reference"`
	Cents     int    `json:"amount_cents"`
}

// Notice is a message to a customer.
type Notice struct {
	Customer string `json:"customer"`
	Text     string `json:"text"`
}

// Decision is a person's answer about a large order.
type Decision struct {
	Approved bool   `json:"approved"`
	By       string `json:"by"`
}

// needsApproval is the amount from which a person has to agree.
const needsApproval = 500_00

// WorkflowName is the name under which the orders are stored.
const WorkflowName = "order_workflow"

// The delays are short, so that a person who watches sees a retry succeed.
var (
	validate = core.NewActivity[Order, Order]("validate_order")
	charge   = core.NewActivity[Order, Payment]("charge_payment", core.Tags("billing"),
		core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: 400 * time.Millisecond, MaxDelay: 2 * time.Second}))
	notify   = core.NewActivity[Notice, bool]("send_notification")
	orders   = core.NewWorkflow[Order, Receipt](WorkflowName)
	approval = core.NewSignal[Decision]("approval")
)

// process is the workflow. Whatever dies in between, it goes on after the last step that was completed.
func process(flow *core.Flow, o Order) (Receipt, error) {
	if err := flow.State("owner").Set("billing-pipeline"); err != nil {
		return Receipt{}, err
	}
	if err := enter(flow, "validating", 0); err != nil {
		return Receipt{}, err
	}
	o, err := validate.Call(flow, o)
	if err != nil {
		return Receipt{}, err
	}
	if o.Cents >= needsApproval {
		if err := enter(flow, "waiting for approval", 0); err != nil {
			return Receipt{}, err
		}
		decision, err := approval.Receive(flow)
		if err != nil {
			return Receipt{}, err
		}
		if !decision.Approved {
			return Receipt{OrderID: o.ID, Status: "rejected by " + decision.By}, enter(flow, "rejected", 100)
		}
	}
	if err := enter(flow, "charging", 30); err != nil {
		return Receipt{}, err
	}
	payment, err := charge.Call(flow, o)
	if err != nil {
		return Receipt{}, err
	}
	if err := enter(flow, "notifying", 50); err != nil {
		return Receipt{}, err
	}
	if _, err := notify.Call(flow, Notice{o.Customer, fmt.Sprintf("%s is paid: %s", o.ID, payment.Reference)}); err != nil {
		return Receipt{}, err
	}
	return Receipt{OrderID: o.ID, Status: "completed"}, enter(flow, "completed", 20)
}

// enter tells those who look how far the order is.
func enter(flow *core.Flow, phase string, percent float64) error {
	flow.Counter("progress").Add(percent)
	return flow.State("phase").Set(phase)
}
