package stent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/pgtest"
)

// The acceptance tests of the whole engine. Each is a story that a user could tell, on every backend.

// backends are what every story runs on. fresh makes an empty database and returns its address; dial opens it, as often
// as there are programs in the story.
var backends = []struct {
	name  string
	fresh func(t testing.TB) (address string)
	dial  func(ctx context.Context, address string) (backend.Backend, error)
}{
	{
		name:  "sqlite",
		fresh: func(t testing.TB) string { return filepath.Join(t.TempDir(), "stent.sqlite") },
		dial:  func(ctx context.Context, path string) (backend.Backend, error) { return sqlite.Open(ctx, path) },
	},
	{
		name:  "postgres",
		fresh: func(t testing.TB) string { return pgtest.DSN(t) },
		dial:  func(ctx context.Context, dsn string) (backend.Backend, error) { return postgres.Open(ctx, dsn) },
	},
}

// onEach runs a story on every backend.
func onEach(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			story(t, &world{T: t, backend: b.name, address: b.fresh(t), dial: b.dial})
		})
	}
}

// world is one database and the programs that use it.
type world struct {
	*testing.T
	backend string
	address string
	dial    func(ctx context.Context, address string) (backend.Backend, error)
}

// open opens the world's database once more, as another process would.
func (w *world) open() backend.Backend {
	w.Helper()
	db, err := w.dial(context.Background(), w.address)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = db.Close() })
	return db
}

// program is one engine, as in a process of its own.
type program struct {
	*core.Engine
	w    *world
	db   backend.Backend
	stop func()
}

// program opens the database and registers handlers.
func (w *world) program(handlers ...core.Handler) *program {
	w.Helper()
	return w.programOn(w.open(), handlers...)
}

func (w *world) programOn(db backend.Backend, handlers ...core.Handler) *program {
	w.Helper()
	e, err := core.New(db, logOption()...)
	if err != nil {
		w.Fatal(err)
	}
	if err := e.Register(handlers...); err != nil {
		w.Fatal(err)
	}
	return &program{Engine: e, w: w, db: db, stop: func() {}}
}

// logOption shows the engines' logs where STENT_TEST_LOG is set.
func logOption() []core.Option {
	if os.Getenv("STENT_TEST_LOG") == "" {
		return nil
	}
	return []core.Option{core.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil)))}
}

// serve starts a worker that runs until stop is called or the test ends.
func (p *program) serve(cfg core.WorkerConfig) *program {
	p.w.Helper()
	cfg.PollInterval = orElse(cfg.PollInterval, 20*time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, cfg) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				p.w.Errorf("Serve: %v", err)
			}
		case <-time.After(patience):
			p.w.Errorf("Serve did not return within %v of its context's end", patience)
		}
	})
	p.w.Cleanup(p.stop)
	return p
}

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// patience is how long something may take that has to happen; machines that do much else at the same time are slow.
const patience = 3 * time.Minute

// eventually polls until the condition holds.
func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("did not happen within %v: %s", patience, what)
		}
		<-time.After(pause)
	}
}

// sometime repeats a story that a machine which stands still for a moment spoils: what is broken goes wrong each time.
func (w *world) sometime(story func() error) {
	w.Helper()
	var err error
	for range 5 {
		if err = story(); err == nil {
			return
		}
		w.Log(err)
	}
	w.Errorf("each of five times: %v", err)
}

// inState polls until an execution is in a state.
func (p *program) inState(id string, state backend.State) core.Snapshot {
	p.w.Helper()
	var s core.Snapshot
	p.w.eventually(fmt.Sprintf("%s is %s", id, state), func() bool {
		var err error
		if s, err = p.StateOf(p.w.ctx(), id); err != nil && !errors.Is(err, core.ErrNotFound) {
			p.w.Fatal(err)
		}
		return s.State == state
	})
	return s
}

// ctx ends long before the test binary does, so that a story that hangs says where.
func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	w.Cleanup(cancel)
	return ctx
}

// start and wait are for stories in which they must not fail.
func start[I, O any](p *program, wf *core.Workflow[I, O], in I, opts ...core.StartOption) *core.Run[O] {
	p.w.Helper()
	run, err := wf.Start(p.w.ctx(), p.Engine, in, opts...)
	if err != nil {
		p.w.Fatal(err)
	}
	return run
}

func wait[O any](p *program, run *core.Run[O]) O {
	p.w.Helper()
	out, err := run.Wait(p.w.ctx())
	if err != nil {
		p.w.Fatal(err)
	}
	return out
}

// tally counts what activities did, by name.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
	return c.n[name]
}

func (c *tally) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[name]
}
