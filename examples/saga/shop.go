package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/stentgo/stent/core"
)

// shop stands for the services that an order needs. It prints what it is asked to do.
type shop struct {
	broken string // the activity that fails

	mu  sync.Mutex
	out io.Writer
}

func (s *shop) handlers() []core.Handler {
	return []core.Handler{
		orders.Handle(placeOrder),
		reserveStock.Handle(s.reserve), chargeCard.Handle(s.charge), bookCourier.Handle(s.ship),
		releaseStock.Handle(s.release), refundPayment.Handle(s.refund),
	}
}

func (s *shop) reserve(ctx context.Context, o Order) (Reservation, error) {
	return Reservation{ID: idempotencyKey(ctx), Item: o.Item}, s.does(ctx, "reserves %s", o.Item)
}

func (s *shop) charge(ctx context.Context, o Order) (Payment, error) {
	return Payment{ID: idempotencyKey(ctx), Amount: o.Amount}, s.does(ctx, "charges %d", o.Amount)
}

func (s *shop) ship(ctx context.Context, o Order) (Parcel, error) {
	return Parcel{Tracking: "T-" + o.ID}, s.does(ctx, "books a courier for %s", o.Item)
}

func (s *shop) release(ctx context.Context, r Reservation) (bool, error) {
	return true, s.does(ctx, "releases %s again", r.Item)
}

func (s *shop) refund(ctx context.Context, p Payment) (bool, error) {
	return true, s.does(ctx, "pays %d back", p.Amount)
}

// idempotencyKey is what a real service would be given: it is the same for all attempts at a task, so that a charge whose
// answer was lost is not made twice.
func idempotencyKey(ctx context.Context) string {
	task, _ := core.InfoFrom(ctx)
	return task.TaskID
}

func (s *shop) does(ctx context.Context, format string, args ...any) error {
	task, _ := core.InfoFrom(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "  %-14s attempt %d: %s\n", task.Step, task.Attempt, fmt.Sprintf(format, args...))
	if task.Step == s.broken {
		return errors.New("the service is down")
	}
	return nil
}
