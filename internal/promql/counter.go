package promql

import (
	"slices"
	"strings"

	"github.com/stentgo/stent/metrics"
)

// Rates are how fast counters grow, each process apart.
type Rates struct {
	of   Series // for its labels
	text string
	also []Series
}

// Rate is the growth per second over a window.
func (s Series) Rate(window string) Rates { return s.growth("rate", window) }

// Increase is the growth over a window.
func (s Series) Increase(window string) Rates { return s.growth("increase", window) }

func (s Series) growth(function, window string) Rates {
	s.kind(metrics.Counter)
	s.window = window
	return Rates{of: s, text: function + "(" + s.String() + ")"}
}

// Grown is how much counters grew over a window, to the last one: a series that was not there when the window began, in
// a process that was, counts with its whole value. [Series.Increase] misses the first event of such a series, since it
// is born with the value 1. Series that are new because their process is, or because it could not be scraped, are not
// taken for growth: a gap in the scrapes would make every event since the process began look new.
func (s Series) Grown(window string) Rates {
	s.kind(metrics.Counter)
	before, increase := s, s
	before.offset, increase.window = window, window
	process := s.scope.Of(metrics.BuildInfo)
	process.offset = window
	return Rates{of: s, text: "\n  (\n    " + s.String() + " unless " + before.String() + "\n    and on (" + strings.Join(Target, ", ") + ") " +
		process.String() + "\n  )\n  or\n  increase(" + increase.String() + ")\n"}
}

// Or adds the rates of another counter, so that the sum is over both. Each may be missing. The two have to differ in a
// label that has different values, or is only on one of them.
func (r Rates) Or(other Rates) Rates {
	for _, s := range append([]Series{r.of}, r.also...) {
		if slices.Equal(s.metric.Labels, other.of.metric.Labels) && slices.Equal(s.matchers, other.of.matchers) {
			fault("%s or %s: their series have the same labels, so one would hide the other", s, other.of)
		}
	}
	r.text += " or " + other.text
	r.also = append(slices.Clone(r.also), other.of)
	return r
}

// SumBy adds up the processes, and everything but the labels given and those that the scope keeps.
func (r Rates) SumBy(labels ...string) Expr {
	for _, s := range r.also {
		s.by(labels)
	}
	return Expr{text: "sum" + r.of.by(labels) + " (" + r.text + ")"}
}

// Sum adds up everything, also what the scope keeps apart, for one number on a dashboard.
func (r Rates) Sum(labels ...string) Expr {
	r.of.scope.Keep = nil
	return r.SumBy(labels...)
}
