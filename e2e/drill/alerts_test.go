package drill_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stentgo/stent/internal/promtest"
)

// expectation is an alert that the story has to raise, and to end.
type expectation struct {
	alert string
	about string // a label of it
	cause string // in the story
	// lead is how long after its cause the alert's condition is true at the latest; then it has to hold as long as the
	// rule says. over is how long after the cause's end it is false at the latest.
	lead, over time.Duration
	later      bool // it fires after its cause has ended
}

// slack is what scraping, evaluating, gathering (group_interval is 5 s in the drill's time) and telling may take beyond
// that, on a machine that does other things.
const slack = 15 * time.Second

const second = time.Second

// The causes in the story.
const (
	slowGateway   = "the payment gateway is slow"
	closedGateway = "the gateway has closed the account"
	flakyRates    = "the rates service is flaky"
	noPaper       = "the printer is out of paper"
	noLedger      = "no worker has a ledger"
	noColour      = "no worker can print colour"
	noExporter    = "nobody serves the queue export"
	hungMail      = "the mail server hangs"
	killedMail    = "a mail worker is killed"
	poisoned      = "an upload kills its workers"
	stopped       = "a bindery worker stands still"
	cutLine       = "the branch's database is cut off"
	aheadClock    = "the archive's clock is ahead"
	blind         = "no metrics can be scraped"
)

var expectations = []expectation{
	{"StentQueueGrowing", "queue=billing", slowGateway, 15 * second, 10 * second, false},
	{"StentQueueStalled", "queue=reports", noLedger, 18 * second, 5 * second, false},
	{"StentQueueWithoutWorkers", "queue=export", noExporter, 3 * second, 5 * second, false},
	{"StentTasksWaitLong", "queue=photos", noColour, 33 * second, 5 * second, false},
	{"StentDeadLettersGrowing", "step=print_invoice", noPaper, 5 * second, 17 * second, false},
	{"StentDeadLettersPending", "queue=billing", closedGateway, 5 * second, 10 * second, false},
	{"StentFailureRateHigh", "queue=billing", closedGateway, 5 * second, 10 * second, false},
	{"StentRetryStorm", "step=fetch_rate", flakyRates, 5 * second, 7 * second, false},
	{"StentExecutionsFailing", "workflow=order_workflow", closedGateway, 5 * second, 10 * second, false},
	{"StentTaskPoisoned", "queue=fragile", poisoned, 2*(4*second+lease) + 5*second, 17 * second, false},
	{"StentWorkerWedged", "instance=mail-1", hungMail, 18 * second, 5 * second, false},
	{"StentLeasesLost", "instance=bind-1", stopped, standstill + 3*second, 17 * second, false},
	{"StentTasksTakenOver", "queue=mail", killedMail, lease + 3*second, 20 * second, false},
	{"StentBackendErrors", "namespace=branch", cutLine, 5 * second, 10 * second, false},
	{"StentClockSkewed", "instance=archive-1", aheadClock, 3 * second, 5 * second, false},
	{"StentSampleStale", "namespace=branch", cutLine, 5 * second, 8 * second, false},
	{"StentMetricsAbsent", "severity=critical", blind, 3 * second, 5 * second, false},
	{"StentSLOBurning", "long=1h", closedGateway, 7 * second, 10 * second, false},
	{"StentSLOBurning", "long=6h", closedGateway, 7 * second, 35 * second, false},
	// It is inhibited while the two above fire.
	{"StentSLOBurning", "long=1d", closedGateway, 45 * second, 125 * second, true},
}

// notShown are the rules that the story does not show, and why.
var notShown = map[string]string{
	"StentSLOBurning long=3d": "it ends six hours after its cause, which are six minutes here: more than all the rest takes together",
}

// effects are alerts that causes of others may raise as well.
var effects = map[string]string{
	"StentDeadLettersGrowing queue=billing": "until StentFailureRateHigh silences it",
	"StentDeadLettersGrowing queue=fragile": "of the upload that kills its workers",
	"StentDeadLettersPending queue=default": "of the invoices that were not printed",
	"StentFailureRateHigh queue=default":    "of the orders whose payment fails",
	"StentTasksTakenOver queue=fragile":     "until StentTaskPoisoned silences it",
	"StentTasksTakenOver queue=bindery":     "of the worker that stands still",
	"StentTasksWaitLong queue=reports":      "once StentQueueStalled silences it no longer",
	"StentSLOBurning long=3d":               "its objective is missed over the whole story",
}

