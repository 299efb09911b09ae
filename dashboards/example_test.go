package dashboards_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stentgo/stent/dashboards"
)

// All returns the dashboards by the name of their file; encoding/json writes them.
func ExampleAll() {
	all := dashboards.All(dashboards.Options{})
	for _, file := range slices.Sorted(maps.Keys(all)) {
		fmt.Println(file, all[file].UID)
	}
	// Output:
	// engine.json stent-engine
	// overview.json stent-overview
	// queue.json stent-queue
	// workflow.json stent-workflow
}
