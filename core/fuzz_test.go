package core

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend/memory"
)

// What comes from configuration or from rows that anybody may have written: no panic, and nothing that cannot be.
// `make fuzz` looks for more.

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"", "90s", "1.5h", "2d", "1w", "-1s", "0", "1e309", "NaN", "-inf", "1e18d", "9223372036s", "１s", "1h1d", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if d < 0 {
			t.Errorf("%q is %v", s, d)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "duration ") {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func FuzzStoredPolicy(f *testing.F) {
	for _, p := range []taskPolicy{{}, {retry: RetryPolicy{MaxAttempts: 3, InitialDelay: time.Second}}, {startToClose: time.Minute, shareKey: "k"}} {
		f.Add(p.encode(), 1)
	}
	for _, s := range []string{"null", "{", `{"max_attempts":-5}`, `{"initial_delay_s":1e300}`, `{"backoff_factor":-1e308,"jitter":1e300}`, `{"start_to_close_s":-1e300}`} {
		f.Add([]byte(s), math.MaxInt)
	}
	f.Fuzz(func(t *testing.T, data []byte, attempt int) {
		p, err := decodePolicy(data)
		if err != nil {
			return
		}
		for _, d := range []time.Duration{p.startToClose, p.scheduleToStart, p.heartbeat, p.shareFor, p.retry.InitialDelay, p.retry.MaxDelay} {
			if d < 0 {
				t.Errorf("%s holds a time of %v", data, d)
			}
		}
		for _, random := range []float64{0, 0.5, 1} {
			if delay, again := p.retry.next(max(attempt, 1), errors.New("x"), random); again && delay < 0 {
				t.Errorf("%s gives a delay of %v after attempt %d", data, delay, attempt)
			}
		}
	})
}

func FuzzPayload(f *testing.F) {
	for _, s := range []string{"", "null", "1", `"x"`, `{"a":1}`, "[", strings.Repeat("[", 20000), "\xff\xfe", `{"a":1e400}`} {
		f.Add([]byte(s))
	}
	type record struct {
		A int
		B []record
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := payloads{codec: jsonCodec{}, limit: DefaultPayloadLimit}
		for _, to := range []any{new(int), new(string), new(record), new(map[string]any), new([]byte)} {
			err := p.decode("input of workflow ", "w", data, to)
			if err == nil {
				continue
			}
			var coded *codedError
			if !errors.As(err, &coded) || coded.code != CodePayload {
				t.Errorf("%q: %v is no error of a payload", data, err)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		}
	})
}

// A history that somebody else has exported, or changed.
func FuzzHistory(f *testing.F) {
	wf, act := NewWorkflow[int, int]("w"), NewActivity[int, int]("a")
	f.Add([]byte(`{"stent_history":1,"execution":{"id":"x","workflow":"w","state":"completed","input":1,"result":2},"tasks":[{"seq":1,"key":"a#1","kind":"activity","step":"a","state":"completed","result":2}]}`))
	f.Add([]byte(`{"stent_history":1,"execution":{"id":"x","workflow":"w","state":"running","base":-5,"run":-1},"tasks":[{"seq":-1},{"seq":1048577}]}`))
	f.Add([]byte(`{"stent_history":1,"execution":{"id":"x","workflow":"w"},"tasks":[{"seq":3,"key":"a#1","kind":"activity","step":"a","state":"completed"}]}`))
	f.Add([]byte(`{"stent_history":1,"execution":{"id":"x","workflow":"w","healed_from":9,"healed_to":-9},"signals":[{"seq":-1}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		e, err := New(memory.Open())
		if err != nil {
			panic(err)
		}
		if err := e.Register(wf.Handle(func(flow *Flow, n int) (int, error) {
			if err := flow.Sleep(time.Second); err != nil {
				return 0, err
			}
			return act.Call(flow, n)
		})); err != nil {
			panic(err)
		}
		_ = e.VerifyHistory(data) // it may say what it likes
	})
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"", "orders", "a b", "a\nb", "\x00", "\xff", strings.Repeat("x", 256), "ä", "a\u202eb"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := checkName("queue", name)
		if err == nil && (len(name) == 0 || len(name) > maxName || strings.ContainsAny(name, "\x00\n\r")) {
			t.Errorf("%q is taken for a name", name)
		}
	})
}

// What is stored of a policy is all of it, whichever field is the only one that is set.
func TestAStoredPolicyIsTheSame(t *testing.T) {
	for _, p := range []taskPolicy{
		{}, {retry: RetryPolicy{MaxAttempts: 2}}, {retry: RetryPolicy{InitialDelay: time.Second}}, {retry: RetryPolicy{BackoffFactor: 2}},
		{retry: RetryPolicy{MaxDelay: time.Second}}, {retry: RetryPolicy{Jitter: -1}}, {retry: RetryPolicy{NonRetryable: []string{"x"}}},
		{startToClose: time.Second}, {scheduleToStart: time.Second}, {heartbeat: time.Second}, {shareKey: "k"}, {shareFor: time.Second},
	} {
		if got, err := decodePolicy(p.encode()); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%+v is stored as %s, which is %+v, %v", p, p.encode(), got, err)
		}
	}
}
