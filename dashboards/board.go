package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// JSON is the dashboard as Grafana imports and provisions it.
func (d Dashboard) JSON() []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		panic(fmt.Sprintf("dashboards: %s: %v", d.UID, err)) // the types above have no value that cannot be encoded
	}
	return b.Bytes()
}

// columns is the width of Grafana's grid.
const columns = 24

// board is a dashboard while it is made: panels are placed from left to right, in rows.
type board struct {
	Dashboard
	queries
	options   Options
	x, y, row int // where the next panel stands, and how high the row is
}

var (
	source = Datasource{Type: "prometheus", UID: "${datasource}"}
	tag    = "stent"
)

// newBoard begins a dashboard. The metric is one that has all the labels of its variables.
func newBoard(o Options, uid, title, description string, variables ...Variable) *board {
	o = o.withDefaults()
	names := make([]string, len(variables))
	for i, v := range variables {
		names[i] = v.Name
	}
	b := &board{options: o, queries: o.queries(names...)}
	b.Dashboard = Dashboard{
		UID: o.UIDPrefix + uid, Title: title, Description: description, Tags: []string{tag},
		SchemaVersion: 42, Editable: true, GraphTooltip: 1, Time: TimeRange{From: "now-1h", To: "now"}, Refresh: "30s", Timezone: "browser",
		Templating: Templating{List: append(o.commonVariables(), variables...)},
		Annotations: Annotations{List: []Annotation{{
			Name: "Firing alerts", Datasource: source, Enable: true, IconColor: "red",
			Expr: `ALERTS{alertname=~"Stent.+",alertstate="firing"}`, Step: "60s",
			TitleFormat: "{{alertname}}", TextFormat: "{{queue}} {{step}} {{workflow}}", TagKeys: "severity",
		}}},
		Links: []Link{
			{Title: "Stent dashboards", Type: "dashboards", Tags: []string{tag}, Icon: "external link", AsDropdown: true, IncludeVars: true, KeepTime: true},
			{Title: "Runbooks", Type: "link", Tags: []string{}, URL: o.RunbookURL, Icon: "doc", TargetBlank: true},
		},
	}
	return b
}

// commonVariables are those of every dashboard.
func (o Options) commonVariables() []Variable {
	list := []Variable{{
		Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1,
	}, variable("job", "Job", metrics.BuildInfo.Name)}
	for _, label := range o.Keep {
		list = append(list, variable(label, label, metrics.BuildInfo.Name+`{job=~"$job"}`))
	}
	return list
}

// variable is a choice among the values of a label. All of them is any value, also none: series that were pushed lack
// the labels of a scrape.
func variable(name, label, series string) Variable {
	query := fmt.Sprintf("label_values(%s, %s)", series, name)
	return Variable{
		Name: name, Label: label, Type: "query", Datasource: &source,
		Query: VariableQuery{QryType: 1, Query: query, RefID: "Variable-" + name}, Definition: query,
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
		Current: &Current{Text: []string{"All"}, Value: []string{"$__all"}},
	}
}

// of is a choice among the values that a label of a metric has, within what was chosen before it.
func (o Options) choice(label, title string, m metrics.Metric) Variable {
	return variable(label, title, o.withDefaults().queries().of(m).String())
}

// heading begins a new row of panels under a title.
func (b *board) heading(title string) {
	b.newRow()
	open := false
	b.Panels = append(b.Panels, Panel{
		ID: len(b.Panels) + 1, Type: "row", Title: title, Collapsed: &open, GridPos: GridPos{H: 1, W: columns, Y: b.y},
	})
	b.y++
}

func (b *board) newRow() { b.x, b.y, b.row = 0, b.y+b.row, 0 }

// place puts a panel beside the one before, or below where there is no room.
func (b *board) place(w, h int, p Panel) {
	if b.x+w > columns {
		b.newRow()
	}
	p.ID, p.Datasource, p.GridPos = len(b.Panels)+1, &source, GridPos{H: h, W: w, X: b.x, Y: b.y}
	b.Panels = append(b.Panels, p)
	b.x += w
	b.row = max(b.row, h)
}

// runbook is a link from a panel to an alert's runbook.
func (b *board) runbook(alert string) []Link {
	return []Link{{Title: "Runbook: " + alert, Type: "link", Tags: []string{}, URL: b.options.RunbookURL + "/" + alert + ".md", TargetBlank: true}}
}

// line is one query of a panel, and how its series are called.
type line struct {
	expr   promql.Expr
	legend string
}

func targets(lines []line, format string, exemplars bool) []Target {
	var list []Target
	for i, l := range lines {
		list = append(list, Target{
			RefID: string(rune('A' + i)), Datasource: &source, Expr: l.expr.String(), LegendFormat: l.legend,
			Format: format, Instant: format == "table", Range: format != "table", Exemplar: exemplars, EditorMode: "code",
		})
	}
	return list
}
