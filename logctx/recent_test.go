package logctx_test

import (
	"sync"
	"testing"

	"github.com/stentgo/stent/logctx"
)

func TestRecentForgetsTheOldest(t *testing.T) {
	var r logctx.Recent[int, string]
	if v, ok := r.Get(0); ok {
		t.Errorf("an empty one has %q", v)
	}
	for i := range 20 {
		r.Put(i, "value")
		if v, ok := r.Get(i); !ok || v != "value" {
			t.Errorf("%d: %q, %t right after Put", i, v, ok)
		}
	}
	for i, want := range map[int]bool{0: false, 11: false, 12: true, 19: true} {
		if _, ok := r.Get(i); ok != want {
			t.Errorf("%d is kept: %t, want %t", i, ok, want)
		}
	}
}

func TestRecentOfManyGoroutines(t *testing.T) {
	var r logctx.Recent[int, int]
	var done sync.WaitGroup
	for g := range 4 {
		done.Go(func() {
			for i := range 1000 {
				key := g*1000 + i%10
				r.Put(key, -key)
				if v, ok := r.Get(key); ok && v != -key {
					t.Errorf("%d: the value of %d", key, -v)
				}
			}
		})
	}
	done.Wait()
}