// cause is when something began to be wrong, and when it was put right.
type cause struct{ began, ended time.Time }

// outcome is what was seen of an alert.
type outcome struct {
	*expectation
	hold                    time.Duration
	fired, resolved         time.Time // at the webhook
	receiver                string
	firesWithin, endsWithin time.Duration
}

// watch keeps the causes, and knows what was seen at the webhook.
type watch struct {
	hook   *promtest.Webhook
	until  time.Time // the story ends; what comes later is of no interest
	causes map[string]*cause
	holds  map[string]time.Duration // by alert and, where there are several of a name, the label long
}

func newWatch(s *stage) (*watch, error) {
	w := &watch{hook: s.hook, causes: map[string]*cause{}, holds: map[string]time.Duration{}}
	rules, err := s.prometheus.alertRules(s.ctx)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for _, r := range rules {
		key := r.Name
		if long := r.Labels["long"]; long != "" {
			key += " long=" + long
		}
		w.holds[key] = r.hold()
		if notShown[key] == "" && !slices.ContainsFunc(expectations, func(e expectation) bool { return w.key(&e) == key }) {
			unknown = append(unknown, key)
		}
	}
	for i := range expectations {
		if _, ok := w.holds[w.key(&expectations[i])]; !ok {
			unknown = append(unknown, "(no rule) "+w.key(&expectations[i]))
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("the story and the rules do not have the same alerts: %s", strings.Join(unknown, ", "))
	}
	return w, nil
}

func (w *watch) key(e *expectation) string {
	if strings.HasPrefix(e.about, "long=") {
		return e.alert + " " + e.about
	}
	return e.alert
}

// begin says that something is wrong from now on.
func (s *stage) begin(causes ...string) {
	for _, c := range causes {
		s.watch.causes[c] = &cause{began: time.Now()}
		s.say("✗ %s", c)
	}
}

// end says that it is put right.
func (s *stage) end(causes ...string) {
	for _, c := range causes {
		s.watch.causes[c].ended = time.Now()
		s.say("✓ no longer: %s", c)
	}
}

// notices are those of the story.
func (w *watch) notices() []promtest.Notice {
	all, _ := w.hook.All()
	return slices.DeleteFunc(all, func(n promtest.Notice) bool { return !w.until.IsZero() && n.At.After(w.until) })
}

// outcomes are how it stands with each expected alert.
func (w *watch) outcomes() []outcome {
	notices := w.notices()
	var all []outcome
	for i := range expectations {
		e := &expectations[i]
		o := outcome{expectation: e, hold: w.holds[w.key(e)]}
		o.firesWithin, o.endsWithin = e.lead+o.hold+slack, e.over+slack
		for _, n := range notices {
			if !e.is(n) {
				continue
			}
			if n.Status == "firing" && o.fired.IsZero() {
				o.fired, o.receiver = n.At, n.Receiver
			}
			if n.Status == "resolved" {
				o.resolved = n.At
			} else {
				o.resolved = time.Time{}
			}
		}
		all = append(all, o)
	}
	return all
}

func (e *expectation) is(n promtest.Notice) bool {
	name, value, _ := strings.Cut(e.about, "=")
	return n.Labels["alertname"] == e.alert && n.Labels[name] == value
}

// fault is what is wrong with an outcome once its time is over, or "".
func (w *watch) fault(o *outcome, now time.Time) string {
	c := w.causes[o.cause]
	switch {
	case c == nil:
		return "its cause did not occur"
	case o.fired.IsZero() && now.Sub(c.began) > o.firesWithin:
		return fmt.Sprintf("it did not reach the webhook within %v", o.firesWithin)
	case o.fired.IsZero():
		return "it has not reached the webhook yet"
	case o.fired.Before(c.began):
		return "it fired before its cause"
	case o.fired.Sub(c.began) > o.firesWithin:
		return fmt.Sprintf("it reached the webhook after %v, want %v", o.fired.Sub(c.began).Round(second), o.firesWithin)
	case c.ended.IsZero():
		return ""
	case o.resolved.IsZero() && now.Sub(c.ended) > o.endsWithin:
		return fmt.Sprintf("it was not resolved within %v", o.endsWithin)
	case o.resolved.IsZero():
		return "it is not resolved yet"
	case o.resolved.Sub(c.ended) > o.endsWithin:
		return fmt.Sprintf("it was resolved after %v, want %v", o.resolved.Sub(c.ended).Round(second), o.endsWithin)
	}
	return ""
}

// fire waits until the alerts of some causes have reached the webhook, in time.
func (s *stage) fire(causes ...string) {
	s.t.Helper()
	s.await(func(o *outcome) bool { return o.fired.IsZero() && !o.later }, causes)
}

// resolve waits until they are resolved, in time.
func (s *stage) resolve(causes ...string) {
	s.t.Helper()
	s.await(func(o *outcome) bool { return o.resolved.IsZero() }, causes)
}

func (s *stage) await(lacks func(o *outcome) bool, causes []string) {
	s.t.Helper()
	for {
		s.report()
		_, news := s.hook.All()
		open := false
		for _, o := range s.watch.outcomes() {
			if !slices.Contains(causes, o.cause) || !lacks(&o) {
				continue
			}
			open = true
			if fault := s.watch.fault(&o, time.Now()); strings.Contains(fault, "within") {
				s.table()
				s.t.Fatalf("%s (%s), because %s: %s", o.alert, o.about, o.cause, fault)
			}
		}
		if !open {
			return
		}
		select {
		case <-news:
		case <-time.After(second):
		case <-s.ctx.Done():
			s.t.Fatal("interrupted")
		}
	}
}

// report prints the notices that have come since the last time.
func (s *stage) report() {
	if s.watch == nil {
		return
	}
	notices := s.watch.notices()
	for _, n := range notices[s.reported:] {
		about := ""
		for _, label := range []string{"queue", "step", "workflow", "instance", "operation", "long", "namespace"} {
			if n.Labels[label] != "" {
				about += " " + label + "=" + n.Labels[label]
			}
		}
		s.say("   %-8s %s%s (to %s)", n.Status, n.Labels["alertname"], about, n.Receiver)
	}
	s.reported = len(notices)
}

// unexpected are the alerts that came and that no cause explains.
func (w *watch) unexpected() (all []string) {
	for _, n := range w.notices() {
		known := slices.ContainsFunc(expectations, func(e expectation) bool { return e.is(n) })
		for effect := range effects {
			alert, about, _ := strings.Cut(effect, " ")
			known = known || (&expectation{alert: alert, about: about}).is(n)
		}
		if !known {
			all = append(all, fmt.Sprintf("%s %v", n.Labels["alertname"], n.Labels))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// table prints what became of each alert, and returns what is wrong.
func (s *stage) table() error {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return fmt.Sprintf("%.0f s", t.Sub(s.began).Seconds())
	}
	after := func(t, since time.Time, within time.Duration) string {
		if t.IsZero() {
			return "-"
		}
		return fmt.Sprintf("+%.0f s (≤ %.0f s)", t.Sub(since).Seconds(), within.Seconds())
	}
	var faults []error
	fmt.Println()
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "alert\tabout\tcause\tbegan\tat the webhook\tput right\tresolved\t")
	for _, o := range s.watch.outcomes() {
		c := s.watch.causes[o.cause]
		if c == nil {
			c = &cause{}
		}
		fault := s.watch.fault(&o, time.Now())
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.alert, o.about, o.cause, at(c.began), after(o.fired, c.began, o.firesWithin), at(c.ended),
			after(o.resolved, c.ended, o.endsWithin), fault)
		if fault != "" {
			faults = append(faults, fmt.Errorf("%s %s: %s", o.alert, o.about, fault))
		}
	}
	for key, why := range notShown {
		alert, about, _ := strings.Cut(key, " ")
		fmt.Fprintf(out, "%s\t%s\tnot shown: %s\t\t\t\t\t\n", alert, about, why)
	}
	_ = out.Flush()
	fmt.Println()
	for _, u := range s.watch.unexpected() {
		faults = append(faults, fmt.Errorf("an alert that nothing in the story explains: %s", u))
	}
	return errors.Join(faults...)
}
