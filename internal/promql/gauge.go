package promql

import "github.com/stentgo/stent/metrics"

// MaxBy takes the greatest value over the processes. It is how sampled gauges are read: every process that samples a
// database exports the same values.
func (s Series) MaxBy(labels ...string) Expr {
	s.kind(metrics.Gauge)
	return Expr{text: "max" + s.by(labels) + " (" + s.String() + ")"}
}

// MaxOf is MaxBy of a function of each value or range: abs, deriv.
func (s Series) MaxOf(function, window string, labels ...string) Expr {
	s.kind(metrics.Gauge)
	s.window = window
	return Expr{text: "max" + s.by(labels) + " (" + function + "(" + s.String() + "))"}
}

// Total is the sum over databases and everything but the labels given, of what MaxBy says of each database.
func (s Series) Total(labels ...string) Expr {
	inner := s.MaxBy(s.metric.Labels...)
	s.scope.Keep = nil
	return Expr{text: "sum" + s.by(labels) + " (" + inner.text + ")"}
}

// Max is the greatest value, also over what the scope keeps apart.
func (s Series) Max(labels ...string) Expr {
	s.scope.Keep = nil
	return s.MaxBy(labels...)
}

// SumBy adds up the processes. Sampled gauges must not be: each process has the whole value.
func (s Series) SumBy(labels ...string) Expr {
	s.kind(metrics.Gauge)
	if s.metric.Source == metrics.Sampled {
		fault("the sum of %s over processes: each of them exports the value of the whole database", s.metric.Name)
	}
	return Expr{text: "sum" + s.by(labels) + " (" + s.String() + ")"}
}

// Sum adds up everything, also what the scope keeps apart.
func (s Series) Sum(labels ...string) Expr {
	s.scope.Keep = nil
	return s.SumBy(labels...)
}

// Each is every process's own value.
func (s Series) Each() Expr {
	s.kind(metrics.Gauge)
	if s.metric.Source == metrics.Sampled {
		fault("each process's %s: all of them export the value of the whole database", s.metric.Name)
	}
	return Expr{text: s.String()}
}

// Absent is 1 where there is no series at all, else nothing.
func (s Series) Absent() Expr { return Expr{text: "absent(" + s.String() + ")"} }
