package gauges

import (
	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
)

// Objectives are the shares of tasks that are to complete, of the steps that declare one. Steps beyond the budget share no
// objective: what is counted of them together is measured by none.
func Objectives(known []core.KnownTask, b *budget.Budget) []Value {
	type place struct{ queue, step string }
	var all []Value
	seen := map[place]bool{}
	for _, k := range known {
		at := place{b.Fold(metrics.LabelQueue, k.Queue), b.Fold(metrics.LabelStep, k.Step)}
		if k.SLO == 0 || seen[at] || at != (place{k.Queue, k.Step}) {
			continue
		}
		seen[at] = true
		all = append(all, Value{metrics.StepSLO, []string{at.queue, at.step}, k.SLO})
	}
	return all
}
