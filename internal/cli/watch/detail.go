package watch

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/stentgo/stent/core/backend"
)

// detail is one thing looked at closely: lines that can be scrolled.
type detail struct {
	title     string
	execution string
	letter    *backend.DeadLetter // that it is about, if it is about one
	lines     []string
	top       int
}

func (d *detail) scroll(by, height int) {
	d.top = max(min(d.top+by, len(d.lines)-height), 0)
}

func (d *detail) add(format string, args ...any) {
	d.lines = append(d.lines, clean(fmt.Sprintf(format, args...)))
}

// inspect opens the selected row: a dead letter, or the execution that it belongs to.
func (m *model) inspect() tea.Cmd {
	id := m.selectedExecution()
	if id == "" {
		return nil
	}
	var letter backend.TaskID
	if m.tab == tabLetters {
		letter = m.reading.letters[m.selected[tabLetters]].Task
	}
	return func() tea.Msg {
		var (
			d   detail
			err error
		)
		m.use(func() {
			if letter.Execution != "" {
				d, err = m.letterDetail(letter)
			} else {
				d, err = m.executionDetail(id)
			}
		})
		if err != nil {
			return noteMsg{err.Error(), true}
		}
		return detailMsg(d)
	}
}

func (m *model) executionDetail(id string) (detail, error) {
	x, err := m.engine.StateOf(m.ctx, id)
	if err != nil {
		return detail{}, err
	}
	because, err := m.engine.Why(m.ctx, id)
	if err != nil {
		return detail{}, err
	}
	d := detail{title: "Execution " + clean(id), execution: id}
	d.add("Workflow  %s", x.Workflow)
	d.add("State     %s", x.State)
	d.add("Queue     %s", x.Queue)
	d.add("Started   %s", m.date(x.Started))
	if !x.Finished.IsZero() {
		d.add("Ended     %s, after %s", m.date(x.Finished), short(x.Finished.Sub(x.Started)))
	}
	d.add("")
	d.add("%s.", because.Sentence(m.date))
	d.section("Progress", len(x.Progress))
	for _, p := range x.Progress {
		line := fmt.Sprintf("  %s  %-10s %s", m.clock(p.At), p.State, p.Step)
		if p.Attempt > 1 {
			line += fmt.Sprintf(" (attempt %d)", p.Attempt)
		}
		if p.Detail != "" {
			line += ": " + p.Detail
		}
		d.add("%s", line)
	}
	d.section("Counters", len(x.Counters))
	for _, c := range x.Counters {
		d.add("  %s: %g", c.Name, c.Value)
	}
	d.section("Custom state", len(x.Custom))
	for _, c := range x.Custom {
		d.add("  %s: %s", c.Name, c.Value)
	}
	if len(x.Result) > 0 {
		d.add("")
		d.add("Result  %s", x.Result)
	}
	if x.Failure != nil {
		d.failure(x.Failure)
	}
	return d, nil
}

func (m *model) letterDetail(id backend.TaskID) (detail, error) {
	l, err := m.cfg.DB.DeadLetter(m.ctx, id)
	if err != nil {
		return detail{}, err
	}
	d := detail{title: "Dead letter " + clean(id.String()), execution: id.Execution, letter: &l}
	d.add("Step      %s (%s of %s)", l.Step, l.Kind, l.Workflow)
	d.add("Queue     %s", l.Queue)
	d.add("Moved     %s", m.date(l.Moved))
	d.add("Attempts  %d", l.Attempts)
	d.add("Reason    %s", l.Reason)
	d.section("Attempts", len(l.Errors))
	for _, a := range l.Errors {
		d.add("  %s  attempt %d on %s: %s", m.clock(a.At), a.Attempt, a.Worker, a.Failure.Message)
	}
	d.failure(&l.Failure)
	return d, nil
}

func (d *detail) section(name string, rows int) {
	if rows > 0 {
		d.add("")
		d.add("%s", name)
	}
}

func (d *detail) failure(f *backend.Failure) {
	d.add("")
	d.add("Error  %s", f.Message)
	for line := range strings.Lines(f.Stack) {
		d.add("  %s", strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), "\n"))
	}
}
