package stenttest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// errDead is what a program gets for everything that it tries after its death.
var errDead = errors.New("stenttest: this program was killed")

// point is a moment at which a program dies: at the n-th commit that changes something, counted over all programs of an
// environment; 0 for never.
type point struct {
	n      int
	before bool // it is not applied; otherwise it is, and the program is not told
}

// mortal is a program's way to the database, which is cut when the program dies: nothing that it tries afterwards
// arrives, and what it held is soon given to others.
type mortal struct {
	backend.Backend
	env  *Env
	died func()

	mu      sync.Mutex
	killed  bool
	workers map[string]bool // that have a lease
}

func (m *mortal) dead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.killed
}

// kill cuts the way. The first to do so has the leases run out.
func (m *mortal) kill() {
	m.mu.Lock()
	first := !m.killed
	m.killed = true
	workers := m.workers
	m.workers = nil
	m.mu.Unlock()
	if !first {
		return
	}
	for id := range workers {
		// A worker that has drained has no lease any more.
		_, _ = m.Backend.Renew(context.Background(), id, backend.WorkerReady, 0, time.Millisecond)
	}
	m.died()
}

// Commit applies a batch, unless the program is dead or dies of it.
func (m *mortal) Commit(ctx context.Context, b *backend.Batch) error {
	if m.dead() {
		return errDead
	}
	if m.env.diesBefore(b) {
		m.kill()
		return errDead
	}
	if err := m.Backend.Commit(ctx, b); err != nil {
		return err
	}
	if m.env.diesAfter(b) {
		m.kill()
	}
	if m.dead() {
		return errDead
	}
	return nil
}

// diesBefore tells whether the program is to die before a batch is applied. One that only claims does not count: whether
// it was sent makes no difference to anybody.
func (env *Env) diesBefore(b *backend.Batch) bool {
	env.mu.Lock()
	defer env.mu.Unlock()
	if p := env.crashAt; !p.before || p.n != env.points+1 {
		return false
	}
	for _, c := range b.Commands {
		if _, claim := c.(*backend.Claim); !claim {
			env.planCrash()
			return true
		}
	}
	return false
}

// diesAfter counts a batch that was applied, and tells whether the program is to die of it.
func (env *Env) diesAfter(b *backend.Batch) bool {
	env.mu.Lock()
	defer env.mu.Unlock()
	changed := false
	for _, c := range b.Commands {
		changed = env.note(c) || changed
	}
	if !changed {
		return false
	}
	env.points++
	if p := env.crashAt; p.before || p.n != env.points {
		return false
	}
	env.planCrash()
	return true
}

// note tells whether a command has changed something, and keeps which activities have completed.
func (env *Env) note(c backend.Command) bool {
	switch c := c.(type) {
	case *backend.Claim:
		return len(c.Tasks) > 0
	case *backend.Complete:
		env.completed(c, c.Err)
	case *backend.Turn:
		for _, done := range c.Completed {
			env.completed(done, c.Err)
		}
	}
	return true
}

func (env *Env) completed(c *backend.Complete, err error) {
	if err == nil {
		env.finished[c.Task] = true
	}
}

func (m *mortal) History(ctx context.Context, ids []string) ([]backend.History, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Backend.History(ctx, ids)
}

func (m *mortal) Held(ctx context.Context, worker string) ([]backend.Task, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Backend.Held(ctx, worker)
}

func (m *mortal) Register(ctx context.Context, w backend.Worker, lease time.Duration) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.killed {
		return time.Time{}, errDead
	}
	m.workers[w.ID] = true
	return m.Backend.Register(ctx, w, lease)
}

// Renew tells a dead program that its lease is lost, so that it ends soon.
func (m *mortal) Renew(ctx context.Context, id string, state backend.WorkerState, used int, lease time.Duration) (backend.Renewal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.killed {
		return backend.Renewal{}, backend.ErrLeaseLost
	}
	return m.Backend.Renew(ctx, id, state, used, lease)
}

func (m *mortal) Reap(ctx context.Context, maxCrashes int) (backend.Reaped, error) {
	if m.dead() {
		return backend.Reaped{}, errDead
	}
	return m.Backend.Reap(ctx, maxCrashes)
}

func (m *mortal) Retire(ctx context.Context, worker string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.killed {
		return errDead
	}
	delete(m.workers, worker)
	return m.Backend.Retire(ctx, worker)
}

// Watch is the backend's, where it can.
func (m *mortal) Watch(ctx context.Context, worker string, queues []string, changed func()) error {
	if w, ok := m.Backend.(backend.Watcher); ok {
		return w.Watch(ctx, worker, queues, changed)
	}
	<-ctx.Done()
	return nil
}

// TellsAll is the backend's.
func (m *mortal) TellsAll() bool {
	t, ok := m.Backend.(interface{ TellsAll() bool })
	return ok && t.TellsAll()
}

// Committers is the backend's.
func (m *mortal) Committers() int {
	if p, ok := m.Backend.(interface{ Committers() int }); ok {
		return p.Committers()
	}
	return 1
}
