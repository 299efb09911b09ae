package watch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/stentgo/stent/core/backend"
)

var now = time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)

// busy is a database with something in every list, some of it written to play with a terminal.
func busy() reading {
	r := reading{stats: backend.Stats{Now: now, Executions: map[backend.State]int64{
		backend.Running: 3, backend.Completed: 12_345_678, backend.Failed: 7, backend.TimedOut: 1,
	}}}
	for i := range 40 {
		id := fmt.Sprintf("order-%d", i)
		task := backend.TaskID{Execution: id, Seq: 2}
		r.stats.Queues = append(r.stats.Queues, backend.QueueStats{Queue: fmt.Sprintf("queue-%d", i), Depth: int64(i), OldestDue: now.Add(-time.Hour), Paused: i == 1})
		r.running = append(r.running, backend.Task{ID: task, Step: "charge", Queue: "default", Attempt: 2, Started: now.Add(-time.Minute), Worker: "w1"})
		r.letters = append(r.letters, backend.DeadLetter{Task: task, Step: "charge", Queue: "default", Moved: now.Add(-time.Hour), Reason: "bad \x1b[31m\nred \u202eabc 日本語" + strings.Repeat("x", 300)})
		r.recent = append(r.recent, backend.Execution{ID: id, Workflow: "order", State: backend.Completed, Created: now.Add(-time.Minute), Started: now.Add(-time.Minute), Finished: now.Add(-time.Minute + time.Duration(i)*time.Second)})
		r.workers = append(r.workers, backend.Worker{ID: fmt.Sprintf("w%d", i), State: backend.WorkerReady, Queues: []string{"default", "billing"}, Slots: 10, Used: 3, Renewed: now, LeaseEnd: now.Add(30 * time.Second)})
	}
	return r
}

func newModel(width, height int, r reading) *model {
	m := &model{cfg: Config{Name: "orders.db", Interval: time.Second, Zone: time.UTC}, work: make(chan struct{}, 1), width: width, height: height}
	m.take(r)
	return m
}

func (m *model) press(keys ...string) {
	for _, key := range keys {
		m.key(key)
	}
}

// Whatever there is to show, the screen has as many lines as the terminal, and none is longer: else it would scroll.
func TestTheScreenFits(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {200, 60}, {40, 10}, {120, 12}, {20, 5}, {1, 1}} {
		for name, r := range map[string]reading{"busy": busy(), "empty": {stats: backend.Stats{Now: now}}, "unread": {err: errors.New("the server\nis gone")}} {
			for state, keys := range map[string][]string{
				"queues": {"1"}, "running": {"2"}, "letters": {"3", "down", "G"}, "executions": {"4"}, "workers": {"5"}, "help": {"?"}, "question": {"3", "r"}, "frozen": {"space"},
			} {
				m := newModel(size.width, size.height, r)
				m.press(keys...)
				lines := strings.Split(m.draw(), "\n")
				if len(lines) != size.height {
					t.Errorf("%v, %s, %s: %d lines", size, name, state, len(lines))
				}
				for i, line := range lines {
					if w := ansi.StringWidth(line); w > size.width {
						t.Errorf("%v, %s, %s: line %d is %d wide: %q", size, name, state, i, w, line)
					}
					if strings.ContainsAny(ansi.Strip(line), "\x1b\u202e\r") {
						t.Errorf("%v, %s, %s: line %d plays with the terminal: %q", size, name, state, i, line)
					}
				}
			}
		}
	}
}

