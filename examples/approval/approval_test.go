package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
	"github.com/stentgo/stent/internal/crashtest"
)

// office is the program with people who are not there.
func office(env *stenttest.Env) (asked *stenttest.Stubbed[Question, bool], paid *stenttest.Stubbed[Expense, string]) {
	env.Handle(expenses.Handle(approveExpense))
	return stenttest.Stub(env, ask, nil), stenttest.Stub(env, pay, func(context.Context, Expense) (string, error) { return "R1", nil })
}

var lunch = Expense{What: "lunch", Amount: 42, Patience: 7 * 24 * time.Hour}

func TestExpenses(t *testing.T) {
	for _, test := range []struct {
		name   string
		decide func(env *stenttest.Env)
		want   Outcome
		asked  int
		took   time.Duration
	}{
		{"approved by the team lead", func(env *stenttest.Env) {
			env.Advance(24 * time.Hour)
			stenttest.Send(env, decisions, "e", Decision{true, "Ann"})
		}, Outcome{true, "R1", "approved by Ann"}, 1, 24 * time.Hour},
		{"approved by the manager", func(env *stenttest.Env) {
			env.Advance(8 * 24 * time.Hour)
			stenttest.Send(env, decisions, "e", Decision{true, "Max"})
		}, Outcome{true, "R1", "approved by Max"}, 2, 8 * 24 * time.Hour},
		{"rejected", func(env *stenttest.Env) {
			stenttest.Send(env, decisions, "e", Decision{false, "Ann"})
		}, Outcome{Why: "rejected by Ann"}, 1, 0},
		{"forgotten", func(*stenttest.Env) {}, Outcome{Why: "nobody decided within 336h0m0s"}, 2, 14 * 24 * time.Hour},
		{"approved while the program was down", func(env *stenttest.Env) {
			env.Advance(time.Hour)
			env.Stop()
			if err := decisions.Send(env.Context(), env.Engine, "e", Decision{true, "Ann"}); err != nil {
				env.Fatal(err)
			}
			<-time.After(30 * 24 * time.Hour) // both would have been too late
		}, Outcome{true, "R1", "approved by Ann"}, 1, 30*24*time.Hour + time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env := stenttest.New(t)
				asked, paid := office(env)
				began := env.Now()
				run := stenttest.Start(env, expenses, lunch, core.ID("e"))
				test.decide(env)
				got, err := stenttest.Wait(env, run)
				if err != nil || got != test.want {
					t.Errorf("outcome %+v, %v", got, err)
				}
				if took := env.Now().Sub(began); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				asked.Called(test.asked)
				if got.Paid {
					paid.Called(1)
				} else {
					paid.Called(0)
				}
				stenttest.AssertReplays(t, env.History("e"), expenses.Handle(approveExpense))
			})
		})
	}
}

func TestACrashAtEveryCommit(t *testing.T) {
	for _, decided := range []bool{true, false} {
		name, want := "decided", Outcome{true, "R1", "approved by Ann"}
		if !decided {
			name, want = "forgotten", Outcome{Why: "nobody decided within 20ms"}
		}
		t.Run(name, func(t *testing.T) {
			crashtest.Everywhere(t, 4, func(env *stenttest.Env, _ bool) {
				office(env)
				expense := lunch
				if !decided {
					expense.Patience = 10 * time.Millisecond
				}
				run := stenttest.Start(env, expenses, expense, env.ID("e"))
				if decided {
					stenttest.Send(env, decisions, run.ID(), Decision{true, "Ann"})
				}
				if got, err := stenttest.Wait(env, run); err != nil || got != want {
					env.Errorf("outcome %+v, %v", got, err)
				}
			})
		})
	}
}
