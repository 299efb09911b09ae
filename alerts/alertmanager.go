package alerts

import (
	"strings"
	"time"

	"github.com/stentgo/stent/internal/promql"
)

// inhibition says that while one alert fires, others say nothing that is new.
type inhibition struct {
	source string
	target []string
	equal  []string // labels that have to agree, beside those that separate databases
}

var inhibitions = []inhibition{
	{"StentQueueWithoutWorkers", []string{"StentQueueGrowing", "StentQueueStalled", "StentTasksWaitLong"}, []string{"queue"}},
	{"StentQueueStalled", []string{"StentQueueGrowing", "StentTasksWaitLong"}, []string{"queue"}},
	{"StentTaskPoisoned", []string{"StentTasksTakenOver"}, []string{"queue"}},
	{"StentFailureRateHigh", []string{"StentDeadLettersGrowing"}, []string{"queue", "step"}},
}

// Alertmanager is an example of its configuration: what is critical goes out at once, the rest is gathered; alerts are
// grouped by queue; a cause silences its effects; a webhook gets them all. Take from it what you need.
func Alertmanager(o Options) []byte {
	o = o.WithDefaults()
	duration := func(d time.Duration) string { return promql.Duration(o.scaled(d)) }
	var inhibit []mapping
	for _, i := range inhibitions {
		inhibit = append(inhibit, mapping{
			{"source_matchers", []string{`alertname="` + i.source + `"`}},
			{"target_matchers", []string{`alertname=~"` + strings.Join(i.target, "|") + `"`}},
			{"equal", append(append([]string{}, o.Keep...), i.equal...)},
		})
	}
	inhibit = append(inhibit, mapping{
		{"source_matchers", []string{`alertname="StentSLOBurning"`, `severity="critical"`}},
		{"target_matchers", []string{`alertname="StentSLOBurning"`, `severity="warning"`}},
		{"equal", append(append([]string{}, o.Keep...), "queue", "step")},
	})
	return mapping{
		{"route", mapping{
			{"receiver", "stent-team"},
			{"group_by", append(append([]string{"alertname"}, o.Keep...), "queue")},
			{"group_wait", duration(30 * time.Second)},
			{"group_interval", duration(5 * time.Minute)},
			{"repeat_interval", duration(12 * time.Hour)},
			{"routes", []mapping{
				{
					{"matchers", []string{`queue="billing"`, `severity="critical"`}},
					{"receiver", "billing-on-call"}, {"group_wait", duration(10 * time.Second)}, {"repeat_interval", duration(4 * time.Hour)},
				},
				{
					{"matchers", []string{`severity="critical"`}},
					{"receiver", "stent-on-call"}, {"group_wait", duration(10 * time.Second)}, {"repeat_interval", duration(4 * time.Hour)},
				},
			}},
		}},
		{"inhibit_rules", inhibit},
		{"receivers", []mapping{
			receiver("stent-team", "http://localhost:9095/alerts"),
			receiver("stent-on-call", "http://localhost:9095/pages"),
			receiver("billing-on-call", "http://localhost:9095/billing"),
		}},
	}.yaml(generated + "An example for Alertmanager: routes by severity and by queue, grouping, inhibition, webhooks.\n")
}

func receiver(name, url string) mapping {
	return mapping{{"name", name}, {"webhook_configs", []mapping{{{"url", url}, {"send_resolved", true}}}}}
}
