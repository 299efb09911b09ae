package dashboards_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stentgo/stent/dashboards"
	"github.com/stentgo/stent/internal/promql/promlint"
	"github.com/stentgo/stent/metrics"
)

// lint says what is wrong with the text of a dashboard, whoever wrote it.
func lint(text []byte, o dashboards.Options) []string {
	var d dashboards.Dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		return []string{err.Error()}
	}
	l := &linter{
		queries: promlint.Linter{Labels: append([]string{"job", "instance"}, o.Keep...), Window: "$__rate_interval"},
		title:   d.Title,
	}
	l.dashboard(d, string(text))
	return l.faults
}

type linter struct {
	queries promlint.Linter
	title   string
	faults  []string
}

func (l *linter) fault(format string, args ...any) {
	l.faults = append(l.faults, l.title+": "+fmt.Sprintf(format, args...))
}

func (l *linter) dashboard(d dashboards.Dashboard, text string) {
	if d.SchemaVersion != 42 {
		l.fault("schemaVersion %d", d.SchemaVersion)
	}
	if d.UID == "" || len(d.UID) > 40 || d.Title == "" || d.Description == "" {
		l.fault("uid %q, title %q, description %q", d.UID, d.Title, d.Description)
	}
	if strings.Contains(text, "__inputs") || strings.Contains(text, "${DS_") {
		l.fault("it cannot be provisioned: __inputs")
	}
	l.variables(d)
	ids, titles := map[int]bool{}, map[string]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			l.fault("panel %q: id %d again", p.Title, p.ID)
		}
		if titles[p.Title] && p.Type != "row" {
			l.fault("two panels are called %q", p.Title)
		}
		ids[p.ID], titles[p.Title] = true, titles[p.Title] || p.Type != "row"
		l.position(p, d.Panels[:i])
		l.panel(p)
	}
}

func (l *linter) variables(d dashboards.Dashboard) {
	names := []string{"__all", "__rate_interval", "__url_time_range", "__value"}
	for i, v := range d.Templating.List {
		names = append(names, v.Name)
		switch {
		case i == 0 && (v.Type != "datasource" || v.Query != "prometheus" || v.Name != "datasource"):
			l.fault("the first variable is not the data source")
		case i > 0 && (v.Type != "query" || v.AllValue != ".*" || !v.IncludeAll || !v.Multi || v.Datasource == nil):
			l.fault("variable %s: %+v", v.Name, v)
		}
	}
	all, err := json.Marshal(d)
	if err != nil {
		l.fault("%v", err)
	}
	for _, m := range regexp.MustCompile(`\$\{?([a-zA-Z_]+)`).FindAllStringSubmatch(string(all), -1) {
		if !slices.Contains(names, m[1]) {
			l.fault("there is no variable %s", m[1])
		}
	}
}

func (l *linter) position(p dashboards.Panel, before []dashboards.Panel) {
	g := p.GridPos
	if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 || g.Y < 0 {
		l.fault("panel %q stands outside of the grid: %+v", p.Title, g)
	}
	for _, other := range before {
		o := other.GridPos
		if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
			l.fault("panels %q and %q overlap", p.Title, other.Title)
		}
	}
}

func (l *linter) panel(p dashboards.Panel) {
	if p.Title == "" {
		l.fault("panel %d has no title", p.ID)
	}
	if p.Type == "row" {
		return
	}
	if !slices.Contains([]string{"timeseries", "stat", "heatmap", "table"}, p.Type) {
		l.fault("panel %q: type %s", p.Title, p.Type)
	}
	if !strings.HasSuffix(p.Description, ".") {
		l.fault("panel %q: description %q", p.Title, p.Description)
	}
	if p.FieldConfig == nil || p.FieldConfig.Defaults.Unit == "" {
		l.fault("panel %q has no unit", p.Title)
	}
	if p.Datasource == nil || p.Datasource.UID != "${datasource}" {
		l.fault("panel %q: data source %v", p.Title, p.Datasource)
	}
	if len(p.Targets) == 0 {
		l.fault("panel %q asks nothing", p.Title)
	}
	for _, target := range p.Targets {
		l.target(p, target)
	}
}

