package cli

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// examineFencing looks for processes that outlived the lease of their worker: what such a one goes on to write is refused. A
// process that was killed writes nothing more, and is no concern of fencing. Each refusal is not in the database, so that it
// costs nothing there; the metric stent_fenced_writes_total counts them.
func examineFencing(now time.Time, workers []backend.Worker) finding {
	var lost, heir backend.Worker
	n := 0
	for _, dead := range workers {
		if dead.State != backend.WorkerDead {
			continue
		}
		for _, other := range workers {
			if other.Host == dead.Host && other.PID == dead.PID && other.Started.After(dead.LeaseEnd) {
				if n++; lost.ID == "" || dead.LeaseEnd.After(lost.LeaseEnd) {
					lost, heir = dead, other
				}
				break
			}
		}
	}
	if n == 0 {
		return finding{"fencing", fine, "no process of the last day outlived its worker's lease", "", ""}
	}
	return finding{
		"fencing", warning,
		fmt.Sprintf("%d workers of the last day were declared dead, and their processes went on; the last was %s on %s, %s ago, which became %s",
			n, lost.ID, lost.Host, age(now.Sub(lost.LeaseEnd)), heir.ID),
		"what they wrote in between was refused, and their tasks ran again: look for pauses of the process (CPU limits, a suspended machine, a slow database), or set WorkerConfig.Lease higher; stent_fenced_writes_total counts them",
		"stats",
	}
}