// Who has selected a row goes on having that row selected when others come above it, and a replay is of what was shown.
func TestTheSelectionFollowsItsRow(t *testing.T) {
	m := newModel(80, 24, busy())
	m.press("3", "down", "down", "down")
	r := busy()
	r.letters = append([]backend.DeadLetter{{Task: backend.TaskID{Execution: "new", Seq: 1}, Queue: "default"}}, r.letters...)
	m.take(r)
	m.press("r")
	if m.ask == nil || !strings.Contains(m.ask.text, "order-3.2") {
		t.Fatalf("asks %+v, want about order-3.2", m.ask)
	}
	m.press("n")
	if m.ask != nil || m.note != "Left as it is." {
		t.Errorf("after n: %+v, %q", m.ask, m.note)
	}
	r.letters = r.letters[:2]
	m.take(r)
	if m.selected[tabLetters] != 1 {
		t.Errorf("row %d is selected of 2", m.selected[tabLetters])
	}
}

// A reading that failed says so, and what was read before stays.
func TestAFailedReadingKeepsTheLastOne(t *testing.T) {
	m := newModel(80, 24, busy())
	m.take(reading{err: errors.New("connection refused")})
	screen := ansi.Strip(m.draw())
	if !strings.Contains(screen, "does not answer: connection refused") || !strings.Contains(screen, "queue-3") {
		t.Errorf("shows\n%s", screen)
	}
	if _, cmd := m.Update(readMsg(reading{err: errors.New("again")})); cmd == nil {
		t.Error("no further reading is planned")
	}
}

func TestFreeze(t *testing.T) {
	m := newModel(80, 24, busy())
	m.press("space")
	later := busy()
	later.stats.Now = now.Add(time.Minute)
	m.take(later)
	if !m.reading.stats.Now.Equal(now) {
		t.Error("a frozen screen changed")
	}
	m.press("space")
	m.take(later)
	if m.reading.stats.Now.Equal(now) {
		t.Error("the screen stayed frozen")
	}
}

// Throughput and error rate are differences between readings, by the database's clock.
func TestRates(t *testing.T) {
	var h history
	at := func(seconds int, completed, failed int64) {
		h.add(&reading{stats: backend.Stats{Now: now.Add(time.Duration(seconds) * time.Second), Executions: map[backend.State]int64{
			backend.Completed: completed, backend.Failed: failed,
		}}})
	}
	at(0, 100, 10)
	if len(h.throughput) != 0 {
		t.Error("a rate from one reading")
	}
	at(2, 106, 12)
	if got := latest(h.throughput); got != 4 {
		t.Errorf("throughput %v/s, want 4", got)
	}
	if got := latest(h.errorRate); got != 0.25 {
		t.Errorf("error rate %v, want 0.25", got)
	}
	at(3, 50, 12) // retention has deleted some
	if got := latest(h.throughput); got != 0 {
		t.Errorf("throughput %v/s after a clean-up, want 0", got)
	}
}

func TestSparkline(t *testing.T) {
	for _, c := range []struct {
		values []float64
		width  int
		want   string
	}{
		{nil, 3, "   "},
		{[]float64{0, 0}, 3, " ▁▁"},
		{[]float64{1, 2, 4, 8}, 4, "▃▄▅█"},
		{[]float64{9, 1, 2, 4}, 3, "▄▅█"},
		{[]float64{1}, 0, ""},
	} {
		if got := sparkline(c.values, c.width); got != c.want {
			t.Errorf("sparkline(%v, %d) = %q, want %q", c.values, c.width, got, c.want)
		}
	}
}

func TestInterval(t *testing.T) {
	m := newModel(80, 24, busy())
	m.press("-")
	if m.cfg.Interval != 500*time.Millisecond {
		t.Errorf("- makes it %v", m.cfg.Interval)
	}
	for range 20 {
		m.press("+")
	}
	if m.cfg.Interval != time.Minute {
		t.Errorf("many + make it %v", m.cfg.Interval)
	}
}

func TestQuit(t *testing.T) {
	for _, key := range []string{"q", "ctrl+c"} {
		m := newModel(80, 24, busy())
		if cmd := m.key(key); cmd == nil {
			t.Errorf("%s does nothing", key)
		} else if _, ok := cmd().(tea.QuitMsg); !ok {
			t.Errorf("%s does not leave", key)
		}
	}
}
