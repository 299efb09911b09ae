package alerts

import (
	"strconv"
	"time"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// burn is a speed at which a budget of errors must not be used up, over a long window, to be sure that it matters, and a
// short one, to be sure that it goes on. The values are those of Google's SRE workbook, chapter 5, for an objective over
// 30 days: 14.4 uses 2 % of it in an hour, 6 uses 5 % in six hours, 3 and 1 use 10 % in one day and in three.
type burn struct {
	factor      float64
	long, short time.Duration
	hold        time.Duration
	severity    string
}

const day = 24 * time.Hour

var burns = []burn{
	{14.4, time.Hour, 5 * time.Minute, 2 * time.Minute, Critical},
	{6, 6 * time.Hour, 30 * time.Minute, 15 * time.Minute, Critical},
	{3, day, 2 * time.Hour, time.Hour, Warning},
	{1, 3 * day, 6 * time.Hour, 3 * time.Hour, Warning},
}

// longObjectives records what looks back over days, less often, since reading it is dear.
func (m *maker) longObjectives() Group {
	m.failures(day)
	m.failures(3 * day)
	g := Group{Name: "stent-objectives-long", Interval: m.scaled(3 * time.Minute), Recordings: m.rec.list}
	m.rec.list = nil
	return g
}

// objectiveAlerts are about the objectives that steps declare.
func (m *maker) objectiveAlerts() []Alert {
	const queue, step = metrics.LabelQueue, metrics.LabelStep
	objective := m.record("queue_step:stent_step_slo_ratio:max", m.of(metrics.StepSLO).MaxBy(queue, step), queue, step)
	var list []Alert
	for _, b := range burns {
		long, finished := m.failures(b.long)
		short, _ := m.failures(b.short)
		allowed := objective.OneMinus().Times(b.factor)
		list = append(list, m.alert(rule{
			name: "StentSLOBurning", severity: b.severity, hold: b.hold, dashboard: "workflow", labels: []string{queue, step},
			expr: long.Exceeds(allowed).And(short.Exceeds(allowed),
				finished.Times(m.scaled(b.long).Seconds()).AtLeast(float64(m.Thresholds.Traffic))),
			summary: say("Step ", label(step), " uses up its error budget."),
			description: say(asShare, " of the tasks of step ", label(step), " in queue ", label(queue), " that ended within ", m.window(b.long),
				" failed for good: ", strconv.FormatFloat(b.factor, 'g', -1, 64), " times what its objective allows, and it goes on."),
			extra: map[string]string{"long": promql.Duration(b.long), "short": promql.Duration(b.short)},
		}))
	}
	return list
}
