package promlint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stentgo/stent/metrics"
)

// Linter is what queries are measured by, beside the catalogue.
type Linter struct {
	// Labels are allowed on every metric: those of the scrape, and those that separate databases.
	Labels []string
	// Recorded are the recording rules, by name, with the labels that their series have.
	Recorded map[string][]string
	// Window, if set, is the only range that is allowed. Grafana's is $__rate_interval.
	Window string
}

// Check returns what is wrong with a query; nothing where it is right.
func (l Linter) Check(query string) []string {
	root, err := parse(query)
	if err != nil {
		return []string{err.Error()}
	}
	c := &check{Linter: l}
	c.visit(root, nil)
	return c.faults
}

// Metrics are the metrics of the catalogue that a query asks for.
func Metrics(query string) []metrics.Metric {
	root, err := parse(query)
	if err != nil {
		return nil
	}
	var list []metrics.Metric
	root.walk(func(n *node) {
		if m, ok := metrics.Find(n.name); ok && n.op == "selector" {
			list = append(list, m)
		}
	})
	return list
}

// Labels are the labels of a query's result, as far as its text tells; nil where the series are taken as they are.
func Labels(query string) []string {
	root, err := parse(query)
	if err != nil {
		return nil
	}
	return root.labels()
}

// check is one query being looked at.
type check struct {
	Linter
	faults []string
}

func (c *check) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// visit looks at a part; above are the parts around it, the nearest last.
func (c *check) visit(n *node, above []*node) {
	switch n.op {
	case "selector":
		c.selector(n, above)
	case "aggregate":
		c.aggregate(n)
	case "call":
		c.call(n)
	case "/":
		c.ratio(n)
	}
	c.sides(n)
	for _, arg := range n.args {
		c.visit(arg, append(slices.Clone(above), n))
	}
}

func (c *check) selector(n *node, above []*node) {
	if c.Recorded[n.name] != nil {
		return
	}
	m, ok := metrics.Find(n.name)
	if !ok {
		c.fault("%s is not in the catalogue", n.name)
		return
	}
	for _, match := range n.matchers {
		c.label(m, n.name, match.label)
	}
	if n.window != "" && c.Window != "" && n.window != c.Window {
		c.fault("%s[%s]: want [%s]", n.name, n.window, c.Window)
	}
	outer := nearest(above, "aggregate")
	within := func(names ...string) bool {
		return slices.ContainsFunc(above, func(a *node) bool { return a.op == "call" && slices.Contains(names, a.name) })
	}
	switch {
	case within("absent") || partOfUnless(above):
	case m.Kind != metrics.Gauge:
		if !within("rate", "increase") {
			c.fault("%s is a %s: want its rate or increase", n.name, m.Kind)
		}
		if outer == nil || outer.name != "sum" {
			c.fault("%s: rates are summed over processes", n.name)
		}
	case within("rate", "increase"):
		c.fault("%s is a gauge and has no rate", n.name)
	case m.Source == metrics.Sampled && (outer == nil || outer.name != "max"):
		c.fault("%s is exported by every process that samples the database: want the max", n.name)
	}
}

// partOfUnless tells whether a selector is in an expression that only asks which series are new.
func partOfUnless(above []*node) bool {
	return slices.ContainsFunc(above, func(a *node) bool { return a.op == "unless" && a.args[0].op == "selector" })
}

func (c *check) label(m metrics.Metric, name, label string) {
	bucket := label == "le" && strings.HasSuffix(name, "_bucket")
	if !m.HasLabel(label) && !slices.Contains(c.Labels, label) && !bucket {
		c.fault("%s has no label %s", name, label)
	}
}

func (c *check) aggregate(n *node) {
	n.args[0].walk(func(s *node) {
		if m, ok := metrics.Find(s.name); ok && s.op == "selector" && s.name != metrics.BuildInfo.Name {
			for _, label := range n.by {
				c.label(m, s.name, label)
			}
		}
		for _, label := range n.by {
			if labels := c.Recorded[s.name]; s.op == "selector" && labels != nil && !slices.Contains(labels, label) {
				c.fault("%s has no label %s", s.name, label)
			}
		}
	})
}

func (c *check) call(n *node) {
	switch n.name {
	case "histogram_quantile":
		if len(n.args) != 2 {
			c.fault("histogram_quantile of %d arguments", len(n.args))
			return
		}
		sum := n.args[1]
		if sum.op != "aggregate" || sum.name != "sum" {
			c.fault("histogram_quantile: want the sum of rates over processes")
		}
		sum.walk(func(s *node) {
			m, ok := metrics.Find(s.name)
			if s.op != "selector" || !ok {
				return
			}
			switch {
			case m.Kind != metrics.Histogram:
				c.fault("histogram_quantile: %s is no histogram", s.name)
			case strings.HasSuffix(s.name, "_bucket") && !slices.Contains(sum.by, "le"):
				c.fault("histogram_quantile: the sum loses le")
			case s.name != m.Name && !strings.HasSuffix(s.name, "_bucket"):
				c.fault("histogram_quantile: %s has no buckets", s.name)
			}
		})
	case "rate", "increase", "deriv", "delta":
		if len(n.args) != 1 || n.args[0].window == "" {
			c.fault("%s: want a range", n.name)
		}
	case "histogram_sum", "histogram_count", "abs", "time", "absent", "vector":
	default:
		c.fault("the function %s is none that is known here", n.name)
	}
}

// ratio looks at a division: what is divided by is above 0, and what is divided is 0 where there is nothing.
func (c *check) ratio(n *node) {
	numerator, denominator := n.args[0], n.args[1]
	if denominator.op == "number" {
		return
	}
	if denominator.op != ">" || denominator.args[1].name != "0" {
		c.fault("a ratio whose denominator may be 0: want (... > 0)")
	}
	if numerator.op != "or" || numerator.args[1].op != "*" || numerator.args[1].args[0].name != "0" {
		c.fault("a ratio that is absent where its numerator is: want (... or 0 * ...)")
	}
}

// sides looks at the labels on both sides of an operator: if they differ, nothing matches.
func (c *check) sides(n *node) {
	if !slices.Contains(slices.Concat(levels...), n.op) || n.on != nil || len(n.args) != 2 {
		return
	}
	left, right := c.labels(n.args[0]), c.labels(n.args[1])
	if left == nil || right == nil {
		return
	}
	slices.Sort(left)
	slices.Sort(right)
	if !slices.Equal(left, right) {
		c.fault("%s: the labels %v on the left never match %v on the right", n.op, left, right)
	}
}

// labels are a part's labels: of an aggregation, or of a recording rule; nil where that is not told.
func (c *check) labels(n *node) []string {
	if labels := c.Recorded[n.name]; n.op == "selector" && labels != nil {
		return slices.Clone(labels)
	}
	if n.op == "aggregate" {
		return append([]string{}, n.by...)
	}
	for _, arg := range n.args {
		if labels := c.labels(arg); labels != nil && n.op != "aggregate" {
			if n.name == "histogram_quantile" {
				labels = slices.DeleteFunc(labels, func(l string) bool { return l == "le" })
			}
			return labels
		}
	}
	return nil
}

func (n *node) labels() []string { return (&check{}).labels(n) }

// walk calls f for a part and all below it.
func (n *node) walk(f func(*node)) {
	f(n)
	for _, arg := range n.args {
		arg.walk(f)
	}
}

func nearest(above []*node, op string) *node {
	for _, n := range slices.Backward(above) {
		if n.op == op {
			return n
		}
	}
	return nil
}
