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
	if m.env.diesBefore(writes(b)) {
		m.kill()
		return errDead
	}
	if err := m.Backend.Commit(ctx, b); err != nil {
		return err
	}
	if m.env.diesAfter(m.env.noteAll(b)) {
		m.kill()
	}
	if m.dead() {
		return errDead
	}
	return nil
}

// Tick is a commit of its own.
func (m *mortal) Tick(ctx context.Context, t *backend.Tick) (bool, error) {
	if m.dead() {
		return false, errDead
	}
	if m.env.diesBefore(true) {
		m.kill()
		return false, errDead
	}
	ticked, err := m.Backend.Tick(ctx, t)
	if err != nil {
		return false, err
	}
	if m.env.diesAfter(ticked) {
		m.kill()
	}
	if m.dead() {
		return false, errDead
	}
	return ticked, nil
}

func (m *mortal) Schedules(ctx context.Context, f backend.ScheduleFilter) (backend.ScheduleList, error) {
	if m.dead() {
		return backend.ScheduleList{}, errDead
	}
	return m.Backend.Schedules(ctx, f)
}

// writes tells whether a batch is to do more than to claim. Whether one that only claims was sent makes no difference to
// anybody.
func writes(b *backend.Batch) bool {
	for _, c := range b.Commands {
		if _, claim := c.(*backend.Claim); !claim {
			return true
		}
	}
	return false
}

// diesBefore tells whether the program is to die before a commit is applied, which counts if it writes.
func (env *Env) diesBefore(writes bool) bool {
	env.mu.Lock()
	defer env.mu.Unlock()
	if p := env.crashAt; !writes || !p.before || p.n != env.points+1 {
		return false
	}
	env.planCrash()
	return true
}

// noteAll keeps what a batch that was applied has done, and tells whether it changed something.
func (env *Env) noteAll(b *backend.Batch) (changed bool) {
	env.mu.Lock()
	defer env.mu.Unlock()
	for _, c := range b.Commands {
		changed = env.note(c) || changed
	}
	return changed
}

// diesAfter counts a commit that was applied, if it changed something, and tells whether the program is to die of it.
func (env *Env) diesAfter(changed bool) bool {
	env.mu.Lock()
	defer env.mu.Unlock()
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

func (m *mortal) News(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Backend.News(ctx, of)
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
func (m *mortal) Watch(ctx context.Context, worker string, queues []string, changed func(backend.News)) error {
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
