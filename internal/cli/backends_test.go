package cli

import (
	"context"
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/pgtest"
)

// testBackend is a kind of database that the command is tested on.
type testBackend struct {
	name string
	// open makes an empty database and a handle on it; dsn is what a person would give to --db.
	open func(t *testing.T, c *testClock) (db backend.Backend, dsn string)
	// execute runs a statement on the tables as they are.
	execute func(t *testing.T, dsn, sql string)
	// exact says that the database's clock is the test's own; elsewhere times are compared by their form only.
	exact bool
}

var testBackends = []testBackend{
	{name: "sqlite", exact: true, execute: executeSQLite, open: func(t *testing.T, c *testClock) (backend.Backend, string) {
		path := filepath.Join(t.TempDir(), "test.sqlite")
		db, err := sqlite.Open(t.Context(), path, sqlite.Clock(c.Now), sqlite.Synchronous(sqlite.Normal))
		if err != nil {
			t.Fatal(err)
		}
		return db, "sqlite:" + path
	}},
	{name: "postgres", execute: executePostgres, open: func(t *testing.T, _ *testClock) (backend.Backend, string) {
		dsn := pgtest.DSN(t)
		db, err := postgres.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		return db, dsn
	}},
}

func executeSQLite(t *testing.T, dsn, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

func executePostgres(t *testing.T, dsn, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "SET search_path = stent"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// onEach runs a test on every kind of database.
func onEach(t *testing.T, test func(t *testing.T, b testBackend)) {
	for _, b := range testBackends {
		t.Run(b.name, func(t *testing.T) { test(t, b) })
	}
}

// comparable makes two outputs comparable where the database's clock is not the test's.
func (b testBackend) comparable(output string) string {
	if b.exact {
		return output
	}
	for _, form := range []struct{ pattern, instead string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?`, "<time>"},
		{`\b\d\d:\d\d:\d\d\b`, "<clock>"},
		{`<clock> +\d+\.\d{3}s`, "<clock> <took>"},
		{`\| \d+[smhd]([0-9]+[smh])? +\|`, "| <age> |"},
	} {
		output = regexp.MustCompile(form.pattern).ReplaceAllString(output, form.instead)
	}
	return output
}

// testClock is a clock that the test moves.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *testClock {
	return &testClock{now: time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// at moves the clock to a time of its day, as "10:30:05".
func (c *testClock) at(t *testing.T, text string) {
	t.Helper()
	clock, err := time.Parse("15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = time.Date(2024, 1, 15, clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC)
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// history writes executions into a database, step by step and without an engine, so that each moment is known.
type history struct {
	t     *testing.T
	db    backend.Backend
	clock *testClock
	dsn   string
}

const testWorker = "worker-1"

// allQueues are the queues that the test's worker serves.
var allQueues = []string{"default", "billing", "retry"}

func newHistory(t *testing.T, b testBackend) *history {
	t.Helper()
	h := &history{t: t, clock: newClock()}
	h.db, h.dsn = b.open(t, h.clock)
	t.Cleanup(func() { h.db.Close() })
	_, err := h.db.Register(t.Context(), backend.Worker{
		ID: testWorker, Host: "host", PID: 1, Queues: allQueues, Steps: []string{"order_workflow", "validate_order", "charge_payment", "send_notification"},
		Slots: 10, State: backend.WorkerReady,
	}, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// commit writes commands of the worker, and wants none refused.
func (h *history) commit(commands ...backend.Command) {
	h.t.Helper()
	if err := h.db.Commit(h.t.Context(), &backend.Batch{Worker: testWorker, Commands: commands}); err != nil {
		h.t.Fatal(err)
	}
	for _, c := range commands {
		if err := refusal(c); err != nil {
			h.t.Fatalf("%T refused: %v", c, err)
		}
	}
}

func refusal(c backend.Command) error {
	switch c := c.(type) {
	case *backend.Start:
		return c.Err
	case *backend.Signalled:
		return c.Err
	case *backend.Turn:
		return c.Err
	case *backend.Complete:
		return c.Err
	case *backend.Retry:
		return c.Err
	case *backend.Bury:
		return c.Err
	case *backend.Release:
		return c.Err
	case *backend.Claim:
		return c.Err
	case *backend.Cancel:
		return c.Err
	}
	return nil
}

func (h *history) start(id string) {
	h.t.Helper()
	h.commit(&backend.Start{ID: id, Workflow: "order_workflow", Queue: "default", Input: []byte(`{"order_id":"ORD-123"}`), InputHash: 1, Tags: []string{"eu"}})
}

// claim takes all that is due.
func (h *history) claim() {
	h.t.Helper()
	h.commit(&backend.Claim{Queues: allQueues, Tags: []string{"billing", "eu"}, Steps: []string{"order_workflow", "charge_payment"}, Max: 100})
}

// begin is a turn in which the workflow calls an activity, which begins at once; done names the place of the one that
// was completed before, 0 for none.
func (h *history) begin(id string, done, seq int, step string, effects ...backend.Effect) {
	h.t.Helper()
	turn := &backend.Turn{Execution: id, Token: 1, Added: []backend.Add{{
		Seq: seq, Key: step + "#1", Kind: backend.Activity, Step: step, Queue: "default", Tags: []string{"billing"},
		Input: []byte(`{}`), InputHash: 1, State: backend.Running,
	}}}
	if done > 0 {
		turn.Completed = []*backend.Complete{{Task: backend.TaskID{Execution: id, Seq: done}, Token: 1, Result: []byte(`{}`)}}
	}
	if len(effects) > 0 {
		turn.Effects, turn.EffectsSeen = effects, len(effects)
	}
	h.commit(turn)
}

// wait is a turn in which the workflow begins to wait and leaves the worker.
func (h *history) wait(id string, done int, add backend.Add) {
	h.t.Helper()
	h.commit(&backend.Turn{
		Execution: id, Token: 1, Added: []backend.Add{add}, Yield: &backend.Yield{WakeIn: add.Delay},
		Completed: []*backend.Complete{{Task: backend.TaskID{Execution: id, Seq: done}, Token: 1, Result: []byte(`{}`)}},
	})
}

// run does one command of stent on this database, and returns all that a person would see.
func (h *history) run(args ...string) result {
	h.t.Helper()
	h.t.Setenv("STENT_DB", h.dsn)
	return stent(h.t.Context(), h.clock, append([]string{"--utc"}, args...)...)
}

// result is what one command said.
type result struct {
	stdout, stderr string
	code           int
}

func stent(ctx context.Context, clock *testClock, args ...string) result {
	var out, errs strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, now: clock.Now, program: "stent"}
	code := a.run(ctx, args)
	return result{stdout: out.String(), stderr: errs.String(), code: code}
}
