package stenttest

import (
	"context"
	"fmt"
	"maps"
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
// goroutine; what goes wrong in them fails the test at once.
type Env struct {
	testing.TB

	// Engine is the test's own access, as that of another program: it starts, signals, waits and looks, and works on
	// nothing. It survives the crashes of the program.
	Engine *core.Engine

	db      backend.Backend
	memory  *memory.DB // nil for a database of the test's own
	run     int        // of Crashes
	copies  int
	config  core.WorkerConfig
	options []core.Option

	mu       sync.Mutex
	handlers []core.Handler
	begun    bool
	programs map[*program]bool // that live
	served   sync.WaitGroup
	crashAt  point
	planned  []point // the crashes after that, each counted from the one before
	crashes  int
	points   int                     // commits that changed something, of all programs
	finished map[backend.TaskID]bool // activities whose completion was committed
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

// NewOn makes an environment on a database of the test's own, in real time and outside of bubbles. The test closes the
// database.
func NewOn(t testing.TB, db backend.Backend, handlers ...core.Handler) *Env {
	t.Helper()
	env := newEnv(t, db)
	env.Handle(handlers...)
	return env
}

func inBubble() (is bool) {
	defer func() { is = recover() == nil }()
	synctest.Wait()
	return true
}

// newEnv makes an environment on a database, or on one in memory where db is nil.
func newEnv(t testing.TB, db backend.Backend) *Env {
	t.Helper()
	env := &Env{TB: t, db: db, copies: 1, programs: map[*program]bool{}, finished: map[backend.TaskID]bool{}}
	if db == nil {
		env.memory = memory.Open()
		env.db = env.memory
	}
	env.config = env.withDefaults(core.WorkerConfig{})
	engine, err := core.New(env.db)
	if err != nil {
		t.Fatal(err)
	}
	env.Engine = engine
	t.Cleanup(env.Stop)
	return env
}

// withDefaults makes nothing happen in a bubble that would only make a year long: the database tells what there is, so
// that nobody need look from time to time, and a program that dies loses its lease at once.
func (env *Env) withDefaults(cfg core.WorkerConfig) core.WorkerConfig {
	if env.memory == nil {
		return cfg
	}
	if cfg.PollInterval == 0 {
		cfg.PollInterval = time.Hour
	}
	if cfg.Lease == 0 {
		cfg.Lease = 6 * time.Hour
	}
	return cfg
}

// Handle adds handlers, before the program begins. One whose name is known takes the place of the one before.
func (env *Env) Handle(handlers ...core.Handler) {
	env.Helper()
	env.mu.Lock()
	defer env.mu.Unlock()
	if env.begun {
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

// Configure sets how many copies of the program run, as processes of their own would, how the worker of each works, and
// options for its engine. It has to be called before the program begins. The default is one copy. Zero fields of cfg have
// the defaults of Serve, but in a bubble PollInterval is an hour and Lease six.
func (env *Env) Configure(copies int, cfg core.WorkerConfig, opts ...core.Option) {
	env.copies, env.config, env.options = max(copies, 1), env.withDefaults(cfg), opts
}

// Context ends with the test.
func (env *Env) Context() context.Context { return env.TB.Context() }

// Begin starts the program, if it does not run. [Start], [Run] and [Env.Advance] do it by themselves.
func (env *Env) Begin() {
	env.Helper()
	env.mu.Lock()
	defer env.mu.Unlock()
	env.begun = true
	if err := env.fill(); err != nil {
		env.Fatal(err)
	}
}

// fill starts the copies of the program that are missing; mu is held.
func (env *Env) fill() error {
	for len(env.programs) < env.copies {
		p, err := env.newProgram()
		if err != nil {
			return err
		}
		env.programs[p] = true
	}
	return nil
}

// Stop ends the program in good order: it drains. [Env.Begin] starts a new one.
func (env *Env) Stop() {
	env.mu.Lock()
	env.begun = false
	for p := range env.programs {
		p.cancel()
	}
	clear(env.programs)
	env.mu.Unlock()
	env.served.Wait()
}

// Restart kills the program as it is, as a crash would, and starts a new one. What it held is taken over at once.
func (env *Env) Restart() {
	env.Helper()
	env.Begin()
	env.mu.Lock()
	programs := slices.Collect(maps.Keys(env.programs))
	env.mu.Unlock()
	for _, p := range programs {
		p.db.kill()
	}
	env.Settle()
}

// CrashAfter has a copy of the program die at its n-th commit from now that changes something, after it was applied and
// before the program was told. A new one takes its place at once. With more numbers there are more crashes, each counted
// from the one before; a negative one dies before the commit is applied.
func (env *Env) CrashAfter(n ...int) {
	env.mu.Lock()
	defer env.mu.Unlock()
	env.planned = nil
	for _, n := range n {
		env.planned = append(env.planned, point{n: max(n, -n), before: n < 0})
	}
	env.planCrash()
}

// planCrash takes the next crash from the plan; mu is held.
func (env *Env) planCrash() {
	env.crashAt = point{}
	if len(env.planned) > 0 {
		env.crashAt, env.planned = env.planned[0], env.planned[1:]
		env.crashAt.n += env.points
	}
}

// Crashed is how many copies of the program have died so far.
func (env *Env) Crashed() int {
	env.mu.Lock()
	defer env.mu.Unlock()
	return env.crashes
}

// Advance lets time pass, and returns when everything that came due has been done as far as it can.
func (env *Env) Advance(d time.Duration) {
	env.Helper()
	env.Begin()
	if env.memory == nil {
		env.Fatal("stenttest: Advance: the time of this database is not the test's")
	}
	<-time.After(d)
	env.Settle()
}

// Settle returns when nothing more can happen without time passing. In real time it returns at once.
func (env *Env) Settle() {
	if env.memory != nil {
		synctest.Wait()
	}
}

// Now is the time of the test, which in a bubble is the database's too.
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

// program is one life of a copy of the program under test: an engine with a worker.
type program struct {
	env    *Env
	db     *mortal
	cancel context.CancelFunc
}

// newProgram starts a program; mu is held.
func (env *Env) newProgram() (*program, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{env: env, cancel: cancel}
	p.db = &mortal{Backend: env.db, env: env, died: p.died, workers: map[string]bool{}}
	engine, err := core.New(p.db, env.options...)
	if err == nil {
		err = engine.Register(env.handlers...)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("stenttest: %w", err)
	}
	env.served.Go(func() {
		if err := engine.Serve(ctx, env.config); err != nil && !p.db.dead() {
			env.Errorf("stenttest: Serve: %v", err)
		}
	})
	return p, nil
}

// died is called when the program was killed: a new one takes its place.
func (p *program) died() {
	p.cancel()
	env := p.env
	env.mu.Lock()
	defer env.mu.Unlock()
	env.crashes++
	if !env.programs[p] {
		return
	}
	delete(env.programs, p)
	if err := env.fill(); err != nil {
		env.Error(err)
	}
}
