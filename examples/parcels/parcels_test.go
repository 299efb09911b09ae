package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/stenttest"
)

func TestParcelsAreDeliveredAndTheSurveyComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, handlers()...)
		mail := stenttest.Stub(env, Mail, nil)
		codes, err := stenttest.Run(env, Deliver, Order{ID: "7", Parcels: []Parcel{{1, 1}, {2, 2}}}, core.ID("order-7"))
		if err != nil || !slices.Equal(codes, []string{"code-1", "code-2"}) {
			t.Fatalf("delivered %v, %v", codes, err)
		}
		if n := len(mail.Calls()); n != 0 {
			t.Errorf("%d mails right after the delivery", n)
		}
		env.Advance(15 * 24 * time.Hour) // the survey outlives the order that began it
		if calls := mail.Calls(); len(calls) != 1 || calls[0].In != "How do you like order 7?" {
			t.Errorf("mails %+v", calls)
		}
	})
}

func TestAParcelThatIsTooHeavyIsRefundedAndHealsWhenACarrierIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, handlers()...)
		refund := stenttest.Stub(env, Refund, nil)
		strong := false
		stenttest.Stub(env, Hand, func(_ context.Context, p Parcel) (string, error) {
			if p.Weight > 30 && !strong {
				return "", core.NonRetryable(&tooHeavyError{p})
			}
			return "by lorry", nil
		})
		run := stenttest.Start(env, Deliver, Order{ID: "8", Parcels: []Parcel{{1, 40}}}, core.ID("order-8"))
		_, err := stenttest.Wait(env, run)
		failed := stenttest.Failed(env, err)
		if len(refund.Calls()) != 1 || failed.Cause == nil || failed.Cause.String() != "order-8/1.2" {
			t.Fatalf("%d refunds, cause %v, error %v", len(refund.Calls()), failed.Cause, err)
		}
		strong = true
		if err := env.Engine.Replay(env.Context(), *failed.Cause); err != nil {
			t.Fatal(err)
		}
		codes, err := stenttest.Wait(env, run)
		if err != nil || !slices.Equal(codes, []string{"by lorry"}) {
			t.Errorf("after the replay: %v, %v", codes, err)
		}
	})
}

func TestASubscriptionRunsForTenYears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, handlers()...)
		charge := stenttest.Stub(env, Charge, nil)
		run := stenttest.Start(env, Subscription, Account{Cents: 499}, core.ID("sub"))
		env.Advance(120*30*24*time.Hour + time.Hour)
		stenttest.Send(env, End, run.ID(), "moved away")
		account, err := stenttest.Wait(env, run)
		if err != nil || account.Months != 120 || len(charge.Calls()) != 120 {
			t.Errorf("%+v, %v, charged %d times", account, err, len(charge.Calls()))
		}
		s, err := env.Engine.StateOf(env.Context(), run.ID())
		if err != nil || s.Run != 121 || s.Counters[0].Value != 120 {
			t.Errorf("run %d, counters %v, %v", s.Run, s.Counters, err)
		}
		keys := map[string]bool{}
		for _, c := range charge.Calls() {
			keys[c.Info.TaskID] = true
		}
		if len(keys) != 120 {
			t.Errorf("120 charges had %d idempotency keys", len(keys))
		}
	})
}

func TestAnOrderSurvivesACrashAtEveryCommit(t *testing.T) {
	stenttest.Crashes(t, func(env *stenttest.Env) {
		env.Handle(handlers()...)
		codes, err := stenttest.Run(env, Deliver, Order{ID: "9", Parcels: []Parcel{{1, 1}, {2, 2}}}, core.ID("order-9"))
		if err != nil || !slices.Equal(codes, []string{"code-1", "code-2"}) {
			env.Errorf("delivered %v, %v", codes, err)
		}
		s, err := env.Engine.StateOf(env.Context(), "survey-9")
		if err != nil || s.Parent == nil || s.Parent.Execution != "order-9" {
			env.Errorf("the survey: %+v, %v", s.Execution, err)
		}
	})
}

func TestASubscriptionSurvivesACrashAtEveryCommit(t *testing.T) {
	stenttest.Crashes(t, func(env *stenttest.Env) {
		env.Handle(handlers()...)
		run := stenttest.Start(env, Subscription, Account{Cents: 499}, core.ID("sub"))
		env.Advance(61 * 24 * time.Hour)
		stenttest.Send(env, End, run.ID(), "enough")
		account, err := stenttest.Wait(env, run)
		if err != nil || account.Months != 2 {
			env.Errorf("%+v, %v", account, err)
		}
	})
}

func TestTheProgram(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), t.TempDir()+"/parcels.sqlite", &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "delivered: [code-1 code-2 code-3]\n" {
		t.Errorf("it prints %q", got)
	}
}

// The error of a child says what the workflow acts on.
var _ error = (*core.ChildError)(nil)

func TestTheErrorOfAChildTellsItsTypeAndState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asks := core.NewWorkflow[Parcel, string]("asks")
		var seen *core.ChildError
		env := stenttest.New(t, append(handlers(), asks.Handle(func(flow *core.Flow, p Parcel) (string, error) {
			_, err := Ship.Call(flow, p)
			errors.As(err, &seen)
			return "went on", nil
		}))...)
		if got, err := stenttest.Run(env, asks, Parcel{1, 31}); err != nil || got != "went on" {
			t.Fatal(got, err)
		}
		if seen == nil || seen.State != backend.Failed || seen.Failure.Type != "*core.ActivityError" {
			t.Errorf("%#v", seen)
		}
	})
}
