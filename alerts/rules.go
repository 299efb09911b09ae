package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// Rules are all rules, in groups. They know their own recording rules by name; see [Standalone].
func Rules(o Options) []Group { return newMaker(o, false).groups() }

// Standalone are the alerts without recording rules: each query is written out.
func Standalone(o Options) []Group {
	groups := newMaker(o, true).groups()
	for i := range groups {
		groups[i].Recordings = nil
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return len(g.Alerts) == 0 })
}

// Names are the names of all alerts, in the order of the rules. An alert of several rules is named once.
func Names() []string {
	var names []string
	for _, g := range Rules(Options{}) {
		for _, a := range g.Alerts {
			names = append(names, a.Name)
		}
	}
	return slices.Compact(names)
}

// The severities that alerts have by default.
const (
	Critical = "critical" // somebody has to come now
	Warning  = "warning"  // somebody has to look during the day
)

// maker makes the rules of one set of options.
type maker struct {
	Options
	scope promql.Scope
	rec   recordings
	known map[string]promql.Expr
}

func newMaker(o Options, inline bool) *maker {
	o = o.WithDefaults()
	return &maker{
		Options: o, scope: promql.Scope{Selector: o.Selector, Keep: o.Keep}, rec: recordings{inline: inline}, known: map[string]promql.Expr{},
	}
}

func (m *maker) groups() []Group {
	return []Group{
		m.group("stent-queues", m.queueAlerts),
		m.group("stent-tasks", m.taskAlerts),
		m.group("stent-workers", m.workerAlerts),
		m.group("stent-database", m.databaseAlerts),
		m.longObjectives(),
		m.group("stent-objectives", m.objectiveAlerts),
	}
}

// group is the alerts and the recordings that were made for them.
func (m *maker) group(name string, alerts func() []Alert) Group {
	g := Group{Name: name}
	g.Alerts = slices.DeleteFunc(alerts(), func(a Alert) bool { return slices.Contains(m.Disabled, a.Name) })
	g.Recordings, m.rec.list = m.rec.list, nil
	return g
}

func (m *maker) of(metric metrics.Metric) promql.Series { return m.scope.Of(metric) }

// record keeps a query once, by the labels given and those that separate databases.
func (m *maker) record(name string, e promql.Expr, labels ...string) promql.Expr {
	if known, ok := m.known[name]; ok {
		return known
	}
	m.known[name] = m.rec.record(name, append(slices.Clone(m.Keep), labels...), e)
	return m.known[name]
}

// rule is an alert before the options are applied.
type rule struct {
	name, severity       string
	hold                 time.Duration
	expr                 promql.Expr
	dashboard            string   // uid without its prefix
	labels               []string // of the expression, that are variables of the dashboard
	summary, description text
	extra                map[string]string
}

// alert applies the options to a rule.
func (m *maker) alert(r rule) Alert {
	if severity, ok := m.Severities[r.name]; ok {
		r.severity = severity
	}
	if hold, ok := m.For[r.name]; ok {
		r.hold = hold
	}
	labels := map[string]string{}
	maps.Copy(labels, m.Labels)
	maps.Copy(labels, r.extra)
	return Alert{
		Name: r.name, Severity: r.severity, For: m.scaled(r.hold), Expr: r.expr.String(), Summary: r.summary, Description: r.description,
		Runbook: m.RunbookURL + "/" + r.name + ".md", Dashboard: m.dashboard(r), Labels: labels,
	}
}

// dashboard is the address of the dashboard, with its variables set to the alert's labels.
func (m *maker) dashboard(r rule) string {
	var variables []string
	for _, label := range append(slices.Clone(m.Keep), r.labels...) {
		variables = append(variables, fmt.Sprintf("var-%s={{ $labels.%s | urlquery }}", label, label))
	}
	url := m.GrafanaURL + "/d/" + m.UIDPrefix + r.dashboard
	if len(variables) > 0 {
		url += "?" + strings.Join(variables, "&")
	}
	return url
}
