package main

import (
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // so that Europe/Berlin is known on every machine

	"github.com/stentgo/stent/core"
)

var (
	reports  = core.NewWorkflow[Settings, string]("nightly_report")
	sumSales = core.NewActivity[Day, Totals]("sum_sales")
	mail     = core.NewActivity[Mail, string]("mail_report")
)

// Settings are the input of each night's report, the same for all.
type Settings struct {
	To   string `json:"to"`
	Zone string `json:"zone"`
}

// Day is what a report is about.
type Day struct {
	Date string `json:"date"`
}

// Totals are the sales of a day.
type Totals struct {
	Orders int `json:"orders"`
	Cents  int `json:"cents"`
}

// Mail is what is sent.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// nightly is when reports are made. What Stent missed, because no worker ran, is made up for, each night by itself; a report
// that takes all day does not hold up the next.
func nightly(cron, zone string) core.Schedule {
	return core.Schedule{Name: "nightly", Cron: cron, Location: zone, CatchUp: core.CatchUpAll, CatchUpMost: 7}
}

// report is about the day before its tick, however late it begins.
func report(flow *core.Flow, s Settings) (string, error) {
	tick, ok := flow.Tick()
	if !ok {
		return "", errors.New("no schedule began this report, so it is about no day")
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return "", err
	}
	day := tick.At.In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
	totals, err := sumSales.Call(flow, Day{day})
	if err != nil {
		return "", err
	}
	return mail.Call(flow, Mail{
		To: s.To, Subject: "Sales of " + day,
		Body: fmt.Sprintf("%d orders, %d.%02d EUR", totals.Orders, totals.Cents/100, totals.Cents%100),
	})
}

// shop stands for the systems that a report needs.
type shop struct {
	sales  func(day string) Totals
	mailed func(Mail)
}

func (s *shop) sum(_ context.Context, d Day) (Totals, error) { return s.sales(d.Date), nil }

func (s *shop) mail(_ context.Context, m Mail) (string, error) {
	s.mailed(m)
	return m.Subject, nil
}

func (s *shop) handlers() []core.Handler {
	return []core.Handler{reports.Handle(report), sumSales.Handle(s.sum), mail.Handle(s.mail)}
}
