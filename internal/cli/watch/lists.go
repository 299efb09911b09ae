package watch

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// column of a list. Of the width that is left, what has a share gets it; the rest takes what it needs.
type column struct {
	title string
	width int
	share int
	right bool
}

// cellText is what a list shows in a place, and how.
type cellText struct {
	text  string
	color style
}

// list gives a tab's columns and one of its rows.
func (m *model) list() (columns []column, row func(i int) []cellText) {
	now := m.reading.stats.Now
	switch m.tab {
	case tabQueues:
		return []column{
			{"Queue", 12, 1, false}, {"Depth", 7, 0, true}, {"Oldest", 7, 0, true}, {"Scheduled", 9, 0, true}, {"Running", 7, 0, true},
			{"Dead", 5, 0, true}, {"Workers", 7, 0, true},
		}, func(i int) []cellText { return queueRow(&m.reading.stats.Queues[i], now) }
	case tabRunning:
		return []column{{"Task", 20, 3, false}, {"Step", 12, 2, false}, {"Queue", 8, 1, false}, {"Try", 3, 0, true}, {"For", 7, 0, true}, {"Worker", 12, 2, false}},
			func(i int) []cellText {
				t := &m.reading.running[i]
				try := cellText{text: strconv.Itoa(t.Attempt)}
				if t.Attempt > 1 {
					try.color = yellow
				}
				return []cellText{{t.ID.String(), plain}, {t.Step, plain}, {t.Queue, plain}, try, {since(now, t.Started), plain}, {t.Worker, dim}}
			}
	case tabLetters:
		return []column{{"Task", 18, 2, false}, {"Step", 14, 1, false}, {"Queue", 8, 1, false}, {"Age", 6, 0, true}, {"Reason", 16, 4, false}},
			func(i int) []cellText {
				d := &m.reading.letters[i]
				return []cellText{{d.Task.String(), plain}, {d.Step, plain}, {d.Queue, plain}, {since(now, d.Moved), plain}, {d.Reason, red}}
			}
	case tabExecutions:
		return []column{{"Execution", 20, 3, false}, {"Workflow", 14, 2, false}, {"State", 10, 0, false}, {"Age", 6, 0, true}, {"Took", 7, 0, true}},
			func(i int) []cellText { return executionRow(&m.reading.recent[i], now) }
	default:
		return []column{{"Worker", 20, 3, false}, {"State", 9, 0, false}, {"Slots", 9, 0, true}, {"Heartbeat", 9, 0, true}, {"Queues", 10, 2, false}},
			func(i int) []cellText {
				w := &m.reading.workers[i]
				state := cellText{string(w.State), green}
				if w.State != backend.WorkerReady {
					state.color = yellow
				}
				if !w.LeaseEnd.After(now) {
					state = cellText{"silent", red}
				}
				return []cellText{{w.ID, plain}, state, {fmt.Sprintf("%d/%d", w.Used, w.Slots), plain}, {since(now, w.Renewed), plain}, {strings.Join(w.Queues, ", "), dim}}
			}
	}
}

func queueRow(q *backend.QueueStats, now time.Time) []cellText {
	name, oldest := cellText{text: q.Queue}, cellText{text: "-"}
	if q.Paused {
		name = cellText{q.Queue + " (paused)", yellow}
	}
	if !q.OldestDue.IsZero() {
		oldest.text = since(now, q.OldestDue)
	}
	dead, workers := cellText{text: count(q.Dead)}, cellText{text: count(q.Workers)}
	if q.Dead > 0 {
		dead.color = red
	}
	if q.Workers == 0 && q.Depth > 0 {
		workers.color = red
	}
	return []cellText{name, {text: count(q.Depth)}, oldest, {text: count(q.Scheduled)}, {text: count(q.Running)}, dead, workers}
}

func executionRow(x *backend.Execution, now time.Time) []cellText {
	took := "-"
	switch {
	case x.State.Final() && !x.Started.IsZero():
		took = short(x.Finished.Sub(x.Started))
	case !x.Started.IsZero():
		took = since(now, x.Started)
	}
	return []cellText{{x.ID, plain}, {x.Workflow, plain}, {string(x.State), styleOf(x.State)}, {since(now, x.Created), plain}, {took, plain}}
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func since(now, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return short(now.Sub(t))
}

// short is a duration in at most six characters.
func short(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

func (m *model) date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(m.cfg.Zone).Format("2006-01-02T15:04:05")
}

func (m *model) clock(t time.Time) string { return t.In(m.cfg.Zone).Format("15:04:05") }
