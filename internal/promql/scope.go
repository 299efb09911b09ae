package promql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stentgo/stent/metrics"
)

// Scope is what all queries of a dashboard or a set of rules have in common.
type Scope struct {
	// Selector are matchers that are added to those of every metric, as they stand between braces: `job="orders"`.
	Selector string
	// Keep are the labels that tell one database from another, such as namespace. Every aggregation keeps them, since
	// two queues of one name in two databases are two queues.
	Keep []string
	// Native asks for native histograms, which have no series per bucket.
	Native bool
}

// Target are the labels of where a series was scraped. They are on every series that a Prometheus server stores.
var Target = []string{"job", "instance"}

// Of begins a query.
func (s Scope) Of(m metrics.Metric) Series { return Series{scope: s, metric: m} }

// Series are the time series of one metric, one for each process and set of labels.
type Series struct {
	scope    Scope
	metric   metrics.Metric
	suffix   string // of a histogram's series
	matchers []string
	window   string
	offset   string
}

// Where keeps the series whose label has the value.
func (s Series) Where(label, value string) Series { return s.match(label, "=", value) }

// Match keeps the series whose label matches the regular expression as a whole.
func (s Series) Match(label, expression string) Series { return s.match(label, "=~", expression) }

func (s Series) match(label, operator, value string) Series {
	if !s.metric.HasLabel(label) {
		fault("%s has no label %s; it has: %s", s.metric.Name, label, strings.Join(s.metric.Labels, ", "))
	}
	s.matchers = append(slices.Clone(s.matchers), fmt.Sprintf("%s%s%q", label, operator, value))
	return s
}

func (s Series) kind(want metrics.Kind) {
	if s.metric.Kind != want {
		fault("%s is a %s, not a %s", s.metric.Name, s.metric.Kind, want)
	}
}

// String is the selector of the series.
func (s Series) String() string {
	matchers := s.matchers
	if s.scope.Selector != "" {
		matchers = append([]string{s.scope.Selector}, matchers...)
	}
	text := s.metric.Name + s.suffix
	if len(matchers) > 0 {
		text += "{" + strings.Join(matchers, ",") + "}"
	}
	if s.window != "" {
		text += "[" + s.window + "]"
	}
	if s.offset != "" {
		text += " offset " + s.offset
	}
	return text
}

// by is the clause that keeps the scope's labels and those given.
func (s Series) by(labels []string) string {
	for _, label := range labels {
		if label != "le" && !s.metric.HasLabel(label) && !slices.Contains(Target, label) && !slices.Contains(s.scope.Keep, label) {
			fault("%s has no label %s; it has: %s", s.metric.Name, label, strings.Join(s.metric.Labels, ", "))
		}
	}
	all := slices.Clone(s.scope.Keep)
	for _, label := range labels {
		if !slices.Contains(all, label) {
			all = append(all, label)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " by (" + strings.Join(all, ", ") + ")"
}

// fault reports a query that cannot be right.
func fault(format string, args ...any) { panic("promql: " + fmt.Sprintf(format, args...)) }
