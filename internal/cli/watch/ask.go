package watch

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// question stands at the bottom until it is answered with y or anything else.
type question struct {
	text string
	yes  func() (done string, err error) // with the database to itself
}

// answer takes the key that answers the question.
func (m *model) answer(key string) tea.Cmd {
	q := m.ask
	m.ask = nil
	if key != "y" && key != "Y" && key != "shift+y" {
		m.note, m.failed = "Left as it is.", false
		return nil
	}
	m.note = "..."
	do := func() tea.Msg {
		var (
			done string
			err  error
		)
		m.use(func() { done, err = q.yes() })
		if err != nil {
			return noteMsg{err.Error(), true}
		}
		return noteMsg{done, false}
	}
	return tea.Sequence(do, m.refreshOnce)
}

// refreshOnce reads without beginning another round of ticks.
func (m *model) refreshOnce() tea.Msg {
	return oneReadMsg(m.refresh().(readMsg))
}

// askReplay asks about the dead letter that is selected or open.
func (m *model) askReplay() {
	var d backend.DeadLetter
	switch {
	case m.detail != nil && m.detail.letter != nil:
		d = *m.detail.letter
	case m.detail == nil && m.tab == tabLetters && len(m.reading.letters) > 0:
		d = m.reading.letters[m.selected[tabLetters]]
	default:
		m.note, m.failed = "Only a dead letter is replayed: 3 lists them.", true
		return
	}
	m.ask = &question{
		text: fmt.Sprintf("Replay %s, %s, in queue %s?", d.Task, d.Step, d.Queue),
		yes: func() (string, error) {
			if err := m.engine.Replay(m.ctx, d.Task, core.By(m.cfg.Actor)); err != nil {
				return "", err
			}
			return fmt.Sprintf("Replayed %s: it is in queue %s again.", d.Task, d.Queue), nil
		},
	}
}

// selectedExecution is the execution that the detail or the selected row belongs to; "" where it belongs to none.
func (m *model) selectedExecution() string {
	if m.detail != nil {
		return m.detail.execution
	}
	i := m.selected[m.tab]
	if i >= m.rows(m.tab) {
		return ""
	}
	switch m.tab {
	case tabRunning:
		return m.reading.running[i].ID.Execution
	case tabLetters:
		return m.reading.letters[i].Task.Execution
	case tabExecutions:
		return m.reading.recent[i].ID
	default:
		return ""
	}
}

// askCancel asks about the execution of the selected row.
func (m *model) askCancel() {
	id := m.selectedExecution()
	if id == "" {
		m.note, m.failed = "Select an execution or a running task first: what is cancelled is an execution.", true
		return
	}
	m.ask = &question{
		text: fmt.Sprintf("Cancel execution %s?", id),
		yes: func() (string, error) {
			if err := m.engine.Cancel(m.ctx, id, core.By(m.cfg.Actor)); err != nil {
				return "", err
			}
			return fmt.Sprintf("Asked %s to stop.", id), nil
		},
	}
}

// askPause asks about the queue that is selected.
func (m *model) askPause() {
	if m.tab != tabQueues || len(m.reading.stats.Queues) == 0 {
		m.note, m.failed = "Only a queue is paused: 1 lists them.", true
		return
	}
	q := m.reading.stats.Queues[m.selected[tabQueues]]
	if q.Paused {
		m.ask = &question{"Resume queue " + q.Queue + "?", func() (string, error) {
			return "Resumed queue " + q.Queue + ".", m.engine.ResumeQueue(m.ctx, q.Queue, core.By(m.cfg.Actor))
		}}
		return
	}
	m.ask = &question{"Pause queue " + q.Queue + "?", func() (string, error) {
		return "Paused queue " + q.Queue + ".", m.engine.PauseQueue(m.ctx, q.Queue, core.By(m.cfg.Actor))
	}}
}
