package promql

import (
	"fmt"

	"github.com/stentgo/stent/metrics"
)

// Quantile estimates a quantile of what a histogram observed over a window, from 0 to 1.
func (s Series) Quantile(q float64, window string, labels ...string) Expr {
	s.kind(metrics.Histogram)
	s.scope.Keep = nil
	s.window = window
	if !s.scope.Native {
		s.suffix, labels = "_bucket", append([]string{"le"}, labels...)
	}
	return Expr{text: fmt.Sprintf("histogram_quantile(%g, sum%s (rate(%s)))", q, s.by(labels), s)}
}

// Heat is how many observations fell into each bucket over a window.
func (s Series) Heat(window string) Expr {
	s.kind(metrics.Histogram)
	s.scope.Keep = nil
	s.window = window
	if s.scope.Native {
		return Expr{text: "sum (increase(" + s.String() + "))"}
	}
	s.suffix = "_bucket"
	return Expr{text: "sum by (le) (increase(" + s.String() + "))"}
}

// Mean is the mean of what was observed over a window.
func (s Series) Mean(window string, labels ...string) Expr {
	s.kind(metrics.Histogram)
	s.scope.Keep = nil
	s.window = window
	if s.scope.Native {
		rate := fmt.Sprintf("sum%s (rate(%s))", s.by(labels), s)
		return Expr{text: "histogram_sum(" + rate + ")"}.Over(Expr{text: "histogram_count(" + rate + ")"})
	}
	sum, n := s, s
	sum.suffix, n.suffix = "_sum", "_count"
	by := s.by(labels)
	return Expr{text: "sum" + by + " (rate(" + sum.String() + "))"}.Over(Expr{text: "sum" + by + " (rate(" + n.String() + "))"})
}
