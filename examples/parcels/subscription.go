package main

import (
	"errors"
	"time"

	"github.com/stentgo/stent/core"
)

// Account is what a subscription knows from one month to the next.
type Account struct {
	Months int `json:"months"`
	Cents  int `json:"cents"`
}

// Subscription is charged every month until it is ended. HistoryLimit is far above what a month needs.
var (
	Subscription = core.NewWorkflow[Account, Account]("subscription", core.HistoryLimit(50, 500))
	Charge       = core.NewActivity[int, bool]("charge_month")
	End          = core.NewSignal[string]("end")
)

func subscription(flow *core.Flow, a Account) (Account, error) {
	reason, err := End.ReceiveWithin(flow, 30*24*time.Hour)
	if err == nil {
		return a, flow.State("ended because").Set(reason)
	}
	if !errors.Is(err, core.ErrSignalTimeout) {
		return a, err
	}
	if _, err := Charge.Call(flow, a.Cents); err != nil {
		return a, err
	}
	flow.Counter("months").Add(1)
	return a, flow.ContinueAsNew(Account{Months: a.Months + 1, Cents: a.Cents})
}
