package alertwatch

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stentgo/stent/alerts"
	"github.com/stentgo/stent/core/backend"
)

// Names are the alerts that can be told from the database. The others need what only processes count: how many tasks of a
// step were completed, failed and were tried again, leases that their worker found lost, and what is about metrics.
var Names = []string{
	"StentQueueGrowing", "StentQueueStalled", "StentQueueWithoutWorkers", "StentTasksWaitLong", "StentDeadLettersGrowing",
	"StentDeadLettersPending", "StentTaskPoisoned", "StentExecutionsFailing", "StentWorkerWedged", "StentTasksTakenOver",
	"StentBackendErrors", "StentClockSkewed",
}

// Active is an alert whose condition holds.
type Active struct {
	Name    string
	Labels  map[string]string // with alertname and severity
	Value   float64
	Since   time.Time // when the condition began to hold
	Firing  bool      // it has held for as long as the alert wants
	Summary string
	// Description, Runbook and Dashboard are as in the rules.
	Description, Runbook, Dashboard string
}

// Evaluator looks at one database, again and again. It is for one goroutine.
type Evaluator struct {
	options alerts.Options
	rules   map[string]alerts.Alert
	looks   []look // those that the windows reach back to, the oldest first
	failed  []time.Time
	since   map[string]time.Time // when the condition of each active alert began to hold
	crew    crew
	last    Reading
	host    string // whose clock is compared
}

// look is one reading of the database.
type look struct {
	at    time.Time
	stats backend.Stats
}

// New makes an evaluator that runs on a host. Thresholds, windows, labels and severities are those of the options.
func New(o alerts.Options, host string) *Evaluator {
	o = o.WithDefaults()
	e := &Evaluator{options: o, rules: map[string]alerts.Alert{}, since: map[string]time.Time{}, crew: newCrew(), host: host}
	for _, g := range alerts.Rules(o) {
		for _, a := range g.Alerts {
			if slices.Contains(Names, a.Name) {
				e.rules[a.Name] = a
			}
		}
	}
	return e
}

// Look takes in what was read at a time, or that it could not be read, and returns all alerts whose condition holds.
// While the database cannot be read, what was true before stays true.
func (e *Evaluator) Look(at time.Time, r Reading, err error) []Active {
	found := map[string]Active{}
	if err != nil {
		e.failed = append(e.failed, at)
	} else {
		e.looks = append(e.looks, look{at, r.Stats})
		e.last = r
	}
	e.forget(at)
	if len(e.looks) > 0 {
		now := e.looks[len(e.looks)-1]
		e.queues(now, found)
		e.letters(found)
		e.executions(now, found)
		e.workers(e.last, found)
		if skew := e.last.Skew.Abs(); skew > e.options.Thresholds.ClockSkew {
			e.add(found, "StentClockSkewed", skew.Seconds(), map[string]string{"instance": e.host})
		}
	}
	if n := len(e.failed); n > 0 && err != nil {
		e.add(found, "StentBackendErrors", float64(n), map[string]string{"operation": "stats", "reason": string(backend.FaultOf(err))})
	}
	return e.hold(at, found)
}

// forget drops what no window reaches back to, but for one look before it.
func (e *Evaluator) forget(at time.Time) {
	w := e.options.Windows
	oldest := at.Add(-max(w.Growth, w.Stalled, w.Ratio))
	for len(e.looks) > 1 && !e.looks[1].at.After(oldest) {
		e.looks = e.looks[1:]
	}
	e.failed = slices.DeleteFunc(e.failed, func(t time.Time) bool { return at.Sub(t) > w.Ratio })
}

// before is the look at the beginning of a window, or the oldest there is.
func (e *Evaluator) before(now look, window time.Duration) backend.Stats {
	then := e.looks[0]
	for _, l := range e.looks {
		if !l.at.After(now.at.Add(-window)) {
			then = l
		}
	}
	return then.stats
}

