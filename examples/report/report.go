package main

import (
	"time"

	"github.com/stentgo/stent/core"
)

var (
	reports = core.NewWorkflow[Rhythm, Summary]("report_in_rhythm")
	report  = core.NewActivity[Period, Report]("write_report", core.Retry(core.RetryPolicy{MaxAttempts: 10}))
)

// Rhythm is when to report. It is the input of each run, and so all that one run tells the next.
type Rhythm struct {
	Every time.Duration `json:"every"`
	Left  int           `json:"left,omitempty"` // reports to go; 0 for no end
	Last  time.Time     `json:"last,omitzero"`  // the end of the last period; zero at first
	Done  int           `json:"done,omitempty"`
}

// Period is what a report is about.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Report is where one was written.
type Report struct {
	File string `json:"file"`
}

// Summary is what a rhythm came to that has an end.
type Summary struct {
	Reports int `json:"reports"`
}

// reportInRhythm waits for the end of a period, reports on it and begins anew, for years and with a short history. Where
// the program was down for some periods, it reports on each of them, one after the other, so that no report is missing and
// none is there twice.
func reportInRhythm(flow *core.Flow, r Rhythm) (Summary, error) {
	now, err := flow.Now()
	if err != nil {
		return Summary{}, err
	}
	if r.Last.IsZero() {
		r.Last = now.Truncate(r.Every)
	}
	period := Period{From: r.Last, To: r.Last.Add(r.Every)}
	if err := flow.State("next_report").Set(period.To); err != nil {
		return Summary{}, err
	}
	if err := flow.Sleep(period.To.Sub(now)); err != nil {
		return Summary{}, err
	}
	if _, err := report.Call(flow, period); err != nil {
		return Summary{}, err
	}
	flow.Counter("reports").Add(1)
	r.Last, r.Done = period.To, r.Done+1
	if r.Left == 1 {
		return Summary{Reports: r.Done}, nil
	}
	r.Left = max(r.Left-1, 0)
	return Summary{}, flow.ContinueAsNew(r)
}
