//go:build unix

package main

import (
	"io"
	"testing"
	"time"
)

// Two processes are at one task, which the second began later. Only where the second had its lease is the effect of the
// first one too late.
func TestALateBeginningTakesNothingFromWhoHasTheTask(t *testing.T) {
	start := time.Now()
	at := func(after time.Duration, e entry) entry { e.At = start.Add(after); return e }
	first, second := entry{Process: 1, Task: "x.1", Mark: "a"}, entry{Process: 2, Task: "x.1", Mark: "b"}
	is := func(e entry, what happening) entry { e.What = what; return e }
	for _, story := range []struct {
		name       string
		stopped    bool
		violations int
	}{
		{"the second has just been resumed", true, 0},
		{"the second was awake", false, 1},
	} {
		t.Run(story.name, func(t *testing.T) {
			var entries []entry
			if story.stopped {
				entries = append(entries, at(0, entry{Process: 2, What: paused}))
			}
			entries = append(entries, at(time.Second, is(first, began)))
			if story.stopped {
				entries = append(entries, at(2*time.Second, entry{Process: 2, What: resumed}))
			}
			entries = append(entries, at(2*time.Second, is(second, began)), at(3*time.Second-1, is(second, stopped)), at(4*time.Second, is(first, did)))
			r := newReport(io.Discard, false)
			readChronicle(entries, nil, r)
			if n := r.violated(); n != story.violations {
				t.Errorf("%d violations, want %d", n, story.violations)
			}
		})
	}
}
