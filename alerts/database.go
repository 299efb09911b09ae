package alerts

import (
	"time"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// databaseAlerts are about the database, and about whether the metrics can be trusted.
func (m *maker) databaseAlerts() []Alert {
	t, w := m.Thresholds, m.Windows
	sampled := promql.Now().Minus(m.of(metrics.SampleTimestamp).MaxBy())
	return []Alert{
		m.alert(rule{
			name: "StentBackendErrors", severity: Critical, hold: 5 * time.Minute, dashboard: "engine",
			expr:    m.of(metrics.BackendErrors).Increase(m.window(w.Ratio)).SumBy(metrics.LabelOperation, metrics.LabelReason).Above(float64(t.BackendErrors)),
			summary: say("The database answers with errors: ", label(metrics.LabelReason), "."),
			description: say(asNumber, " errors of the database within ", m.window(w.Ratio), " when it was asked to ",
				label(metrics.LabelOperation), ": ", label(metrics.LabelReason), ". The runbook has a section for each reason."),
		}),
		m.alert(rule{
			name: "StentClockSkewed", severity: Warning, hold: 5 * time.Minute, dashboard: "engine",
			expr:    m.of(metrics.DatabaseClockSkew).MaxOf("abs", "", "job", "instance").Above(t.ClockSkew.Seconds()),
			summary: say("The clocks of ", label("instance"), " and of its database differ."),
			description: say("The clock of ", label("instance"), " and that of the database are ", asDuration,
				" apart. Leases and due times go by the database's clock; logs and spans do not."),
		}),
		m.alert(rule{
			name: "StentSampleStale", severity: Warning, hold: 2 * time.Minute, dashboard: "engine",
			expr:    sampled.Above(m.seconds(t.SampleAge)).Or(m.of(metrics.SamplerUp).MaxBy().OneMinus().Above(0)),
			summary: say("Queue depth, dead letters and worker counts are out of date."),
			description: say("No process could read them from the database, or the last time was more than ", m.window(t.SampleAge),
				" ago. Alerts about queues and dead letters are blind meanwhile."),
		}),
		m.alert(rule{
			name: "StentMetricsAbsent", severity: Critical, hold: 5 * time.Minute, dashboard: "overview",
			expr:    m.of(metrics.BuildInfo).Absent(),
			summary: say("No process of Stent is seen."),
			description: say("Prometheus has no metric of any process that runs Stent: none runs, or none is scraped. All other alerts are blind " +
				"meanwhile."),
		}),
	}
}
