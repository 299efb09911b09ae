package dashboards_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stentgo/stent/dashboards"
)

// A linter that says nothing proves nothing: here it is shown what it must find.
func TestTheLinterFindsWhatIsWrong(t *testing.T) {
	for name, m := range map[string]struct{ old, mutated, complaint string }{
		"a metric renamed":       {"stent_tasks_completed_total", "stent_tasks_done_total", "stent_tasks_done_total is not in the catalogue"},
		"a label of another":     {"sum by (step) (rate(stent_tasks_completed_total", "sum by (workflow) (rate(stent_tasks_completed_total", "has no label workflow"},
		"a matcher of another":   {`stent_queue_depth{`, `stent_queue_depth{step=\"charge\",`, "has no label step"},
		"le dropped":             {"sum by (le) (rate(stent_task_duration", "sum (rate(stent_task_duration", "the sum loses le"},
		"max made sum":           {"max by (namespace, queue) (stent_queue_depth", "sum by (namespace, queue) (stent_queue_depth", "want the max"},
		"max dropped":            {"max by (namespace, queue) (stent_queue_depth", "(stent_queue_depth", "want the max"},
		"a counter as it is":     {"sum by (step) (rate(stent_tasks_completed_total{job=~\\\"$job\\\",namespace=~\\\"$namespace\\\"}[$__rate_interval]))", "sum by (step) (stent_tasks_completed_total{job=~\\\"$job\\\"})", "want its rate"},
		"a rate not summed":      {"60 * sum by (step) (rate(", "60 * (rate(", "summed over processes"},
		"a rate of a gauge":      {"max by (namespace, queue) (stent_queue_depth{job=~\\\"$job\\\",namespace=~\\\"$namespace\\\"})", "max by (namespace, queue) (rate(stent_queue_depth{job=~\\\"$job\\\"}[$__rate_interval]))", "has no rate"},
		"a ratio unsafe at zero": {"[$__rate_interval])) > 0)", "[$__rate_interval])))", "denominator may be 0"},
		"labels that never match": {"/ (sum by (step) (rate(stent_tasks_completed_total", "/ (sum by (queue) (rate(stent_tasks_completed_total",
			"never match"},
		"a fixed window":       {"[$__rate_interval]", "[5m]", "want [$__rate_interval]"},
		"job ignored":          {`job=~\"$job\",`, ``, "does not heed the variable job"},
		"a legend of no label": {`"legendFormat": "{{step}}"`, `"legendFormat": "{{workflow}}"`, "the legend names workflow"},
		"an unknown variable":  {`$namespace\"`, `$cluster\"`, "no variable cluster"},
		"inputs":               {`"uid": "${datasource}"`, `"uid": "${DS_PROMETHEUS}"`, "__inputs"},
		"a fixed data source":  {`"uid": "${datasource}"`, `"uid": "PBFA97CFB590B2093"`, "data source"},
		"no unit":              {`"unit": "percentunit"`, `"unit": ""`, "has no unit"},
		"the wrong unit":       {`"unit": "s"`, `"unit": "ms"`, "shows seconds as ms"},
		"no title":             {`"title": "Latency"`, `"title": ""`, "has no title"},
		"no description":       {`"description": "Tasks completed a minute`, `"text": "Tasks completed a minute`, "description"},
		"an old panel":         {`"type": "timeseries"`, `"type": "graph"`, "type graph"},
		"an overlap":           {`"x": 12`, `"x": 11`, "overlap"},
		"outside the grid":     {`"x": 20`, `"x": 22`, "outside of the grid"},
		"a broken query":       {"histogram_quantile(0.95, ", "histogram_quantile((0.95, ", "want"},
	} {
		t.Run(name, func(t *testing.T) {
			text := dashboards.Overview(dashboards.Options{}).JSON()
			mutated := bytes.ReplaceAll(text, []byte(m.old), []byte(m.mutated))
			if bytes.Equal(text, mutated) {
				t.Fatalf("the dashboard has no %s", m.old)
			}
			faults := lint(mutated, dashboards.Options{Keep: []string{"namespace"}})
			if !strings.Contains(strings.Join(faults, "\n"), m.complaint) {
				t.Errorf("want a complaint of %q, got %q", m.complaint, faults)
			}
		})
	}
}
