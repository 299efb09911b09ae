package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core"
)

var (
	orders = core.NewWorkflow[Order, Outcome]("place_order")

	reserveStock  = core.NewActivity[Order, Reservation]("reserve_stock", core.Retry(quick))
	chargeCard    = core.NewActivity[Order, Payment]("charge_card", core.Retry(quick))
	bookCourier   = core.NewActivity[Order, Parcel]("book_courier", core.Retry(quick))
	releaseStock  = core.NewActivity[Reservation, bool]("release_stock", core.Retry(untilDone))
	refundPayment = core.NewActivity[Payment, bool]("refund_payment", core.Retry(untilDone))
)

var (
	quick = core.RetryPolicy{MaxAttempts: 3, InitialDelay: 100 * time.Millisecond}
	// What undoes something has no way out but to succeed: it is tried until it does.
	untilDone = core.RetryPolicy{MaxAttempts: -1, InitialDelay: 100 * time.Millisecond, MaxDelay: time.Minute}
)

// Order is what a customer wants.
type Order struct {
	ID     string `json:"id"`
	Item   string `json:"item"`
	Amount int    `json:"amount"`
}

// Reservation, Payment and Parcel are what the steps return, and what it takes to undo them.
type (
	Reservation struct {
		ID   string `json:"id"`
		Item string `json:"item"`
	}
	Payment struct {
		ID     string `json:"id"`
		Amount int    `json:"amount"`
	}
	Parcel struct {
		Tracking string `json:"tracking"`
	}
)

// Outcome is how an order ended.
type Outcome struct {
	Shipped  bool   `json:"shipped"`
	Tracking string `json:"tracking,omitempty"`
	Why      string `json:"why,omitempty"` // of one that was not shipped
}

// placeOrder is the saga: three steps, and for each that was done what undoes it, in reverse order, if a later one fails.
//
// An order that cannot be carried out is a result and not an error. With an error the execution would have failed, and a
// replay of the step's dead letter would let it go on from there, when everything before it has been undone.
func placeOrder(flow *core.Flow, o Order) (Outcome, error) {
	var undo compensations

	reservation, err := reserveStock.Call(flow, o)
	if err != nil {
		return undo.refuse(err)
	}
	undo.add(func() error { _, err := releaseStock.Call(flow, reservation); return err })

	payment, err := chargeCard.Call(flow, o)
	if err != nil {
		return undo.refuse(err)
	}
	undo.add(func() error { _, err := refundPayment.Call(flow, payment); return err })

	parcel, err := bookCourier.Call(flow, o)
	if err != nil {
		return undo.refuse(err)
	}
	return Outcome{Shipped: true, Tracking: parcel.Tracking}, nil
}

// compensations undo what was done. They are ordinary calls of the workflow: each is written down before it begins, is
// tried until it is done, and is done once, whoever dies meanwhile.
type compensations []func() error

func (c *compensations) add(undo func() error) { *c = append(*c, undo) }

// refuse undoes everything, the last first, and tells why.
func (c *compensations) refuse(why error) (Outcome, error) {
	for _, undo := range slices.Backward(*c) {
		if err := undo(); err != nil {
			return Outcome{}, fmt.Errorf("undo: %w", err)
		}
	}
	reason := why.Error()
	var step *core.ActivityError
	if errors.As(why, &step) {
		reason = step.Activity + ": " + step.Failure.Message
	}
	return Outcome{Why: reason}, nil
}
