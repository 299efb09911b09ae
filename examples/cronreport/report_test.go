package main

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
)

var settings = Settings{To: "sales@example.com", Zone: "Europe/Berlin"}

func newShop(subjects *[]string) *shop {
	var mu sync.Mutex
	return &shop{sales: sales, mailed: func(m Mail) {
		mu.Lock()
		defer mu.Unlock()
		*subjects = append(*subjects, m.Subject)
	}}
}

// begin puts the schedule as the program does when it begins.
func begin(env *stenttest.Env) {
	env.Helper()
	env.Begin()
	if err := reports.PutSchedule(env.Context(), env.Engine, nightly("30 2 * * *", settings.Zone), settings); err != nil {
		env.Fatal(err)
	}
}

func TestAReportForEachNightAlsoWhereTheClocksChange(t *testing.T) {
	var mails []string
	synctest.Test(t, func(t *testing.T) { // which begins in the year 2000
		env := stenttest.New(t, newShop(&mails).handlers()...)
		env.Advance(time.Date(2000, 3, 24, 12, 0, 0, 0, time.UTC).Sub(env.Now()))
		begin(env)
		env.Advance(4 * 24 * time.Hour) // on the 26th there is no half past two
	})
	want := []string{"Sales of 2000-03-24", "Sales of 2000-03-25", "Sales of 2000-03-26", "Sales of 2000-03-27"}
	if !slices.Equal(mails, want) {
		t.Errorf("mails %q, want %q", mails, want)
	}
}

func TestNightsThatWereMissedAreMadeUpFor(t *testing.T) {
	var mails []string
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, newShop(&mails).handlers()...)
		begin(env)
		env.Stop()
		<-time.After(3 * 24 * time.Hour) // no program runs
		if len(mails) != 0 {
			t.Fatalf("mails %q while no program runs", mails)
		}
		begin(env)
		env.Settle()
	})
	slices.Sort(mails) // they are made side by side
	if want := []string{"Sales of 1999-12-31", "Sales of 2000-01-01", "Sales of 2000-01-02"}; !slices.Equal(mails, want) {
		t.Errorf("mails %q, want %q", mails, want)
	}
}

// TestCrashes kills the program at each of its commits. A mail may come twice then, as with any activity that had not been
// noted; no night is left out, and none has two reports.
func TestCrashes(t *testing.T) {
	stenttest.Crashes(t, func(env *stenttest.Env) {
		var mails []string
		env.Handle(newShop(&mails).handlers()...)
		begin(env)
		env.Advance(2*24*time.Hour + time.Minute)
		slices.Sort(mails)
		if got, want := slices.Compact(mails), []string{"Sales of 1999-12-31", "Sales of 2000-01-01"}; !slices.Equal(got, want) {
			env.Errorf("mails %q, want %q", got, want)
		}
	})
}

func TestAReportThatNoScheduleBeganSaysSo(t *testing.T) {
	var mails []string
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, newShop(&mails).handlers()...)
		_, err := stenttest.Run(env, reports, settings, core.ID("by-hand"))
		if failed := stenttest.Failed(env, err); failed.Failure.Message != "no schedule began this report, so it is about no day" {
			t.Errorf("it failed with %q", failed.Failure.Message)
		}
	})
}
