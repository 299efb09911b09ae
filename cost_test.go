//go:build !race

package stent_test

import (
	"fmt"
	"testing"

	"github.com/stentgo/stent/core/backend/memory"
)

// TestAllocationsOfTheEngine gates on what an execution allocates from its start to the answer of Wait, with the database in
// memory, where that does not depend on how fast the machine is. What the real databases add is gated with them; on a quiet
// machine the two make up what BenchmarkWorkflow tells. The race detector adds its own.
func TestAllocationsOfTheEngine(t *testing.T) {
	for _, gate := range []struct {
		activities, inFlight int
		most                 int64
	}{
		{0, 100, 37},
		{1, 1, 106},
		{5, 100, 162},
	} {
		t.Run(fmt.Sprintf("activities=%d, in flight=%d", gate.activities, gate.inFlight), func(t *testing.T) {
			r := testing.Benchmark(func(b *testing.B) { benchmarkWorkflow(b, memory.Open(), gate.activities, gate.inFlight, nil) })
			if r.N == 0 {
				t.Fatal("the benchmark failed")
			}
			got := r.AllocsPerOp()
			t.Logf("%d allocations for an execution, %.0f executions/s", got, float64(r.N)/r.T.Seconds())
			if got > gate.most {
				t.Errorf("%d allocations for an execution, want at most %d", got, gate.most)
			}
		})
	}
}
