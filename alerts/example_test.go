package alerts_test

import (
	"fmt"

	"github.com/stentgo/stent/alerts"
)

func ExampleRules() {
	for _, group := range alerts.Rules(alerts.Options{}) {
		for _, alert := range group.Alerts {
			if alert.Name == "StentQueueGrowing" {
				fmt.Println(alert.Name, alert.Severity)
			}
		}
	}
	// Output: StentQueueGrowing warning
}
