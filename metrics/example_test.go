package metrics_test

import (
	"fmt"

	"github.com/stentgo/stent/metrics"
)

// A query that cannot name what is not there.
func Example() {
	m := metrics.TasksCompleted
	fmt.Printf("sum by (%s) (rate(%s[5m]))\n", metrics.LabelQueue, m.Name)
	// Output: sum by (queue) (rate(stent_tasks_completed_total[5m]))
}
