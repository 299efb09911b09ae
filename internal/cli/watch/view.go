package watch

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stentgo/stent/core/backend"
)

// style is the parameter of an ANSI escape sequence; the terminal's own palette is kept. The program takes it away where
// NO_COLOR is set or the terminal has no colours.
type style string

const (
	plain    style = ""
	bold     style = "1"
	dim      style = "2"
	inverse  style = "7"
	red      style = "31"
	green    style = "32"
	yellow   style = "33"
	cyan     style = "36"
	boldCyan style = "1;36"
	alert    style = "1;31"
)

func paint(s style, text string) string {
	if s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

func styleOf(state backend.State) style {
	switch state {
	case backend.Completed:
		return green
	case backend.Failed, backend.TimedOut:
		return red
	case backend.Running:
		return cyan
	case backend.Cancelled:
		return dim
	default:
		return yellow
	}
}

// headerLines stand above the list: the title, the counts, three lines of sparklines, an empty one, the tabs.
const headerLines = 7

// The least screen that says anything.
const (
	leastWidth  = 40
	leastHeight = 10
)

func (m *model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	v.WindowTitle = "stent " + clean(m.cfg.Name)
	return v
}

// draw gives exactly as many lines as the screen has, none longer than it is wide.
func (m *model) draw() string {
	if m.width == 0 {
		return ""
	}
	var lines []string
	switch {
	case m.width < leastWidth || m.height < leastHeight:
		lines = []string{"stent watch", fmt.Sprintf("The terminal is %dx%d;", m.width, m.height), fmt.Sprintf("at least %dx%d is needed.", leastWidth, leastHeight)}
	case m.detail != nil:
		lines = m.drawDetail()
	case m.help:
		lines = append([]string{m.title()}, helpLines...)
	default:
		lines = append(m.header(), m.drawList(m.height-headerLines-1)...)
	}
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:m.height-1], m.footer())
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	return strings.Join(lines, "\n")
}

func (m *model) title() string {
	at := "reading ..."
	if m.read {
		at = m.clock(m.reading.stats.Now) + ", every " + m.cfg.Interval.String()
	}
	if m.frozen {
		at = paint(yellow, "frozen at "+m.clock(m.reading.stats.Now))
	}
	left := paint(boldCyan, "stent") + " " + clean(m.cfg.Name)
	if gap := m.width - ansi.StringWidth(left) - ansi.StringWidth(at); gap > 0 {
		return left + strings.Repeat(" ", gap) + at
	}
	return left
}

func (m *model) header() []string {
	lines := []string{m.title(), m.counts()}
	lines = append(lines, m.sparklines()...)
	return append(lines, "", m.tabLine())
}

// counts is the line of executions by state.
func (m *model) counts() string {
	if m.reading.err != nil {
		return paint(alert, "The database does not answer: ") + clean(m.reading.err.Error())
	}
	var parts []string
	for _, state := range []backend.State{
		backend.Pending, backend.Running, backend.Cancelling, backend.Completed, backend.Failed, backend.TimedOut, backend.Cancelled,
	} {
		n := m.reading.stats.Executions[state]
		if n == 0 && (state == backend.Cancelling || state == backend.TimedOut || state == backend.Cancelled) {
			continue
		}
		color := styleOf(state)
		if n == 0 {
			color = dim
		}
		parts = append(parts, paint(color, fmt.Sprintf("%s %d", strings.ReplaceAll(string(state), "_", " "), n)))
	}
	return strings.Join(parts, "  ")
}

// sparklines are three lines, in one or two halves: where the screen is wide, the depth stands beside.
func (m *model) sparklines() []string {
	h := &m.history
	graphs := []struct {
		name, value string
		values      []float64
		color       style
	}{
		{"Throughput", fmt.Sprintf("%.1f/s", latest(h.throughput)), h.throughput, green},
		{"Latency p95", short(quantile(m.reading.durations(), 0.95)), h.latency, cyan},
		{"Error rate", fmt.Sprintf("%.1f%%", 100*latest(h.errorRate)), h.errorRate, red},
	}
	const label = 12 + 9 // the name and the value
	var lines []string
	for _, g := range graphs {
		lines = append(lines, fit(g.name, 12)+fit(g.value, 9)+paint(g.color, sparkline(g.values, m.width-label)))
	}
	return lines
}

func (m *model) tabLine() string {
	var parts []string
	for t := range tabs {
		text := fmt.Sprintf(" %d %s %d ", t+1, tabNames[t], m.rows(t))
		switch {
		case t == m.tab:
			text = paint(inverse, text)
		case t == tabLetters && len(m.reading.letters) > 0:
			text = paint(red, text)
		}
		parts = append(parts, text)
	}
	line := strings.Join(parts, "")
	if ansi.StringWidth(line) <= m.width {
		return line
	}
	return paint(inverse, fmt.Sprintf(" %d %s %d ", m.tab+1, tabNames[m.tab], m.rows(m.tab))) + paint(dim, " tab for the others")
}

