package watch

import (
	"context"
	"errors"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// Config says what is watched and how.
type Config struct {
	DB       backend.Backend
	Name     string        // of the database, fit to be shown
	Interval time.Duration // between readings
	Zone     *time.Location
	Actor    string // who replays and cancels, for the record
	In       io.Reader
	Out      io.Writer
	NoColor  bool // also where the environment or the terminal says so
}

// Run draws until a key or the context ends it, and leaves the terminal as it was.
func Run(ctx context.Context, cfg Config) error {
	engine, err := core.New(cfg.DB)
	if err != nil {
		return err
	}
	// What is under way when the screen is left is waited for: the database is closed next.
	m := &model{cfg: cfg, engine: engine, ctx: ctx, work: make(chan struct{}, 1)}
	opts := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(cfg.In), tea.WithOutput(cfg.Out), tea.WithoutSignalHandler()}
	if cfg.NoColor {
		opts = append(opts, tea.WithColorProfile(colorprofile.ASCII))
	}
	_, err = tea.NewProgram(m, opts...).Run()
	m.work <- struct{}{}
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		return ctx.Err()
	}
	return err
}

// model is the state of the screen. Only Update changes it, which the program calls from one goroutine.
type model struct {
	cfg    Config
	engine *core.Engine
	ctx    context.Context //nolint:containedctx // of the program that the model lives in: commands are made with it
	work   chan struct{}   // held by a command that uses the database: one at a time

	width, height int
	reading       reading
	read          bool // there was a reading
	history       history
	frozen        bool

	tab      tab
	selected [tabs]int // the row, of each list
	help     bool
	detail   *detail
	ask      *question
	note     string // what a key did, or why it failed
	failed   bool   // the note is of a failure
}

// tab is one of the lists.
type tab int

const (
	tabQueues tab = iota
	tabRunning
	tabLetters
	tabExecutions
	tabWorkers
	tabs
)

var tabNames = [tabs]string{"Queues", "Running", "Dead letters", "Executions", "Workers"}

// What commands tell the model.
type (
	readMsg    reading // and the next comes after the interval
	oneReadMsg reading // out of turn
	tickMsg    struct{}
	detailMsg  detail
	noteMsg    struct {
		text   string
		failed bool
	}
)

func (m *model) Init() tea.Cmd { return m.refresh }

// use runs f while no other command uses the database.
func (m *model) use(f func()) {
	m.work <- struct{}{}
	defer func() { <-m.work }()
	f()
}

// readLimit is how long a reading may take before the screen says that the database does not answer.
const readLimit = 5 * time.Second

func (m *model) refresh() tea.Msg {
	var r reading
	m.use(func() { r = read(m.ctx, m.cfg.DB, max(readLimit, m.cfg.Interval)) })
	return readMsg(r)
}

func (m *model) tick() tea.Cmd {
	return tea.Tick(m.cfg.Interval, func(time.Time) tea.Msg { return tickMsg{} })
}

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tickMsg:
		return m, m.refresh
	case readMsg:
		m.take(reading(msg))
		return m, m.tick()
	case oneReadMsg:
		m.take(reading(msg))
	case detailMsg:
		d := detail(msg)
		m.detail = &d
	case noteMsg:
		m.note, m.failed = msg.text, msg.failed
		return m, nil
	case tea.KeyPressMsg:
		return m, m.key(msg.String())
	}
	return m, nil
}

// take makes a reading what is shown. One that failed leaves the last one there, and says so.
func (m *model) take(r reading) {
	if r.err != nil {
		m.reading.err = r.err
		return
	}
	m.history.add(&r)
	if m.frozen {
		return
	}
	var keys [tabs]string
	for t := range tabs {
		keys[t] = m.rowKey(t, m.selected[t])
	}
	m.reading, m.read = r, true
	for t := range tabs {
		m.follow(t, keys[t])
	}
}

// follow keeps the selection on the row that it was on, wherever that is now. The first row is a place, not a thing:
// who looks at the newest goes on seeing the newest.
func (m *model) follow(t tab, key string) {
	if m.selected[t] == 0 {
		return
	}
	for i := range m.rows(t) {
		if m.rowKey(t, i) == key {
			m.selected[t] = i
			return
		}
	}
	m.selected[t] = max(min(m.selected[t], m.rows(t)-1), 0)
}

// rowKey is what a row is about; "" where there is no such row.
func (m *model) rowKey(t tab, i int) string {
	if i >= m.rows(t) {
		return ""
	}
	switch t {
	case tabQueues:
		return m.reading.stats.Queues[i].Queue
	case tabRunning:
		return m.reading.running[i].ID.String()
	case tabLetters:
		return m.reading.letters[i].Task.String()
	case tabExecutions:
		return m.reading.recent[i].ID
	default:
		return m.reading.workers[i].ID
	}
}

// rows counts a list's rows.
func (m *model) rows(t tab) int {
	switch t {
	case tabQueues:
		return len(m.reading.stats.Queues)
	case tabRunning:
		return len(m.reading.running)
	case tabLetters:
		return len(m.reading.letters)
	case tabExecutions:
		return len(m.reading.recent)
	default:
		return len(m.reading.workers)
	}
}

// key does what a key is for.
func (m *model) key(key string) tea.Cmd {
	if key == "ctrl+c" {
		return tea.Quit
	}
	if m.ask != nil {
		return m.answer(key)
	}
	m.note = ""
	switch key {
	case "q":
		return tea.Quit
	case "esc", "backspace":
		if m.detail != nil || m.help {
			m.detail, m.help = nil, false
		}
	case "?", "h":
		m.help = !m.help
	case "space":
		m.frozen = !m.frozen
	case "+", "=":
		m.cfg.Interval = min(2*m.cfg.Interval, time.Minute)
	case "-":
		m.cfg.Interval = max(m.cfg.Interval/2, 100*time.Millisecond)
	case "tab", "right", "l":
		m.show((m.tab + 1) % tabs)
	case "shift+tab", "left":
		m.show((m.tab + tabs - 1) % tabs)
	case "1", "2", "3", "4", "5":
		m.show(tab(key[0] - '1'))
	default:
		return m.onRow(key)
	}
	return nil
}

func (m *model) show(t tab) { m.tab, m.detail, m.help = t, nil, false }

// onRow does what a key is for on the row that is selected, or on the detail that is open.
func (m *model) onRow(key string) tea.Cmd {
	page := max(m.height-headerLines-4, 1)
	switch key {
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup", "ctrl+b":
		m.move(-page)
	case "pgdown", "ctrl+f":
		m.move(page)
	case "home", "g":
		m.move(-1 << 20)
	case "end", "G", "shift+g":
		m.move(1 << 20)
	case "enter":
		return m.inspect()
	case "r":
		m.askReplay()
	case "c":
		m.askCancel()
	case "p":
		m.askPause()
	}
	return nil
}

func (m *model) move(by int) {
	if m.detail != nil {
		m.detail.scroll(by, m.height-2)
		return
	}
	m.selected[m.tab] = max(min(m.selected[m.tab]+by, m.rows(m.tab)-1), 0)
}
