package stenttest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/memory"
)

// Env is a database and the program that works on it. Its methods and the functions that take it belong to the test's
// goroutine, except where they say otherwise; what goes wrong in them fails the test at once.
type Env struct {
	testing.TB

	// Engine is the test's own access, as that of another program: it starts, signals, waits and looks, and works on
	// nothing. It survives the crashes of the program.
	Engine *core.Engine

	open    func() backend.Backend // one more handle on the database
	memory  *memory.DB             // nil for a database of the test's own
	options []core.Option
	config  core.WorkerConfig
	workers int

	mu         sync.Mutex
	handlers   []core.Handler
	program    *program
	programs   sync.WaitGroup
	ended      bool
	crashAt    point // of the programs that are yet to begin, and of the one that runs
	crashes    int
	points     int                     // commits that changed something, of all programs
	finished   map[backend.TaskID]bool // activities whose completion was committed
	beganAfter []string                // attempts at them that began later
	run        int                     // of Crashes
}

// New makes an environment in the bubble that the test runs in, with the handlers of the program under test. What the
// program needs and no handler is given for can be put in its place with [Stub]. Everything stops when the test ends.
func New(t testing.TB, handlers ...core.Handler) *Env {
	t.Helper()
	if !inBubble() {
		t.Fatal("stenttest.New: call it in the function of testing/synctest.Test, whose clock it works with:\n" +
			"\tsynctest.Test(t, func(t *testing.T) { env := stenttest.New(t, ...) ... })")
	}
	env := newEnv(t, nil)
	env.Handle(handlers...)
	return env
}

func inBubble() (is bool) {
	defer func() { is = recover() == nil }()
	synctest.Wait()
	return true
}

// newEnv makes an environment on a database in memory, or on another one in real time.
func newEnv(t testing.TB, open func() backend.Backend) *Env {
	t.Helper()
	env := &Env{TB: t, open: open, workers: 1, finished: map[backend.TaskID]bool{}}
	if open == nil {
		env.memory = memory.Open()
		env.open = func() backend.Backend { return env.memory.Another() }
		// The database tells of every change, so that nobody need look from time to time.
		env.config.PollInterval, env.config.Lease = time.Hour, 6*time.Hour
	}
	db := env.open()
	engine, err := core.New(db)
	if err != nil {
		t.Fatal(err)
	}
	env.Engine = engine
	t.Cleanup(func() {
		env.Stop()
		_ = db.Close()
	})
	return env
}

// Handle adds handlers, before the program begins. One whose name is known takes the place of the one before.
func (env *Env) Handle(handlers ...core.Handler) {
	env.Helper()
	env.mu.Lock()
	defer env.mu.Unlock()
	if env.program != nil {
		env.Fatal("stenttest: handlers and stubs have to be there before the first Start, Run or Advance")
	}
	for _, h := range handlers {
		if i := slices.IndexFunc(env.handlers, func(k core.Handler) bool { return k.Name() == h.Name() }); i >= 0 {
			env.handlers[i] = h
		} else {
			env.handlers = append(env.handlers, h)
		}
	}
}

// Configure sets how the program's workers work, and how many there are, before the program begins. Zero fields have
// the defaults of Serve, but in a bubble PollInterval is an hour, since the database tells what there is, and Lease six: a
// lease that is renewed every ten seconds makes a year long. 0 workers are 1.
func (env *Env) Configure(workers int, cfg core.WorkerConfig, opts ...core.Option) {
	env.workers = max(workers, 1)
	if cfg.PollInterval == 0 {
		cfg.PollInterval = env.config.PollInterval
	}
	if cfg.Lease == 0 {
		cfg.Lease = env.config.Lease
	}
	env.config, env.options = cfg, opts
}

// Context ends with the test.
func (env *Env) Context() context.Context { return env.TB.Context() }

// Begin starts the program, if it does not run. [Start], [Run] and [Env.Advance] do it by themselves.
func (env *Env) Begin() {
	env.Helper()
	env.mu.Lock()
	defer env.mu.Unlock()
	if env.program == nil && !env.ended {
		if err := env.begin(); err != nil {
			env.Fatal(err)
		}
	}
}

// Stop ends the program in good order: it drains. [Env.Begin] starts a new one.
func (env *Env) Stop() {
	env.mu.Lock()
	p := env.program
	env.program = nil
	env.mu.Unlock()
	if p != nil {
		p.drain()
	}
	env.programs.Wait()
}

// Restart kills the program as it is, as a crash would, and starts a new one. What it held is taken over at once.
func (env *Env) Restart() {
	env.Begin()
	env.mu.Lock()
	p := env.program
	env.mu.Unlock()
	if p != nil {
		p.db.kill()
	}
	env.Settle()
}

// CrashAfter has the program die at its n-th commit from now that changes something, after it was applied and before the
// program was told. A new program begins at once.
func (env *Env) CrashAfter(n int) {
	env.mu.Lock()
	defer env.mu.Unlock()
	env.crashAt = point{n: env.points + n}
}

// Advance lets time pass, and returns when everything that came due has been done as far as it can.
func (env *Env) Advance(d time.Duration) {
	env.Helper()
	env.Begin()
	if env.memory == nil {
		env.Fatal("stenttest: Advance: the time of this database is not the test's")
	}
	<-time.After(d)
	synctest.Wait()
}

// Settle returns when nothing more can happen without time passing.
func (env *Env) Settle() {
	if env.memory != nil {
		synctest.Wait()
	}
}

// Now is the time of the database.
func (env *Env) Now() time.Time { return time.Now() }

// History exports the history of an execution, for [AssertReplays].
func (env *Env) History(id string) []byte {
	env.Helper()
	data, err := env.Engine.ExportHistory(env.Context(), id)
	if err != nil {
		env.Fatal(err)
	}
	return data
}

// State reads an execution.
func (env *Env) State(id string) core.Snapshot {
	env.Helper()
	s, err := env.Engine.StateOf(env.Context(), id)
	if err != nil {
		env.Fatal(err)
	}
	return s
}

// program is one life of the program under test: an engine and its workers.
type program struct {
	env    *Env
	db     *mortal
	engine *core.Engine
	cancel context.CancelFunc
	served sync.WaitGroup
}

// begin starts a program; mu is held.
func (env *Env) begin() error {
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{env: env, cancel: cancel}
	p.db = &mortal{Backend: env.open(), env: env, died: p.died, workers: map[string]backend.WorkerState{}}
	var err error
	if p.engine, err = core.New(p.db, append([]core.Option{core.WithLogger(slog.New(slog.DiscardHandler))}, env.options...)...); err == nil {
		err = p.engine.Register(env.handlers...)
	}
	if err != nil {
		cancel()
		return fmt.Errorf("stenttest: %w", err)
	}
	for range env.workers {
		p.served.Go(func() {
			if err := p.engine.Serve(ctx, env.config); err != nil && !p.db.dead() {
				env.Errorf("stenttest: Serve: %v", err)
			}
		})
	}
	env.program = p
	env.programs.Go(func() {
		p.served.Wait()
		_ = p.db.Close()
	})
	return nil
}

// drain ends the program in good order.
func (p *program) drain() {
	p.cancel()
	p.served.Wait()
}

// died is called when the program was killed: a new one takes its place.
func (p *program) died() {
	p.cancel()
	env := p.env
	env.mu.Lock()
	defer env.mu.Unlock()
	env.crashes++
	if env.program != p || env.ended {
		return
	}
	env.program = nil
	if err := env.begin(); err != nil {
		env.Error(err)
	}
}
