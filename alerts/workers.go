package alerts

import (
	"time"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// workerAlerts are about workers and their leases.
func (m *maker) workerAlerts() []Alert {
	const job, instance, queue = "job", "instance", metrics.LabelQueue
	t, w := m.Thresholds, m.Windows
	idle := promql.Now().Minus(m.of(metrics.WorkerLastProgress).Each())
	slots := m.of(metrics.WorkerSlots).Each()
	return []Alert{
		m.alert(rule{
			name: "StentWorkerWedged", severity: Critical, hold: 5 * time.Minute, dashboard: "engine",
			expr:    idle.Above(m.seconds(t.Wedged)).And(m.of(metrics.WorkerSlotsUsed).Each().Reaches(slots), slots.Above(0)),
			summary: say("Worker ", label(instance), " is full and makes no progress."),
			description: say("All slots of ", label(instance), " are taken, and it began and ended nothing for ", asDuration,
				": its activities hang."),
		}),
		m.alert(rule{
			name: "StentLeasesLost", severity: Warning, hold: time.Minute, dashboard: "engine",
			expr: m.of(metrics.LeaseRenewals).Where(metrics.LabelResult, "lost").Grown(m.window(w.Events)).SumBy(job, instance).
				Above(0),
			summary: say("Worker ", label(instance), " lost its lease."),
			description: say(label(instance), " found its lease gone ", asNumber, " times within ", m.window(w.Events),
				": it could not renew in time, and what it ran was stopped and begun again elsewhere."),
		}),
		m.alert(rule{
			name: "StentTasksTakenOver", severity: Warning, hold: time.Minute, dashboard: "queue", labels: []string{queue},
			expr:    m.of(metrics.LeaseTakeovers).Grown(m.window(w.Events)).SumBy(queue).Above(0),
			summary: say("A worker of queue ", label(queue), " died."),
			description: say(asNumber, " tasks of queue ", label(queue), " were taken over within ", m.window(w.Events),
				", because their worker died, hung, or could not reach the database."),
		}),
	}
}
