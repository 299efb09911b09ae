package core

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// TestAMachineThatStandsStillEndsNoOutage has small things succeed while larger ones fail, as on a full disk.
func TestAMachineThatStandsStillEndsNoOutage(t *testing.T) {
	var log bytes.Buffer
	clock := &manualClock{now: time.Unix(0, 0)}
	o := &outage{log: slog.New(slog.NewTextHandler(&log, nil)), clock: clock}
	full := &backend.FaultError{Fault: backend.FaultDiskFull}
	told := func(when string, begins, ends int) {
		t.Helper()
		text := log.String()
		if b, e := strings.Count(text, "cannot do its work"), strings.Count(text, "does its work again"); b != begins || e != ends {
			t.Fatalf("%s: it began %d times and ended %d times, want %d and %d:\n%s", when, b, e, begins, ends, text)
		}
	}
	after := func(d time.Duration, do func()) {
		clock.now = clock.now.Add(d)
		do()
	}
	failed := func() { o.failed("commit", full) }

	failed()
	after(10*time.Second, o.worked)
	after(time.Millisecond, failed)
	told("after it stood still", 1, 0)
	for range 10 {
		after(100*time.Millisecond, o.worked)
		after(900*time.Millisecond, failed)
	}
	told("while it goes on", 1, 0)
	for range 2 {
		after(time.Second, o.worked)
	}
	told("when it has worked for two seconds", 1, 0)
	after(time.Second, o.worked)
	told("when it has worked for three", 1, 1)
	after(time.Second, failed)
	told("with the next", 2, 1)
}
