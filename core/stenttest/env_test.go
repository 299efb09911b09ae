package stenttest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/stenttest"
)

var (
	double   = core.NewActivity[int, int]("double")
	approved = core.NewSignal[string]("approved")
	patient  = core.NewWorkflow[int, string]("patient")
)

func waitForApproval(flow *core.Flow, n int) (string, error) {
	n, err := double.Call(flow, n)
	if err != nil {
		return "", err
	}
	if err := flow.Sleep(30 * 24 * time.Hour); err != nil {
		return "", err
	}
	by, err := approved.ReceiveWithin(flow, 7*24*time.Hour)
	if errors.Is(err, core.ErrSignalTimeout) {
		by = "nobody"
	} else if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d approved by %s", n, by), nil
}

func doubled(_ context.Context, n int) (int, error) { return 2 * n, nil }

func TestThirtyDaysPassAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, patient.Handle(waitForApproval))
		double := stenttest.Stub(env, double, doubled)
		began := env.Now()
		got, err := stenttest.Run(env, patient, 21)
		if err != nil || got != "42 approved by nobody" {
			t.Errorf("got %q, %v", got, err)
		}
		if took := env.Now().Sub(began); took != 37*24*time.Hour {
			t.Errorf("it took %v, want 37 days", took)
		}
		double.Called(1)
		if in := double.Inputs(); len(in) != 1 || in[0] != 21 {
			t.Errorf("inputs %v", in)
		}
	})
}

func TestTimeStandsUntilTheTestLetsItPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, patient.Handle(waitForApproval), double.Handle(doubled))
		run := stenttest.Start(env, patient, 1, core.ID("p"))
		env.Settle()
		if s := env.State("p"); s.State != backend.Running || s.TaskState != backend.Waiting {
			t.Errorf("after the start it is %s, its orchestrator %s", s.State, s.TaskState)
		}
		env.Advance(30*24*time.Hour - time.Second)
		if len(env.Engine.WorkerStatus().Workers) != 0 {
			t.Error("the test's own engine works")
		}
		stenttest.Send(env, approved, "p", "Ann")
		if s := env.State("p"); s.State != backend.Running {
			t.Errorf("a second before its time it is %s", s.State)
		}
		env.Advance(time.Second)
		if s := env.State("p"); s.State != backend.Completed {
			t.Errorf("when its time has come it is %s", s.State)
		}
		if got, err := stenttest.Wait(env, run); err != nil || got != "2 approved by Ann" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestWaitOfTheEngineIsToldAndDoesNotPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, patient.Handle(waitForApproval), double.Handle(doubled))
		run := stenttest.Start(env, patient, 1)
		if got, err := run.Wait(t.Context()); err != nil || got != "2 approved by nobody" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestRetriesAreSeenWithTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wf := core.NewWorkflow[int, int]("w")
		act := core.NewActivity[int, int]("flaky", core.Retry(core.RetryPolicy{MaxAttempts: 4, Jitter: -1}))
		env := stenttest.New(t, wf.Handle(func(flow *core.Flow, n int) (int, error) { return act.Call(flow, n) }))
		flaky := stenttest.Stub(env, act, func(context.Context, int) (int, error) { return 0, errors.New("down") })
		_, err := stenttest.Run(env, wf, 1)
		if failed := stenttest.Failed(env, err); !strings.Contains(failed.Error(), "down") {
			t.Error(failed)
		}
		flaky.Called(4)
		var pauses []time.Duration
		calls := flaky.Calls()
		for i := range calls[1:] {
			pauses = append(pauses, calls[i+1].Began.Sub(calls[i].Ended))
		}
		if fmt.Sprint(pauses) != "[1s 2s 4s]" {
			t.Errorf("pauses %v", pauses)
		}
		if calls[3].Info.Attempt != 4 || calls[3].Err == nil {
			t.Errorf("last call %+v", calls[3])
		}
	})
}

func TestAStubTakesThePlaceOfAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wf := core.NewWorkflow[int, int]("w")
		env := stenttest.New(t, wf.Handle(func(flow *core.Flow, n int) (int, error) { return double.Call(flow, n) }), double.Handle(doubled))
		nothing := stenttest.Stub(env, double, nil)
		if got, err := stenttest.Run(env, wf, 5); got != 0 || err != nil {
			t.Errorf("got %d, %v", got, err)
		}
		nothing.Called(1)
	})
}

func TestARestartLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, patient.Handle(waitForApproval))
		double := stenttest.Stub(env, double, doubled)
		run := stenttest.Start(env, patient, 2, core.ID("p"))
		env.Advance(time.Hour)
		env.Restart()
		env.Advance(40 * 24 * time.Hour)
		env.CrashAfter(1)
		if got, err := stenttest.Wait(env, run); err != nil || got != "4 approved by nobody" {
			t.Errorf("got %q, %v", got, err)
		}
		double.Called(1)
	})
}

// failing is a test that is expected to fail.
type failing struct {
	testing.TB
	said *[]string
}

func (f failing) Helper() {}

func (f failing) Errorf(format string, args ...any) {
	*f.said = append(*f.said, fmt.Sprintf(format, args...))
}

func (f failing) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f failing) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

// says is what a test says that fails.
func says(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	var said []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(failing{t, &said})
	}()
	<-done
	if len(said) == 0 {
		t.Fatal("it did not fail")
	}
	return strings.Join(said, "\n")
}

func TestWhatWillNeverHappenIsTold(t *testing.T) {
	lonely := core.NewWorkflow[int, string]("lonely")
	remote := core.NewActivity[int, int]("remote", core.Elsewhere())
	calls := core.NewWorkflow[int, int]("calls")
	for _, test := range []struct {
		name, want string
		run        func(env *stenttest.Env)
	}{
		{"a signal that nobody sends", `it waits for signal "approved", and nobody sends it`, func(env *stenttest.Env) {
			_, _ = stenttest.Run(env, lonely, 1)
		}},
		{"an activity that nobody has", `task c.1 is due and no worker takes it`, func(env *stenttest.Env) {
			_, _ = stenttest.Run(env, calls, 1, core.ID("c"))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said := says(t, func(tb testing.TB) {
					env := stenttest.New(tb,
						lonely.Handle(func(flow *core.Flow, _ int) (string, error) { return approved.Receive(flow) }),
						calls.Handle(func(flow *core.Flow, n int) (int, error) { return remote.Call(flow, n) }))
					test.run(env)
				})
				if !strings.Contains(said, test.want) {
					t.Errorf("it says %q, want %q", said, test.want)
				}
			})
		})
	}
}

func TestOutsideABubbleItSaysWhatToDo(t *testing.T) {
	said := says(t, func(tb testing.TB) { stenttest.New(tb) })
	if !strings.Contains(said, "synctest.Test(t, func(t *testing.T)") {
		t.Errorf("it says %q", said)
	}
}

// A workflow whose timer is due when it is brought into memory has to come to its turn, however many others are there.
func TestCrowdedSleepersWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wf := core.NewWorkflow[int, int]("sleepy")
		env := stenttest.New(t, wf.Handle(func(flow *core.Flow, n int) (int, error) {
			for range 3 {
				if err := flow.Sleep(time.Second); err != nil {
					return 0, err
				}
			}
			return n, nil
		}))
		env.Configure(1, core.WorkerConfig{MaxResident: 1})
		var runs []*core.Run[int]
		for i := range 5 {
			runs = append(runs, stenttest.Start(env, wf, i))
		}
		for i, run := range runs {
			if got, err := stenttest.Wait(env, run); err != nil || got != i {
				t.Errorf("execution %d: %d, %v", i, got, err)
			}
		}
	})
}
