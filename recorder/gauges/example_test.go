package gauges_test

import (
	"fmt"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/recorder/gauges"
)

func ExampleProcess() {
	for _, v := range gauges.Process(core.ProcessGauges{Slots: 100, SlotsUsed: 7}) {
		if v.Metric.Name == "stent_worker_slots_used" {
			fmt.Println(v.Metric.Name, v.Value)
		}
	}
	// Output: stent_worker_slots_used 7
}
