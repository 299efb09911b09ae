package alerts

import (
	"strings"
	"time"

	"github.com/stentgo/stent/internal/promql"
)

// Alert is one alert rule.
type Alert struct {
	Name     string
	Severity string // critical: somebody has to come now; warning: during the day
	For      time.Duration
	Expr     string // its value is above 0 wherever it has one
	// Summary and Description are templates of labels and of the value of Expr. See [Alert.Render].
	Summary     text
	Description text
	Runbook     string // URL
	Dashboard   string // URL, with the alert's labels
	Labels      map[string]string
}

// Recording is a rule that keeps the answer to a query under a name.
type Recording struct {
	Name   string
	Expr   string
	Labels []string // of its series
}

// Group is rules that are evaluated together, in their order.
type Group struct {
	Name       string
	Interval   time.Duration // 0: as the server does
	Recordings []Recording
	Alerts     []Alert
}

// text is a template as all receivers have it, in segments.
type text []segment

type segment struct {
	literal string
	label   string // the value of this label
	value   string // the value of the expression, through this function
}

func say(parts ...any) text {
	var t text
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			t = append(t, segment{literal: p})
		case segment:
			t = append(t, p)
		}
	}
	return t
}

func label(name string) segment { return segment{label: name} }

var (
	asNumber   = segment{value: `printf "%.0f"`} // a count, which increase() makes a fraction of
	asShare    = segment{value: "humanizePercentage"}
	asDuration = segment{value: "humanizeDuration"}
)

// prometheus is the template as Prometheus fills it in.
func (t text) prometheus() string { return t.render("{{ $value | ", " }}") }

// grafana is the template as Grafana fills it in: the value is that of the expression A.
func (t text) grafana() string { return t.render("{{ ", " $values.A.Value }}") }

func (t text) render(before, after string) string {
	var s strings.Builder
	for _, part := range t {
		switch {
		case part.label != "":
			s.WriteString("{{ $labels." + part.label + " }}")
		case part.value != "":
			s.WriteString(before + part.value + after)
		default:
			s.WriteString(part.literal)
		}
	}
	return s.String()
}

// recordings are the recording rules, and the way for alerts to use them.
type recordings struct {
	inline bool // write the query itself instead of its name: Grafana does not have the recording rules
	list   []Recording
}

// record keeps a query under a name, and returns how to ask for it.
func (r *recordings) record(name string, labels []string, e promql.Expr) promql.Expr {
	r.list = append(r.list, Recording{Name: name, Expr: e.String(), Labels: labels})
	if r.inline {
		return e
	}
	return promql.Recorded(name)
}
