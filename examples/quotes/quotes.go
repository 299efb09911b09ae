// Package quotes shows activities that run once for the same input.
package quotes

import (
	"context"
	"time"

	"github.com/stentgo/stent/core"
)

// Parcel is what is to be sent.
type Parcel struct {
	OrderID string
	Grams   int
	To      string
}

var (
	// Quote asks a carrier for a price, which holds for an hour, whoever asked.
	Quote = core.NewActivity[Parcel, int]("quote", core.Cached(time.Hour), core.CacheKeyFunc(func(p Parcel) string { return p.To }))
	// Charge takes the money once for an order, in however many executions it is called.
	Charge = core.NewActivity[Parcel, string]("charge", core.Idempotent(),
		core.CacheKeyFunc(func(p Parcel) string { return p.OrderID }))
	// Send is the workflow.
	Send = core.NewWorkflow[Parcel, string]("send")
)

// Carrier is where prices come from and money goes to.
type Carrier interface {
	Quote(ctx context.Context, p Parcel) (int, error)
	Charge(ctx context.Context, p Parcel) (string, error)
}

// Handlers bind the workflow and its activities to a carrier.
func Handlers(c Carrier) []core.Handler {
	return []core.Handler{
		Quote.Handle(c.Quote),
		Charge.Handle(c.Charge),
		Send.Handle(func(flow *core.Flow, p Parcel) (string, error) {
			if _, err := Quote.Call(flow, p); err != nil {
				return "", err
			}
			return Charge.Call(flow, p)
		}),
	}
}
