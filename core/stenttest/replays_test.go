package stenttest_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
)

// histories records an execution that has completed, one that sleeps, and one that failed.
func histories(t *testing.T) (completed, sleeping, failed []byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, patient.Handle(waitForApproval))
		stenttest.Stub(env, double, doubled)
		stenttest.Start(env, patient, 1, core.ID("sleeping"))
		env.Settle()
		sleeping = env.History("sleeping")
		stenttest.Send(env, approved, "sleeping", `{"base64":"x"}`)
		if _, err := stenttest.Run(env, patient, 21, core.ID("completed")); err != nil {
			t.Fatal(err)
		}
		completed = env.History("completed")
	})
	synctest.Test(t, func(t *testing.T) {
		env := stenttest.New(t, patient.Handle(func(flow *core.Flow, n int) (string, error) {
			if _, err := double.Call(flow, n); err != nil {
				return "", err
			}
			return "", errors.New("no")
		}))
		stenttest.Stub(env, double, doubled)
		_, err := stenttest.Run(env, patient, 21, core.ID("failed"))
		_ = stenttest.Failed(env, err)
		failed = env.History("failed")
	})
	return completed, sleeping, failed
}

func TestTheSameCodeReplaysItsHistories(t *testing.T) {
	completed, sleeping, _ := histories(t)
	stenttest.AssertReplays(t, completed, patient.Handle(waitForApproval))
	stenttest.AssertReplays(t, sleeping, patient.Handle(waitForApproval))
}

func TestCodeThatGoesAnotherWayIsTold(t *testing.T) {
	completed, sleeping, failed := histories(t)
	half := core.NewActivity[int, int]("half")
	for _, test := range []struct {
		name    string
		history []byte
		body    func(flow *core.Flow, n int) (string, error)
		want    string // "" if it replays
	}{
		{"another activity under the same key", completed, func(flow *core.Flow, n int) (string, error) {
			_, err := half.Call(flow, n, core.Key("double#1"))
			return "", err
		}, `its history holds activity "double", the workflow now asks for activity "half"`},
		{"another input", completed, func(flow *core.Flow, n int) (string, error) {
			_, err := double.Call(flow, n+1)
			return "", err
		}, `activity "double" with another input`},
		{"a call that is gone", completed, func(flow *core.Flow, n int) (string, error) {
			_, err := double.Call(flow, n)
			return "", err
		}, `at call "sleep#1": its history holds timer "sleep", the workflow now asks for nothing`},
		{"a call that is new, at the end", completed, func(flow *core.Flow, n int) (string, error) {
			s, err := waitForApproval(flow, n)
			if err == nil {
				_, err = half.Call(flow, n)
			}
			return s, err
		}, `its history holds nothing: the execution is completed, the workflow now asks for activity "half"`},
		{"a call that is new, in the middle", sleeping, func(flow *core.Flow, n int) (string, error) {
			if _, err := half.Call(flow, n); err != nil {
				return "", err
			}
			return waitForApproval(flow, n)
		}, `its history holds activity "double", the workflow now asks for nothing`},
		{"a call that is new, behind what was done", sleeping, func(flow *core.Flow, n int) (string, error) {
			if _, err := double.Call(flow, n); err != nil {
				return "", err
			}
			if err := flow.Sleep(30 * 24 * time.Hour); err != nil {
				return "", err
			}
			_, err := half.Call(flow, n)
			return "", err
		}, ""},
		{"a new call behind a Version", sleeping, func(flow *core.Flow, n int) (string, error) {
			if v, err := flow.Version("half first", 0, 1); err != nil {
				return "", err
			} else if v == 1 {
				if _, err := half.Call(flow, n); err != nil {
					return "", err
				}
			}
			return waitForApproval(flow, n)
		}, ""},
		{"an end that has become a failure", completed, func(flow *core.Flow, n int) (string, error) {
			if s, err := waitForApproval(flow, n); err != nil {
				return s, err
			}
			return "", errors.New("changed my mind")
		}, "has completed, and its workflow now fails: changed my mind"},
		{"a failure that has become a success", failed, func(flow *core.Flow, n int) (string, error) {
			_, err := double.Call(flow, n)
			return "fine", err
		}, "has failed, and its workflow now completes"},
		{"a panic", completed, func(*core.Flow, int) (string, error) { panic("oh") }, "the workflow now asks for nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == "" {
				stenttest.AssertReplays(t, test.history, patient.Handle(test.body))
				return
			}
			said := says(t, func(tb testing.TB) { stenttest.AssertReplays(tb, test.history, patient.Handle(test.body)) })
			if !strings.Contains(said, test.want) {
				t.Errorf("it says\n%s\nwant\n%s", said, test.want)
			}
		})
	}
}

func TestAHistoryIsReadableAndChecked(t *testing.T) {
	completed, _, _ := histories(t)
	for _, line := range []string{`"stent_history": 1`, `"step": "double"`, `"result": 42`, `"result": "42 approved by nobody"`} {
		if !strings.Contains(string(completed), line) {
			t.Errorf("no line %s in\n%s", line, completed)
		}
	}
	for _, test := range []struct{ history, want string }{
		{"", "not an exported history"},
		{"{}", "not an exported history"},
		{strings.Replace(string(completed), `"stent_history": 1`, `"stent_history": 9`, 1), "upgrade the program"},
	} {
		said := says(t, func(tb testing.TB) {
			stenttest.AssertReplays(tb, []byte(test.history), patient.Handle(waitForApproval))
		})
		if !strings.Contains(said, test.want) {
			t.Errorf("it says %q, want %q", said, test.want)
		}
	}
	said := says(t, func(tb testing.TB) { stenttest.AssertReplays(tb, completed, double.Handle(doubled)) })
	if !strings.Contains(said, `workflow "patient" is not registered`) {
		t.Errorf("it says %q", said)
	}
}
