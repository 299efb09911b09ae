package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
	"github.com/stentgo/stent/internal/crashtest"
)

// world counts what the services have done and undone, once for each task, as a service does that knows its callers'
// idempotency keys.
type world struct {
	mu   sync.Mutex
	done map[string]string // by task: what was done
}

func (w *world) did(ctx context.Context, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done == nil {
		w.done = map[string]string{}
	}
	w.done[idempotencyKey(ctx)] = what
}

func (w *world) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, what := range w.done {
		all = append(all, what)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// stubs puts stubs in the place of the services. broken always fails.
func (w *world) stubs(env *stenttest.Env, broken string) {
	env.Handle(orders.Handle(placeOrder))
	fails := func(step string) error {
		if step == broken {
			return errors.New("the service is down")
		}
		return nil
	}
	stenttest.Stub(env, reserveStock, func(ctx context.Context, o Order) (Reservation, error) {
		if err := fails("reserve_stock"); err != nil {
			return Reservation{}, err
		}
		w.did(ctx, "reserved")
		return Reservation{ID: idempotencyKey(ctx), Item: o.Item}, nil
	})
	stenttest.Stub(env, chargeCard, func(ctx context.Context, o Order) (Payment, error) {
		if err := fails("charge_card"); err != nil {
			return Payment{}, err
		}
		w.did(ctx, "charged")
		return Payment{ID: idempotencyKey(ctx), Amount: o.Amount}, nil
	})
	stenttest.Stub(env, bookCourier, func(ctx context.Context, o Order) (Parcel, error) {
		if err := fails("book_courier"); err != nil {
			return Parcel{}, err
		}
		w.did(ctx, "booked")
		return Parcel{Tracking: "T-" + o.ID}, nil
	})
	stenttest.Stub(env, releaseStock, func(ctx context.Context, _ Reservation) (bool, error) {
		w.did(ctx, "released")
		return true, nil
	})
	stenttest.Stub(env, refundPayment, func(ctx context.Context, _ Payment) (bool, error) {
		w.did(ctx, "refunded")
		return true, nil
	})
}

var order = Order{ID: "42", Item: "kettle", Amount: 42}

var cases = []struct {
	broken, did, why string
}{
	{"", "booked charged reserved", ""},
	{"reserve_stock", "", "reserve_stock: the service is down"},
	{"charge_card", "released reserved", "charge_card: the service is down"},
	{"book_courier", "charged refunded released reserved", "book_courier: the service is down"},
}

func TestWhatWasDoneIsUndoneInReverse(t *testing.T) {
	for _, test := range cases {
		t.Run("broken "+test.broken, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env, w := stenttest.New(t), &world{}
				w.stubs(env, test.broken)
				got, err := stenttest.Run(env, orders, order, core.ID("order"))
				if err != nil || got.Why != test.why || got.Shipped != (test.broken == "") {
					t.Errorf("outcome %+v, %v", got, err)
				}
				if w.all() != test.did {
					t.Errorf("done: %s, want %s", w.all(), test.did)
				}
				stenttest.AssertReplays(t, env.History("order"), orders.Handle(placeOrder))
			})
		})
	}
}

func TestAnUndoThatFailsIsTriedUntilItIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, w := stenttest.New(t), &world{}
		w.stubs(env, "book_courier")
		refund := stenttest.Stub(env, refundPayment, func(ctx context.Context, _ Payment) (bool, error) {
			if task, _ := core.InfoFrom(ctx); task.Attempt < 20 {
				return false, errors.New("the bank is closed")
			}
			return true, nil
		})
		if got, err := stenttest.Run(env, orders, order); err != nil || got.Shipped {
			t.Errorf("outcome %+v, %v", got, err)
		}
		refund.Called(20)
	})
}

func TestACrashAtEveryCommit(t *testing.T) {
	for _, test := range cases {
		t.Run("broken "+test.broken, func(t *testing.T) {
			crashtest.Everywhere(t, 4, func(env *stenttest.Env, _ bool) {
				w := &world{}
				w.stubs(env, test.broken)
				got, err := stenttest.Run(env, orders, order, env.ID("order"))
				if err != nil || got.Why != test.why {
					env.Errorf("outcome %+v, %v", got, err)
				}
				if w.all() != test.did {
					env.Errorf("done: %s, want %s", w.all(), test.did)
				}
			})
		})
	}
}
