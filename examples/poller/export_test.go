package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/stenttest"
	"github.com/stentgo/stent/internal/crashtest"
)

// scripted is a service that gives one answer after the other, and then the report.
type scripted struct {
	answers []error

	mu    sync.Mutex
	begun map[string]bool
	polls []time.Time
}

func (s *scripted) Begin(_ context.Context, key, _ string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun == nil {
		s.begun = map[string]bool{}
	}
	s.begun[key] = true
	return "x", nil
}

func (s *scripted) Poll(context.Context, string) (string, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls = append(s.polls, time.Now())
	if n := len(s.polls); n <= len(s.answers) {
		return "", 0, s.answers[n-1]
	}
	return "https://files.example.com/x.csv", 7, nil
}

func (s *scripted) handlers() []core.Handler {
	c := &client{s}
	return []core.Handler{exports.Handle(exportData), begin.Handle(c.begin), poll.Handle(c.poll)}
}

func TestItAsksWhenTheServiceSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []error{&laterError{errBusy, time.Hour}, &laterError{errNotYet, 24 * time.Hour}, &laterError{errNotYet, 3 * time.Minute}}}
		env := stenttest.New(t, s.handlers()...)
		got, err := stenttest.Run(env, exports, Request{Table: "orders"}, core.ID("e"))
		if err != nil || got.Rows != 7 {
			t.Errorf("report %+v, %v", got, err)
		}
		var pauses []time.Duration
		for i := range s.polls[1:] {
			pauses = append(pauses, s.polls[i+1].Sub(s.polls[i]))
		}
		if fmt.Sprint(pauses) != "[1h0m0s 24h0m0s 3m0s]" {
			t.Errorf("pauses %v", pauses)
		}
		stenttest.AssertReplays(t, env.History("e"), exports.Handle(exportData))
	})
}

func TestWhatIsNotAnsweredIsTriedAsThePolicySays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []error{errors.New("no route"), errors.New("no route"), errors.New("no route")}}
		env := stenttest.New(t, s.handlers()...)
		if _, err := stenttest.Run(env, exports, Request{}); err != nil {
			t.Error(err)
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if got := s.polls[i+1].Sub(s.polls[i]); (got - want).Abs() > want/10 {
				t.Errorf("pause %d: %v, want %v and a tenth more or less", i, got, want)
			}
		}
	})
}

func TestAnExportThatIsGoneIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{answers: []error{errUnknown}}
		env := stenttest.New(t, s.handlers()...)
		_, err := stenttest.Run(env, exports, Request{}, core.ID("e"))
		if failed := stenttest.Failed(env, err); !strings.Contains(failed.Failure.Message, "export x: there is no such export") {
			t.Error(failed)
		}
		letters, err := env.Engine.DeadLetters(t.Context(), core.DeadLetterFilter{Execution: "e"})
		if err != nil || len(letters) != 1 || letters[0].Attempts != 1 {
			t.Errorf("dead letters %+v, %v", letters, err)
		}
	})
}

func TestACrashAtEveryCommit(t *testing.T) {
	crashtest.Everywhere(t, 6, func(env *stenttest.Env, _ bool) {
		s := &scripted{answers: []error{&laterError{errBusy, 2 * time.Millisecond}, &laterError{errNotYet, 0}}}
		c := &client{s}
		env.Handle(exports.Handle(exportData))
		stenttest.Stub(env, begin, c.begin)
		stenttest.Stub(env, poll, c.poll)
		if got, err := stenttest.Run(env, exports, Request{}, env.ID("e")); err != nil || got.Rows != 7 {
			env.Errorf("report %+v, %v", got, err)
		}
		if len(s.begun) != 1 {
			env.Errorf("%d exports were begun", len(s.begun))
		}
	})
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"7": 7 * time.Second, "0": 0, "": time.Minute, "soon": time.Minute, "-3": time.Minute,
			time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat): 90 * time.Second,
			time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):       0,
		} {
			if got := retryAfter(http.Header{"Retry-After": {value}}, time.Minute); got != want {
				t.Errorf("%q: %v, want %v", value, got, want)
			}
		}
	})
}