func (l *linter) target(p dashboards.Panel, target dashboards.Target) {
	for _, fault := range l.queries.Check(target.Expr) {
		l.fault("panel %q, query %s: %s", p.Title, target.RefID, fault)
	}
	if !strings.Contains(target.Expr, `job=~"$job"`) {
		l.fault("panel %q, query %s does not heed the variable job", p.Title, target.RefID)
	}
	if target.Datasource == nil || target.Datasource.UID != "${datasource}" {
		l.fault("panel %q, query %s: data source %v", p.Title, target.RefID, target.Datasource)
	}
	if (p.Type == "timeseries") && target.LegendFormat == "" {
		l.fault("panel %q, query %s: its lines have no names", p.Title, target.RefID)
	}
	labels := promlint.Labels(target.Expr)
	for _, m := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(target.LegendFormat, -1) {
		if !slices.Contains(labels, m[1]) {
			l.fault("panel %q, query %s: the legend names %s; the query keeps %v", p.Title, target.RefID, m[1], labels)
		}
	}
	seconds := strings.Contains(target.Expr, "_seconds") && !strings.Contains(target.Expr, "_count") && p.Type != "heatmap"
	if seconds && p.Type != "table" && p.FieldConfig != nil && p.FieldConfig.Defaults.Unit != "s" {
		l.fault("panel %q shows seconds as %s", p.Title, p.FieldConfig.Defaults.Unit)
	}
}

var variants = map[string]dashboards.Options{
	"as checked in":     {Keep: []string{"namespace"}},
	"native histograms": {Native: true, Keep: []string{"namespace"}},
	"one database":      {Keep: []string{}},
	"many clusters":     {Keep: []string{"cluster", "namespace"}, UIDPrefix: "acme-", RunbookURL: "https://wiki.example/stent/"},
}

func TestDashboardsAreSound(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			uids := map[string]bool{}
			for _, d := range dashboards.All(o) {
				for _, fault := range lint(d.JSON(), o) {
					t.Error(fault)
				}
				if uids[d.UID] {
					t.Errorf("two dashboards have the uid %s", d.UID)
				}
				uids[d.UID] = true
			}
		})
	}
}

// A uid that changed would leave the old dashboard behind and break every link to it.
func TestUIDs(t *testing.T) {
	for file, uid := range map[string]string{
		"overview.json": "stent-overview", "queue.json": "stent-queue", "workflow.json": "stent-workflow", "engine.json": "stent-engine",
	} {
		if got := dashboards.All(dashboards.Options{})[file].UID; got != uid {
			t.Errorf("%s has the uid %q, want %q", file, got, uid)
		}
	}
}

// What is measured and never shown might as well not be measured.
func TestEveryMetricIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, d := range dashboards.All(dashboards.Options{}) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				for _, m := range promlint.Metrics(target.Expr) {
					shown[m.Name] = true
				}
			}
		}
	}
	for _, m := range metrics.All() {
		if !shown[m.Name] {
			t.Errorf("no panel shows %s", m.Name)
		}
	}
}

// The six things that whoever runs Stent looks at first.
func TestOverviewShowsTheKeyMetrics(t *testing.T) {
	asked := map[string][]string{}
	for _, p := range dashboards.Overview(dashboards.Options{}).Panels {
		for _, target := range p.Targets {
			asked[p.Title] = append(asked[p.Title], target.Expr)
		}
	}
	for title, want := range map[string]string{
		"Throughput by step":    `60 \* sum by \(step\) \(rate\(stent_tasks_completed_total\{`,
		"Latency":               `histogram_quantile\(0.5, .*\n.*histogram_quantile\(0.95, .*\n.*histogram_quantile\(0.99, `,
		"Error rate by step":    `retrying="false"`,
		"Queue depth by queue":  `stent_queue_depth`,
		"Dead letters by queue": `stent_queue_dead_letters`,
		"Workers by state":      `stent_workers`,
	} {
		if got := strings.Join(asked[title], "\n"); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("panel %q asks %q, want %s", title, got, want)
		}
	}
}
