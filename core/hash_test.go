package core

import (
	"hash/fnv"
	"testing"
	"time"
)

func TestHashIsFNV1a(t *testing.T) {
	for _, text := range []string{"", "a", `{"id":"42","total":12.5}`} {
		h := fnv.New64a()
		_, _ = h.Write([]byte(text))
		if got := hash([]byte(text)); got != int64(h.Sum64()) {
			t.Errorf("hash of %q is %d, want %d", text, got, int64(h.Sum64()))
		}
	}
	if hash(nil) != 0 {
		t.Error("nil has a hash")
	}
}

// counted tells how often its JSON was asked for, as the codec of a program does not.
type counted struct{ asked *int }

func (c counted) MarshalJSON() ([]byte, error) { *c.asked++; return []byte(`1`), nil }

type otherCodec struct{ Codec }

func (otherCodec) Encode(any) ([]byte, error) { return []byte("secret"), nil }

// Inputs are compared when a workflow runs again, results are not: those of a megabyte need not be read once more.
func TestOnlyInputsAreHashed(t *testing.T) {
	p, asked := payloads{codec: otherCodec{}, limit: 100}, 0
	if _, err := p.encode("result of activity ", "a", counted{&asked}); err != nil || asked > 0 {
		t.Errorf("a result was encoded %d times besides the codec, %v", asked, err)
	}
	_, sum, err := p.encodeInput("input of activity ", "a", counted{&asked})
	if err != nil || asked != 1 || sum != hash([]byte(`1`)) {
		t.Errorf("an input was encoded %d times besides the codec, with the hash %d, %v", asked, sum, err)
	}
}

// TestADefaultPolicyIsNotStored sets each field alone: none may be taken for the default.
func TestADefaultPolicyIsNotStored(t *testing.T) {
	if (taskPolicy{}).encode() != nil {
		t.Error("the default is stored")
	}
	for i, p := range []taskPolicy{
		{retry: RetryPolicy{MaxAttempts: 1}}, {retry: RetryPolicy{InitialDelay: 1e6}}, {retry: RetryPolicy{BackoffFactor: 3}},
		{retry: RetryPolicy{MaxDelay: time.Second}}, {retry: RetryPolicy{Jitter: -1}}, {retry: RetryPolicy{NonRetryable: []string{"x"}}},
		{startToClose: time.Second}, {scheduleToStart: time.Second}, {heartbeat: time.Second},
	} {
		if p.encode() == nil {
			t.Errorf("policy %d is not stored", i)
		}
	}
}
