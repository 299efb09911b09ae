package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stentgo/stent/core"
)

// Parcel is a part of an order.
type Parcel struct {
	Number int     `json:"number"`
	Weight float64 `json:"weight"`
}

// Order is what a customer bought.
type Order struct {
	ID      string   `json:"id"`
	Parcels []Parcel `json:"parcels"`
}

// The workflow that calls and the ones that are called.
var (
	Deliver = core.NewWorkflow[Order, []string]("deliver_order")
	Ship    = core.NewWorkflow[Parcel, string]("ship_parcel")
	Survey  = core.NewWorkflow[Order, bool]("ask_for_opinion")
)

// What they do in the world.
var (
	Pack   = core.NewActivity[Parcel, Parcel]("pack_parcel")
	Hand   = core.NewActivity[Parcel, string]("hand_to_carrier")
	Refund = core.NewActivity[Order, bool]("refund_order")
	Mail   = core.NewActivity[string, bool]("send_mail")
)

func deliver(flow *core.Flow, o Order) ([]string, error) {
	codes, err := Ship.Map(flow, o.Parcels, core.Parallel(10))
	var failed *core.ChildError
	if errors.As(err, &failed) {
		_, refunded := Refund.Call(flow, o)
		return nil, errors.Join(err, refunded)
	}
	if err != nil {
		return nil, err
	}
	Survey.Go(flow, o, core.Detached(), core.ID("survey-"+o.ID), core.Delay(14*24*time.Hour))
	return codes, nil
}

func ship(flow *core.Flow, p Parcel) (string, error) {
	p, err := Pack.Call(flow, p)
	if err != nil {
		return "", err
	}
	return Hand.Call(flow, p)
}

func survey(flow *core.Flow, o Order) (bool, error) {
	return Mail.Call(flow, "How do you like order "+o.ID+"?")
}

// tooHeavyError is a parcel that no carrier takes.
type tooHeavyError struct{ Parcel Parcel }

func (e *tooHeavyError) Error() string { return fmt.Sprintf("parcel %d is too heavy", e.Parcel.Number) }

func handlers() []core.Handler {
	return []core.Handler{
		Deliver.Handle(deliver),
		Ship.Handle(ship),
		Survey.Handle(survey),
		Subscription.Handle(subscription),
		Pack.Handle(func(_ context.Context, p Parcel) (Parcel, error) { return p, nil }),
		Hand.Handle(func(_ context.Context, p Parcel) (string, error) {
			if p.Weight > 30 {
				return "", core.NonRetryable(&tooHeavyError{p})
			}
			return fmt.Sprint("code-", p.Number), nil
		}),
		Refund.Handle(func(context.Context, Order) (bool, error) { return true, nil }),
		Mail.Handle(func(context.Context, string) (bool, error) { return true, nil }),
		Charge.Handle(func(context.Context, int) (bool, error) { return true, nil }),
	}
}
