package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	expenses  = core.NewWorkflow[Expense, Outcome]("approve_expense")
	decisions = core.NewSignal[Decision]("decision")

	ask = core.NewActivity[Question, bool]("ask")
	pay = core.NewActivity[Expense, string]("pay_expense")
)

// Expense is what somebody wants to have paid back.
type Expense struct {
	What   string `json:"what"`
	Amount int    `json:"amount"`
	// Patience is how long each of the two who may decide has time. It is part of the input, and not a flag of the program,
	// so that it is the same whoever goes on with the workflow.
	Patience time.Duration `json:"patience"`
}

// Question goes to a person.
type Question struct {
	To      string  `json:"to"`
	Expense Expense `json:"expense"`
}

// Decision is the person's answer.
type Decision struct {
	Approved bool   `json:"approved"`
	By       string `json:"by"`
}

// Outcome is how it ended.
type Outcome struct {
	Paid    bool   `json:"paid"`
	Receipt string `json:"receipt,omitempty"`
	Why     string `json:"why"`
}

// approveExpense asks the team lead, then, if there is no answer in time, the manager, and pays what was approved. While it
// waits it is a row in the database: the program may be stopped for a week.
func approveExpense(flow *core.Flow, e Expense) (Outcome, error) {
	for _, person := range []string{"team lead", "manager"} {
		if err := flow.State("waits_for").Set(person); err != nil {
			return Outcome{}, err
		}
		if _, err := ask.Call(flow, Question{To: person, Expense: e}); err != nil {
			return Outcome{}, err
		}
		decision, err := decisions.ReceiveWithin(flow, e.Patience)
		switch {
		case errors.Is(err, core.ErrSignalTimeout):
			continue
		case err != nil:
			return Outcome{}, err
		case !decision.Approved:
			return Outcome{Why: "rejected by " + decision.By}, nil
		}
		receipt, err := pay.Call(flow, e)
		return Outcome{Paid: true, Receipt: receipt, Why: "approved by " + decision.By}, err
	}
	return Outcome{Why: fmt.Sprintf("nobody decided within %v", 2*e.Patience)}, nil
}
