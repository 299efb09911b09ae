package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/stentgo/stent/internal/promql"
)

// DatasourceUID is the uid of the Prometheus data source in Grafana that the rules ask; alerting knows no variables.
const DatasourceUID = "prometheus"

// Grafana is a provisioning file for Grafana's own alerting, for its folder provisioning/alerting. Its rules ask the data
// source whose uid is given, by default [DatasourceUID], and need no recording rules.
func Grafana(o Options, datasource string) []byte {
	orElse(&datasource, DatasourceUID)
	var groups []mapping
	for _, g := range Standalone(o) {
		var rules []mapping
		for _, a := range g.Alerts {
			rules = append(rules, a.managed(datasource, o.WithDefaults().UIDPrefix))
		}
		groups = append(groups, mapping{
			{"orgId", 1}, {"name", g.Name}, {"folder", "Stent"}, {"interval", promql.Duration(o.WithDefaults().scaled(time.Minute))}, {"rules", rules},
		})
	}
	return mapping{{"apiVersion", 1}, {"groups", groups}}.yaml(generated +
		"Alert rules of Stent, managed by Grafana: for its folder provisioning/alerting. Without the recording rules.\n")
}

// managed is an alert as Grafana has it: A asks Prometheus, B is the condition. A has a value, above 0, exactly where
// the alert is to fire.
func (a Alert) managed(datasource, prefix string) mapping {
	return mapping{
		{"uid", a.uid(prefix)},
		{"title", a.title()},
		{"condition", "B"},
		{"for", promql.Duration(a.For)},
		{"noDataState", "OK"},
		{"execErrState", "Error"},
		{"isPaused", false},
		{"data", []mapping{
			{
				{"refId", "A"},
				{"relativeTimeRange", mapping{{"from", 600}, {"to", 0}}},
				{"datasourceUid", datasource},
				{"model", mapping{{"refId", "A"}, {"expr", a.Expr}, {"instant", true}, {"range", false}, {"editorMode", "code"}}},
			},
			{
				{"refId", "B"},
				{"relativeTimeRange", mapping{{"from", 0}, {"to", 0}}},
				{"datasourceUid", "__expr__"},
				{"model", mapping{
					{"refId", "B"}, {"type", "threshold"}, {"expression", "A"},
					{"conditions", []mapping{{{"evaluator", mapping{{"type", "gt"}, {"params", numbers{0}}}}}}},
				}},
			},
		}},
		{"labels", a.labels()},
		{"annotations", a.annotations(text.grafana)},
	}
}

// uid is the same whenever the rule is made again.
func (a Alert) uid(prefix string) string {
	sum := sha256.Sum256([]byte(a.title()))
	return prefix + hex.EncodeToString(sum[:8])
}

// title tells rules of one alert apart; Grafana wants every title once.
func (a Alert) title() string {
	if long, ok := a.Labels["long"]; ok {
		return fmt.Sprintf("%s (%s)", a.Name, long)
	}
	return a.Name
}
