package drill_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/dashboards"
	"github.com/stentgo/stent/metrics"
)

// jobs are the three ways of the metrics, by the label job that Prometheus gives them: scraped, sent by StatsD to a
// statsd_exporter each, sent by OTLP through the collector.
var jobs = []string{"shop", "shop-statsd", "shop-otel"}

// panelQuery is one query of a dashboard.
type panelQuery struct{ dashboard, panel, expr string }

func (q *panelQuery) String() string { return q.dashboard + " / " + q.panel + ": " + q.expr }

func panelQueries() (all []panelQuery) {
	for _, d := range dashboards.All(dashboards.Options{}) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				all = append(all, panelQuery{d.Title, p.Title, target.Expr})
			}
		}
	}
	return all
}

// filled is the query with the dashboard's variables: all queues, steps and workflows of a job and namespace.
func (q *panelQuery) filled(job, namespace, window string) string {
	expr := strings.NewReplacer(`job=~"$job"`, job, `namespace=~"$namespace"`, namespace, "$__rate_interval", window).Replace(q.expr)
	for _, variable := range []string{"queue", "step", "workflow"} {
		expr = strings.ReplaceAll(expr, `"$`+variable+`"`, `".*"`)
	}
	return expr
}

// everyQueryHasData asks what each panel of each dashboard asks, over the whole story.
func (s *stage) everyQueryHasData() {
	s.t.Helper()
	queries := panelQueries()
	var empty []string
	for _, q := range queries {
		found, err := s.prometheus.queryRange(s.ctx, q.filled(`job="shop"`, `namespace=~".*"`, "5s"), s.began, time.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		if !slices.ContainsFunc(found, func(x series) bool {
			return slices.ContainsFunc(x.Values, func(v point) bool { return !math.IsNaN(float64(v)) })
		}) {
			empty = append(empty, q.String())
		}
	}
	s.say("%d of %d queries of the dashboards had data", len(queries)-len(empty), len(queries))
	for _, q := range empty {
		s.t.Errorf("no data: %s", q)
	}
}

// standing are the gauges of how a process stands. StatsD is told them while the process samples its database, and so has
// the last ones of a process that has drained.
var standing = []string{metrics.WorkerSlots.Name, metrics.WorkerSlotsUsed.Name, metrics.WorkerReady.Name, metrics.StepSLO.Name}

func stands(q *panelQuery) bool {
	return slices.ContainsFunc(standing, func(name string) bool { return strings.Contains(q.expr, name) })
}

// waysAgree asks the queries of the dashboards that fit of each way, and compares the answers, of all processes of the
// shop that live: what one that is killed did in its last second was told to one and not to another.
//
// A rate looks back over a window that ends between two scrapes, which are not at the same time on the three ways. So the
// window is all the time that there was: what a counter grew by since it is there, which is its value.
func (s *stage) waysAgree(which func(*panelQuery) bool) {
	s.t.Helper()
	instances := `instance=~"` + strings.Join(s.living(), "|") + `"`
	total := strings.NewReplacer("rate(", "last_over_time(", "increase(", "last_over_time(")
	compared, values, wrong := 0, 0, 0
	for _, q := range panelQueries() {
		if !which(&q) {
			continue
		}
		compared++
		err := s.within(30*time.Second, func() error {
			at := time.Now()
			var want map[string]float64
			for i, job := range jobs {
				expr := total.Replace(q.filled(`job="`+job+`",`+instances, `namespace="shop"`, "1h"))
				found, err := s.prometheus.query(s.ctx, expr, at)
				if err != nil {
					return err
				}
				got := map[string]float64{}
				for i := range found {
					got[found[i].labels()] = float64(found[i].Value)
				}
				if i == 0 {
					want = got
					continue
				}
				if err := same(known(job, want), known(job, got)); err != nil {
					return fmt.Errorf("over %s, of %s\n%w", job, expr, err)
				}
			}
			values += len(want)
			return nil
		})
		if err != nil {
			s.t.Errorf("%s / %s: %v", q.dashboard, q.panel, err)
			wrong++
		}
	}
	s.say("%d queries of the dashboards compared over the three ways, %d values: %d queries differ", compared, values, wrong)
}

// toStatsD is what becomes of values on the way: its names do not say whether a lease could not be renewed or was lost,
// and brackets are not fit for them.
var toStatsD = strings.NewReplacer("result=lost", "result=error", "version=(devel)", "version=_devel_")

// known is what a way can tell.
func known(job string, values map[string]float64) map[string]float64 {
	if job != "shop-statsd" {
		return values
	}
	all := map[string]float64{}
	for labels, v := range values {
		all[toStatsD.Replace(labels)] += v
	}
	return all
}

// same tells what differs. Sums of fractions may differ in the last digits, since they are added up in another order. What
// never happened is 0 where a process is scraped, and with the others unknown.
func same(want, got map[string]float64) error {
	some := func(v float64) bool { return v != 0 && !math.IsNaN(v) }
	for labels, w := range want {
		if g, ok := got[labels]; ok && math.Abs(g-w) > 1e-9*math.Abs(w) || !ok && some(w) {
			return fmt.Errorf("{%s} is %v, by scraping %v", labels, g, w)
		}
	}
	for labels, g := range got {
		if _, ok := want[labels]; !ok && some(g) {
			return fmt.Errorf("{%s} is %v, and by scraping unknown", labels, g)
		}
	}
	return nil
}
