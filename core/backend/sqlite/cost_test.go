package sqlite_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stentgo/stent/core/backend/sqlite"
)

// racing tells whether the race detector is on.
var racing bool

// TestCost gates on what hardly differs from machine to machine: the allocations of a workflow of five activities, a hundred
// at once, with a commit a step for all.
func TestCost(t *testing.T) {
	const rounds, each = 10, 100
	most := 195.0
	if racing {
		most = 200 // the detector makes for some 4
	}
	x := newBench(t, sqlite.Synchronous(sqlite.Normal))
	x.workflows("first-", each)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range rounds {
		x.workflows(fmt.Sprint("round-", i, "-"), each)
	}
	runtime.ReadMemStats(&after)
	got := float64(after.Mallocs-before.Mallocs) / (rounds * each)
	t.Logf("%.1f allocations for an execution", got)
	if got > most {
		t.Errorf("%.1f allocations for an execution, want at most %.0f", got, most)
	}
}
