package stenttest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/stenttest"
)

var (
	nightJob = core.NewActivity[string, string]("night_job")
	nightly  = core.NewWorkflow[string, string]("nightly_run")
)

// nightHandlers keeps when ticks were worked on.
func nightHandlers(saw *[]string) []core.Handler {
	var mu sync.Mutex
	return []core.Handler{
		nightJob.Handle(func(_ context.Context, s string) (string, error) { return s, nil }),
		nightly.Handle(func(flow *core.Flow, in string) (string, error) {
			tick, ok := flow.Tick()
			if !ok {
				return nightJob.Call(flow, in)
			}
			out, err := nightJob.Call(flow, tick.Schedule+" "+tick.At.Format(time.RFC3339))
			mu.Lock()
			defer mu.Unlock()
			*saw = append(*saw, out)
			return out, err
		}),
	}
}

func put(env *stenttest.Env, s core.Schedule) {
	env.Helper()
	env.Begin()
	if err := nightly.PutSchedule(env.Context(), env.Engine, s, "in"); err != nil {
		env.Fatal(err)
	}
}

func TestAScheduleTicksForAMonthInNoTime(t *testing.T) {
	var saw []string
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, nightHandlers(&saw)...)
		env.Configure(3, core.WorkerConfig{})
		put(env, core.Schedule{Name: "daily", Cron: "30 2 * * *"})
		put(env, core.Schedule{Name: "hourly", Cron: "@hourly"})
		env.Advance(30 * 24 * time.Hour)
		s, err := env.Engine.ScheduleStatus(env.Context(), "daily")
		if err != nil || s.Running || s.LastExecution != "daily/2000-01-30T02:30:00Z" || !s.Next.Equal(time.Date(2000, 1, 31, 2, 30, 0, 0, time.UTC)) {
			t.Errorf("status: %+v, %v", s, err)
		}
	})
	days, hours := 0, 0
	for _, s := range saw {
		if strings.HasPrefix(s, "daily ") {
			days++
		} else {
			hours++
		}
	}
	if days != 30 || hours != 30*24 {
		t.Errorf("%d days and %d hours, want 30 and 720", days, hours)
	}
}

func TestASchedulesTimesAreThoseOfItsPlace(t *testing.T) {
	var saw []string
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, nightHandlers(&saw)...)
		env.Begin()
		env.Advance(time.Date(2000, 3, 25, 0, 0, 0, 0, time.UTC).Sub(env.Now()))
		put(env, core.Schedule{Name: "n", Cron: "30 2 * * *", Location: "Europe/Berlin"}) // where 02:30 is skipped on the 26th
		env.Advance(3 * 24 * time.Hour)
	})
	want := []string{"n 2000-03-25T01:30:00Z", "n 2000-03-26T01:00:00Z", "n 2000-03-27T00:30:00Z"}
	if !slices.Equal(saw, want) {
		t.Errorf("got %q, want %q", saw, want)
	}
}

// The crash matrix of a schedule: whatever commit of whichever worker is the last, each tick has its execution.
func TestASchedulesTicksSurviveEachCrash(t *testing.T) {
	stenttest.Crashes(t, func(env *stenttest.Env) {
		var saw []string
		env.Handle(nightHandlers(&saw)...)
		env.Configure(2, core.WorkerConfig{})
		put(env, core.Schedule{Name: "n", Cron: "@daily", CatchUp: core.CatchUpAll})
		env.Advance(3*24*time.Hour + time.Minute) // also for what takes over from the last that dies
		for _, day := range []string{"02", "03", "04"} {
			if s := env.State("n/2000-01-" + day + "T00:00:00Z"); s.State != backend.Completed {
				env.Errorf("the execution of day %s is %s", day, s.State)
			}
		}
		if s, err := env.Engine.ScheduleStatus(env.Context(), "n"); err != nil || s.LastExecution != "n/2000-01-04T00:00:00Z" {
			env.Errorf("status %+v, %v", s, err)
		}
	})
}

func TestATickIsKnownAfterContinueAsNewAndToAnExportedHistory(t *testing.T) {
	job := core.NewWorkflow[int, string]("again")
	handler := job.Handle(func(flow *core.Flow, left int) (string, error) {
		tick, ok := flow.Tick()
		if !ok {
			return "", core.NonRetryable(errors.New("no tick"))
		}
		if left > 0 {
			return "", flow.ContinueAsNew(left - 1)
		}
		return tick.Schedule + " " + tick.At.Format(time.RFC3339), nil
	})
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, handler)
		env.Begin()
		if err := job.PutSchedule(env.Context(), env.Engine, core.Schedule{Name: "n", Cron: "@daily"}, 2); err != nil {
			t.Fatal(err)
		}
		env.Advance(25 * time.Hour)
		const id = "n/2000-01-02T00:00:00Z"
		if got, err := job.Attach(env.Engine, id).Wait(env.Context()); got != "n 2000-01-02T00:00:00Z" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		stenttest.AssertReplays(t, env.History(id), handler)
	})
}

func TestAWaitBesideAScheduleEnds(t *testing.T) {
	var saw []string
	never := core.NewSignal[int]("never")
	waits := core.NewWorkflow[int, int]("waits")
	synctest.Test(t, func(t *testing.T) {
		said := says(t, func(t testing.TB) {
			env := stenttest.New(t, append(nightHandlers(&saw), waits.Handle(func(flow *core.Flow, _ int) (int, error) { return never.Receive(flow) }))...)
			put(env, core.Schedule{Name: "n", Cron: "*/5 * * * *"})
			_, _ = stenttest.Run(env, waits, 1)
		})
		if !strings.Contains(said, `it waits for signal "never"`) {
			t.Errorf("it said %q", said)
		}
	})
}
