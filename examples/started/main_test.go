package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
)

func TestAChargeIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, Orders.Handle(order), Validate.Handle(validate))
		attempts := 0
		stenttest.Stub(env, Charge, func(context.Context, Order) (string, error) {
			if attempts++; attempts < 3 {
				return "", errors.New("the gateway is down")
			}
			return "receipt-42", nil
		})
		began := env.Now()
		receipt, err := stenttest.Run(env, Orders, Order{ID: "42"}, core.ID("order-42"))
		if err != nil || receipt != "receipt-42" {
			t.Errorf("%q, %v", receipt, err)
		}
		if took := env.Now().Sub(began); took < 2*time.Second || took > 4*time.Second {
			t.Errorf("it took %v: want about a second before the second attempt, and two before the third", took)
		}
	})
}
