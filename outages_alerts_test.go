package stent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
)

// outageAlert is the alert of an outage.
const outageAlert = "StentBackendErrors"

// The alert and its runbook name each fault that a database may have.
func TestTheAlertOfAnOutageNamesIt(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join("alerts", "runbooks", outageAlert+".md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range alerts.Rules(alerts.Options{}) {
		for _, a := range group.Alerts {
			if a.Name != outageAlert {
				continue
			}
			for _, fault := range backend.Faults() {
				labels := map[string]string{metrics.LabelOperation: "commit", metrics.LabelReason: string(fault)}
				if summary, description := a.Render(labels, 7); !strings.Contains(summary, string(fault)) || !strings.Contains(description, string(fault)) {
					t.Errorf("the alert of %s says %q, %q", fault, summary, description)
				}
				if !strings.Contains(string(runbook), "\n| `"+string(fault)+"` |") {
					t.Errorf("the runbook has no line for %s", fault)
				}
			}
			return
		}
	}
	t.Errorf("there is no alert %s", outageAlert)
}
