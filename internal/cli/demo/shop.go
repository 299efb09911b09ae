package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core"
)

// shop has the functions behind the activities.
type shop struct {
	log     *slog.Logger
	opened  time.Time
	retried atomic.Int64

	mu   sync.Mutex
	rand *rand.Rand
	hard string // the last execution whose payment took more than one attempt
}

func (s *shop) handlers() []core.Handler {
	return []core.Handler{validate.Handle(s.validate), charge.Handle(s.charge), notify.Handle(s.notify), orders.Handle(process)}
}

func (s *shop) validate(ctx context.Context, o Order) (Order, error) {
	if o.Cents <= 0 {
		return o, core.NonRetryable(fmt.Errorf("order %s has no amount", o.ID))
	}
	if err := s.work(ctx, 60*time.Millisecond); err != nil {
		return o, err
	}
	s.log.DebugContext(ctx, "order validated", "order_id", o.ID, "customer", o.Customer, "amount", amount(o.Cents))
	return o, nil
}

// charge asks the payment gateway. The task's id goes with the request, so that a charge which is tried again after a
// crash is made once.
func (s *shop) charge(ctx context.Context, o Order) (Payment, error) {
	task, _ := core.InfoFrom(ctx)
	if task.Attempt > 1 {
		s.retried.Add(1)
	}
	if err := s.work(ctx, 150*time.Millisecond); err != nil {
		return Payment{}, err
	}
	if err := s.gateway(o, task.Attempt); err != nil {
		return Payment{}, err
	}
	if task.Attempt > 1 {
		s.remember(task.ExecutionID)
	}
	s.log.InfoContext(ctx, "payment authorized", "order_id", o.ID, "amount", amount(o.Cents), "attempt", task.Attempt)
	return Payment{Reference: "PAY-" + task.TaskID, Cents: o.Cents}, nil
}

func (s *shop) remember(execution string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hard = execution
}

func (s *shop) hardest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hard
}

func (s *shop) notify(ctx context.Context, n Notice) (bool, error) {
	if err := s.work(ctx, 60*time.Millisecond); err != nil {
		return false, err
	}
	s.log.InfoContext(ctx, "customer notified", "customer", n.Customer)
	return true, nil
}

// work takes about so long.
func (s *shop) work(ctx context.Context, about time.Duration) error {
	s.mu.Lock()
	d := time.Duration(float64(about) * (0.5 + s.rand.Float64()))
	s.mu.Unlock()
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Trouble is what the gateway has with an order.
type Trouble string

const (
	none     Trouble = ""
	flaky    Trouble = "flaky"    // the first attempt fails
	shaky    Trouble = "shaky"    // the first two attempts fail
	declined Trouble = "declined" // the bank says no; asking again would not help
	outage   Trouble = "outage"   // no attempt succeeds until the gateway is back
)

// outageLasts is how long the gateway is down for an order that meets an outage. A replay after it succeeds, and so does
// one by a shop that opened after the order was placed.
const outageLasts = 20 * time.Second

// ConnectionError is a gateway that cannot be reached; trying again may help.
type ConnectionError struct{ Problem string }

func (e ConnectionError) Error() string { return e.Problem }

// errDeclined is a card that the bank refuses.
var errDeclined = errors.New("card declined: insufficient funds")

func (s *shop) gateway(o Order, attempt int) error {
	switch {
	case o.Trouble == declined:
		return core.NonRetryable(errDeclined)
	case o.Trouble == outage && o.Placed.After(s.opened) && time.Since(o.Placed) < outageLasts:
		return ConnectionError{"payment gateway is down"}
	case o.Trouble == flaky && attempt <= 1, o.Trouble == shaky && attempt <= 2:
		return ConnectionError{"payment gateway timed out"}
	}
	return nil
}

func amount(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