func (e *Evaluator) queues(now look, found map[string]Active) {
	t, w := e.options.Thresholds, e.options.Windows
	growth := byName(e.before(now, w.Growth))
	for _, q := range now.stats.Queues {
		labels := map[string]string{"queue": q.Queue}
		var age time.Duration
		if !q.OldestDue.IsZero() {
			age = now.stats.Now.Sub(q.OldestDue)
		}
		if !q.Paused {
			if q.Depth > int64(t.QueueDepth) && age > t.QueueAge && q.Depth > growth[q.Queue].Depth {
				e.add(found, "StentQueueGrowing", float64(q.Depth), labels)
			}
			if q.Depth > 0 && q.Workers > 0 && age > w.Stalled && e.stands(now, q) {
				e.add(found, "StentQueueStalled", float64(q.Depth), labels)
			}
			if q.Depth > 0 && q.Workers == 0 {
				e.add(found, "StentQueueWithoutWorkers", float64(q.Depth), labels)
			}
			if age > t.WaitLong && q.Workers > 0 {
				e.add(found, "StentTasksWaitLong", age.Seconds(), labels)
			}
		}
		if q.Dead > int64(t.DeadLetters) {
			e.add(found, "StentDeadLettersPending", float64(q.Dead), labels)
		}
	}
}

// stands tells that nothing of a queue has moved within the window: the same task waits in front, the same activity has
// been running longest, and it has never been fewer that wait.
func (e *Evaluator) stands(now look, q backend.QueueStats) bool {
	begin := now.at.Add(-e.options.Windows.Stalled)
	if e.looks[0].at.After(begin) {
		return false // it has not been watched for so long
	}
	depth := int64(0)
	for _, l := range e.looks {
		was := byName(l.stats)[q.Queue]
		if l.at.Before(begin) {
			continue
		}
		if !was.OldestDue.Equal(q.OldestDue) || !was.OldestRunning.Equal(q.OldestRunning) || was.Depth < depth {
			return false
		}
		depth = was.Depth
	}
	return true
}

// letters are counted where they are, not by how many more there are: one may have come while another was replayed.
func (e *Evaluator) letters(found map[string]Active) {
	all, poisoned := dead(e.last.Letters)
	for at, n := range all {
		labels := map[string]string{"queue": at.queue, "step": at.step}
		if n > e.options.Thresholds.DeadLettersNew {
			e.add(found, "StentDeadLettersGrowing", float64(n), labels)
		}
		if poisoned[at] > 0 {
			e.add(found, "StentTaskPoisoned", float64(poisoned[at]), labels)
		}
	}
}

// executions compares what ended within the window with how it ended, of all workflows together.
func (e *Evaluator) executions(now look, found map[string]Active) {
	then := e.before(now, e.options.Windows.Ratio)
	ended := func(states ...backend.State) (n int64) {
		for _, s := range states {
			n += max(now.stats.Executions[s]-then.Executions[s], 0) // a replay takes a failed one back
		}
		return n
	}
	failed := ended(backend.Failed, backend.TimedOut)
	all := failed + ended(backend.Completed, backend.Cancelled)
	t := e.options.Thresholds
	if all >= int64(t.Executions) && float64(failed) > t.ExecutionRatio*float64(all) {
		e.add(found, "StentExecutionsFailing", float64(failed)/float64(all), map[string]string{"workflow": "all"})
	}
}

func byName(stats backend.Stats) map[string]backend.QueueStats {
	m := map[string]backend.QueueStats{}
	for _, q := range stats.Queues {
		m[q.Queue] = q
	}
	return m
}

func (e *Evaluator) add(found map[string]Active, name string, value float64, labels map[string]string) {
	rule, ok := e.rules[name]
	if !ok { // it is disabled
		return
	}
	all := maps.Clone(labels)
	maps.Copy(all, rule.Labels)
	all["alertname"], all["severity"] = name, rule.Severity
	summary, description := rule.Render(labels, value)
	found[key(all)] = Active{
		Name: name, Labels: all, Value: value, Summary: summary, Description: description, Runbook: rule.Runbook, Dashboard: rule.Dashboard,
	}
}

// hold remembers since when each condition holds, and tells which have held for long enough.
func (e *Evaluator) hold(at time.Time, found map[string]Active) []Active {
	maps.DeleteFunc(e.since, func(k string, _ time.Time) bool { _, ok := found[k]; return !ok })
	var list []Active
	for _, k := range slices.Sorted(maps.Keys(found)) {
		a := found[k]
		if _, ok := e.since[k]; !ok {
			e.since[k] = at
		}
		a.Since = e.since[k]
		a.Firing = at.Sub(a.Since) >= e.rules[a.Name].For
		list = append(list, a)
	}
	return list
}

// key tells alerts apart by their labels.
func key(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(name + "\x00" + labels[name] + "\x00")
	}
	return b.String()
}
