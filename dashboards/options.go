package dashboards

import (
	"strings"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// Options fit the dashboards to where they are used. The zero value is what the files in this folder were made with.
type Options struct {
	// Keep are the labels that tell one database from another; each becomes a variable of the dashboards. Nil is
	// namespace; a Prometheus that watches one database needs none, which is an empty slice. It should be the same as
	// for the alert rules.
	Keep []string
	// Native asks for native histograms: for programs whose recorder writes them and a Prometheus that scrapes them,
	// which then has no series per bucket. Default: classic histograms.
	Native bool
	// UIDPrefix begins the uid of each dashboard. Default "stent-".
	UIDPrefix string
	// RunbookURL is the folder of the runbooks, which panels link to. Default: that of this repository on GitHub.
	RunbookURL string
}

// DefaultRunbookURL is where the runbooks are read.
const DefaultRunbookURL = "https://github.com/stentgo/stent/blob/main/alerts/runbooks"

func (o Options) withDefaults() Options {
	if o.Keep == nil {
		o.Keep = []string{"namespace"}
	}
	if o.UIDPrefix == "" {
		o.UIDPrefix = "stent-"
	}
	if o.RunbookURL == "" {
		o.RunbookURL = DefaultRunbookURL
	}
	o.RunbookURL = strings.TrimSuffix(o.RunbookURL, "/")
	return o
}

// window is the range of rates: Grafana makes it at least four scrapes long, so that a rate always has two samples.
const window = "$__rate_interval"

// queries begins the queries of a dashboard. They are narrowed by its variables.
type queries struct {
	scope     promql.Scope
	variables []string // names of labels that the metrics may have
}

func (o Options) queries(variables ...string) queries {
	matchers := []string{`job=~"$job"`}
	for _, label := range o.Keep {
		matchers = append(matchers, label+`=~"$`+label+`"`)
	}
	return queries{
		scope:     promql.Scope{Selector: strings.Join(matchers, ","), Keep: o.Keep, Native: o.Native},
		variables: variables,
	}
}

// of begins a query about a metric, narrowed by the variables that are labels of it.
func (q queries) of(m metrics.Metric) promql.Series {
	series := q.scope.Of(m)
	for _, label := range q.variables {
		if m.HasLabel(label) {
			series = series.Match(label, "$"+label)
		}
	}
	return series
}

// rate is a counter's growth per second, by labels.
func (q queries) rate(m metrics.Metric, labels ...string) promql.Expr {
	return q.of(m).Rate(window).Sum(labels...)
}

// perMinute is a counter's growth per minute, by labels.
func (q queries) perMinute(m metrics.Metric, labels ...string) promql.Expr {
	return q.rate(m, labels...).Times(60)
}

// final are the rates of attempts that failed for good.
func (q queries) final() promql.Rates {
	return q.of(metrics.TasksFailed).Where(metrics.LabelRetrying, "false").Rate(window)
}

// failureRatio is the share of finished tasks that failed for good.
func (q queries) failureRatio(labels ...string) promql.Expr {
	finished := q.of(metrics.TasksCompleted).Rate(window).Or(q.final())
	return q.final().Sum(labels...).Over(finished.Sum(labels...))
}

// retryRatio is the share of attempts that failed and are tried again.
func (q queries) retryRatio(labels ...string) promql.Expr {
	retried := q.of(metrics.TasksFailed).Where(metrics.LabelRetrying, "true").Rate(window)
	attempts := q.of(metrics.TasksCompleted).Rate(window).Or(q.of(metrics.TasksFailed).Rate(window))
	return retried.Sum(labels...).Over(attempts.Sum(labels...))
}

// quantile is a quantile of what a histogram observed.
func (q queries) quantile(m metrics.Metric, p float64, labels ...string) promql.Expr {
	return q.of(m).Quantile(p, window, labels...)
}
