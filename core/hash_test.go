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