// drawList draws the selected list, scrolled so that the selected row is there.
func (m *model) drawList(height int) []string {
	columns, row := m.list()
	widths := m.widths(columns)
	titles := make([]cellText, len(columns))
	for i, c := range columns {
		titles[i] = cellText{c.title, bold}
	}
	lines := []string{drawRow(columns, widths, titles)}
	rows, visible := m.rows(m.tab), height-1
	if rows == 0 {
		return append(lines, paint(dim, m.empty()))
	}
	top := max(min(m.selected[m.tab]-visible/2, rows-visible), 0)
	for i := top; i < min(top+visible, rows); i++ {
		line := drawRow(columns, widths, row(i))
		if i == m.selected[m.tab] {
			line = paint(inverse, ansi.Strip(line))
		}
		lines = append(lines, line)
	}
	return lines
}

func (m *model) empty() string {
	if !m.read {
		return ""
	}
	return [tabs]string{
		"No queues: nothing waits, and no worker serves.", "No activity runs.", "No dead letters.",
		"No executions yet.", "No worker serves: what is due waits until one does.",
	}[m.tab]
}

// widths shares out the screen's width.
func (m *model) widths(columns []column) []int {
	left, shares := m.width-2*(len(columns)-1), 0
	for _, c := range columns {
		left -= c.width
		shares += c.share
	}
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = c.width
		if left > 0 && shares > 0 {
			widths[i] += left * c.share / shares
		}
	}
	return widths
}

func drawRow(columns []column, widths []int, cells []cellText) string {
	parts := make([]string, len(cells))
	for i, c := range cells {
		text := fit(clean(c.text), widths[i])
		if columns[i].right {
			text = strings.Repeat(" ", len(text)-len(strings.TrimRight(text, " "))) + strings.TrimRight(text, " ")
		}
		parts[i] = paint(c.color, text)
	}
	return strings.Join(parts, "  ")
}

func (m *model) drawDetail() []string {
	d := m.detail
	height := m.height - 2
	d.scroll(0, height)
	lines := []string{paint(bold, d.title)}
	return append(lines, d.lines[d.top:min(d.top+height, len(d.lines))]...)
}

func (m *model) footer() string {
	switch {
	case m.ask != nil:
		return paint(yellow, m.ask.text) + " " + paint(bold, "y") + " yes, any other key no"
	case m.note != "" && m.failed:
		return paint(red, clean(m.note))
	case m.note != "":
		return paint(green, clean(m.note))
	case m.detail != nil && m.detail.letter != nil:
		return keys("↑↓", "scroll", "r", "replay", "c", "cancel", "esc", "back", "q", "quit")
	case m.detail != nil:
		return keys("↑↓", "scroll", "c", "cancel", "esc", "back", "q", "quit")
	case m.help:
		return keys("esc", "back", "q", "quit")
	case m.tab == tabLetters:
		return keys("↑↓", "select", "enter", "look", "r", "replay", "c", "cancel", "tab", "next list", "?", "help", "q", "quit")
	case m.tab == tabQueues:
		return keys("↑↓", "select", "p", "pause", "tab", "next list", "space", "freeze", "?", "help", "q", "quit")
	case m.tab == tabWorkers:
		return keys("↑↓", "select", "tab", "next list", "space", "freeze", "?", "help", "q", "quit")
	}
	return keys("↑↓", "select", "enter", "look", "c", "cancel", "tab", "next list", "space", "freeze", "?", "help", "q", "quit")
}

func keys(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, paint(bold, pairs[i])+" "+paint(dim, pairs[i+1]))
	}
	return strings.Join(parts, "  ")
}

var helpLines = []string{
	"",
	"  1 to 5, tab      the lists: queues, running activities, dead letters, executions, workers",
	"  ↑ ↓ j k          select a row; pgup, pgdown, g, G go further",
	"  enter            look at what is selected; esc goes back",
	"  r                replay the dead letter that is selected",
	"  c                cancel the execution of the row that is selected",
	"  p                pause the queue that is selected, or resume it",
	"  space            freeze what is shown; again to go on",
	"  + -              read less often, more often",
	"  q, ctrl+c        leave",
	"",
	"  Throughput is executions that ended, a second. The error rate is the share of them that",
	"  failed or timed out. Latency is what the newest " + fmt.Sprint(mostRecent) + " executions took, of those that have ended.",
}
