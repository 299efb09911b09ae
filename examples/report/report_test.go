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

const day = 24 * time.Hour

// checkPeriods fails the test unless the reports follow each other without a gap, each once.
func checkPeriods(env *stenttest.Env, got []Period, n int, every time.Duration) {
	env.Helper()
	periods := map[time.Time]bool{}
	for _, p := range got {
		if p.To.Sub(p.From) != every {
			env.Errorf("period %v", p)
		}
		periods[p.To] = true
	}
	if len(periods) != n {
		env.Errorf("%d periods, want %d", len(periods), n)
	}
	for to := range periods {
		if from := to.Add(-every); !periods[from] && from.After(got[0].From) {
			env.Errorf("no report on the period until %v", from)
		}
	}
}

func TestAYearOfDailyReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, reports.Handle(reportInRhythm))
		written := stenttest.Stub(env, report, nil)
		got, err := stenttest.Run(env, reports, Rhythm{Every: day, Left: 365}, core.ID("r"))
		if err != nil || got.Reports != 365 {
			t.Errorf("summary %+v, %v", got, err)
		}
		written.Called(365)
		for _, call := range written.Calls() {
			if !call.Began.Equal(call.In.To) {
				t.Errorf("the report until %v was written %v", call.In.To, call.Began)
			}
		}
		checkPeriods(env, written.Inputs(), 365, day)
		if n := len(env.State("r").Progress); n > 10 {
			t.Errorf("the history is long: %d", n)
		}
	})
}

func TestMissedPeriodsAreReportedOnWhenItIsUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, reports.Handle(reportInRhythm))
		written := stenttest.Stub(env, report, nil)
		run := stenttest.Start(env, reports, Rhythm{Every: day, Left: 10}, core.ID("r"))
		env.Advance(2*day + time.Hour)
		written.Called(2)
		env.Stop()
		<-time.After(5 * day)
		env.Begin()
		env.Advance(time.Minute)
		written.Called(7)
		if got, err := stenttest.Wait(env, run); err != nil || got.Reports != 10 {
			t.Errorf("summary %+v, %v", got, err)
		}
		checkPeriods(env, written.Inputs(), 10, day)
	})
}

func TestACrashAtEveryCommit(t *testing.T) {
	crashtest.Everywhere(t, 8, func(env *stenttest.Env, inMemory bool) {
		env.Handle(reports.Handle(reportInRhythm))
		every := day
		if !inMemory {
			every = 10 * time.Millisecond
		}
		written := stenttest.Stub(env, report, func(_ context.Context, p Period) (Report, error) {
			return Report{File: p.To.String()}, nil
		})
		got, err := stenttest.Run(env, reports, Rhythm{Every: every, Left: 3}, env.ID("r"))
		if err != nil || got.Reports != 3 {
			env.Errorf("summary %+v, %v", got, err)
		}
		checkPeriods(env, written.Inputs(), 3, every)
	})
}
