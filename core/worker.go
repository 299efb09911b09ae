package core

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// WorkerConfig says what a worker does. Zero fields take their defaults.
type WorkerConfig struct {
	// Slots is the most activities that run at once. Default 100. A workflow that waits holds no slot.
	Slots int
	// Queues are the queues that the worker serves. Default: "default" and those that the registered workflows and
	// activities name.
	Queues []string
	// Tags are what the worker has: a task with tags goes only to workers that have one of them.
	Tags []string
	// Lease is how long the worker's tasks stay its own when it no longer renews, and so how long it takes at most
	// until a crashed worker's tasks go on elsewhere. It is renewed every third of that time. Default 30 s; at least
	// 100 ms.
	Lease time.Duration
	// DrainTimeout is how long activities may go on when Serve's context has ended, before theirs is cancelled too.
	// Default 30 s; negative for not at all.
	DrainTimeout time.Duration
	// EvictAfter is how long a workflow stays in memory while it waits. One that is known to wait longer leaves at once.
	// Default 1 min.
	EvictAfter time.Duration
	// MaxResident is how many workflows are in memory at once before one that waits leaves at once. Default 2000.
	MaxResident int
	// MaxCrashes is how many workers may die of a task before it goes to the dead letters as poison. Default 5.
	MaxCrashes int
	// PollInterval is how often the worker looks for work when nothing tells it of any. Default 1 s. Where the database
	// tells of news, and there have been none for five times, it looks half as often. Where other workers take what is
	// due, over and over, it lets them, and answers news up to a quarter of it later, at most 250 ms.
	PollInterval time.Duration
	// Name begins the worker's id, which a random part makes unique. Default: the host's name.
	Name string
}

func (c WorkerConfig) withDefaults() (WorkerConfig, error) {
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"Slots", int64(c.Slots)},
		{"Lease", int64(c.Lease)},
		{"EvictAfter", int64(c.EvictAfter)},
		{"MaxResident", int64(c.MaxResident)},
		{"MaxCrashes", int64(c.MaxCrashes)},
		{"PollInterval", int64(c.PollInterval)},
	} {
		if v.value < 0 {
			return c, fmt.Errorf("worker config: %s is %d: want 0 (for the default) or more", v.name, v.value)
		}
	}
	for _, q := range c.Queues {
		if err := checkName("queue", q); err != nil {
			return c, fmt.Errorf("worker config: %w", err)
		}
	}
	c.Slots = orDefault(c.Slots, 100)
	c.Lease = orDefault(c.Lease, 30*time.Second)
	c.DrainTimeout = orDefault(c.DrainTimeout, 30*time.Second)
	c.EvictAfter = orDefault(c.EvictAfter, time.Minute)
	c.MaxResident = orDefault(c.MaxResident, 2000)
	c.MaxCrashes = orDefault(c.MaxCrashes, 5)
	c.PollInterval = orDefault(c.PollInterval, time.Second)
	if c.Lease < 100*time.Millisecond {
		return c, fmt.Errorf("worker config: a lease of %v is too short to be renewed in time: want 100ms or more", c.Lease)
	}
	if c.Name == "" {
		c.Name, _ = os.Hostname()
		c.Name = orDefault(c.Name, "worker")
	}
	return c, nil
}

// Serve works on tasks until ctx ends, and then drains: it takes no more, lets activities finish until DrainTimeout,
// puts waiting workflows aside, gives back what is left, and returns nil. It returns an error at once when the
// configuration or a registration is bad, or when the database cannot be reached at the start; later faults of the
// database are logged and waited out. When the worker loses its lease, its tasks are cancelled and it begins anew
// under another id.
func (e *Engine) Serve(ctx context.Context, cfg WorkerConfig) error {
	cfg, err := e.serveConfig(cfg)
	if err != nil {
		return fmt.Errorf("stent: serve: %w", err)
	}
	stopSampling := e.sampler.use(e)
	defer e.flushMetrics()
	defer stopSampling()
	for first := true; ; first = false {
		w := e.newWorker(cfg)
		err := w.start(ctx, first)
		if err == nil {
			err = w.serve(ctx)
		}
		if ctx.Err() != nil {
			err = nil // it drained, or had no lease and so nothing to give back
		}
		if !errors.Is(err, ErrLeaseLost) {
			e.committer.flush()
			e.watch.wait()
			return err
		}
		e.log.Warn("worker lost its lease and begins anew", "stent_worker_id", w.id)
	}
}

func (e *Engine) serveConfig(cfg WorkerConfig) (WorkerConfig, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return cfg, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bad != nil {
		return cfg, e.bad
	}
	if len(e.handlers) == 0 {
		return cfg, errors.New("nothing is registered: pass the Handle of workflows and activities to engine.Register first")
	}
	if len(cfg.Queues) == 0 {
		cfg.Queues = []string{DefaultQueue}
		for _, h := range e.handlers {
			if q := h.callee.settings.queue; q != "" && !slices.Contains(cfg.Queues, q) {
				cfg.Queues = append(cfg.Queues, q)
			}
		}
		slices.Sort(cfg.Queues)
	}
	return cfg, nil
}

// worker is one session of Serve: an id, a lease, and what stands on it.
type worker struct {
	e      *Engine
	cfg    WorkerConfig
	id     string
	steps  []string
	limits map[string]int

	ctx        context.Context //nolint:containedctx // the lease's life: parent of its activities' contexts
	cancel     context.CancelCauseFunc
	goroutines sync.WaitGroup
	crew       crew
	lostLease  chan struct{}
	loseOnce   sync.Once

	mu         sync.Mutex
	state      backend.WorkerState
	used       int // slots
	runs       map[string]*run
	activities map[backend.TaskID]*activityTask
	claiming   int                  // claims that are under way
	asked      int                  // of which the transaction has not begun
	claims     int                  // that have begun
	again      bool                 // another is wanted after them
	wants      wants                // of the next one
	more       bool                 // there may be due tasks that did not fit
	backlog    bool                 // the last claim left some, or there has been none yet
	left       left                 // where they go on
	newer      bool                 // something came due since the last of the claims that are under way began
	rejected   map[string]rejection // of executions
	ranked     bool                 // tasks of different priorities have been seen
	paused     []string             // queues, as of the claim pausedBy
	pausedBy   int
	crowd      crowd // of workers that hear the same news
	dueTimer   ClockTimer
	dueAt      time.Time
	fewer      sync.Cond // runs or activities became fewer
	calm       calm
	rechecking bool      // recheckHeld is under way
	doubts     bool      // and is to look once more
	stuck      int       // activities whose attempts were written off and that have not returned
	sweepAt    time.Time // when something will have used up its time; zero if that is not known
	tickAt     time.Time // when a schedule will tick, or has to be looked for; zero if that is not known
	sweepSoon  chan struct{}
}

func (e *Engine) newWorker(cfg WorkerConfig) *worker {
	var random [4]byte
	_, _ = rand.Read(random[:])
	w := &worker{
		e: e, cfg: cfg, id: cfg.Name + "-" + hex.EncodeToString(random[:]),
		limits:     map[string]int{},
		lostLease:  make(chan struct{}),
		sweepSoon:  make(chan struct{}, 1),
		state:      backend.WorkerStarting,
		backlog:    true,
		runs:       map[string]*run{},
		rejected:   map[string]rejection{},
		activities: map[backend.TaskID]*activityTask{},
	}
	w.fewer.L = &w.mu
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, h := range e.handlers {
		w.steps = append(w.steps, name)
		if n := h.callee.settings.maxConcurrent; n > 0 {
			w.limits[name] = n
		}
	}
	slices.Sort(w.steps)
	return w
}

// start registers the worker. The first time an error is the caller's; later the database is waited for.
func (w *worker) start(ctx context.Context, first bool) error {
	host, _ := os.Hostname()
	record := backend.Worker{
		ID: w.id, Host: host, PID: os.Getpid(), Queues: w.cfg.Queues, Tags: w.cfg.Tags, Steps: w.steps,
		Limits: w.limits, Slots: w.cfg.Slots, State: backend.WorkerReady,
	}
	for pause := commitPause; ; pause = min(2*pause, commitPauses) {
		_, err := w.e.db.Register(ctx, record, w.cfg.Lease)
		w.e.measureError("register", err)
		if err == nil {
			break
		}
		if first || ctx.Err() != nil {
			return fmt.Errorf("stent: serve: register worker %s: %w", w.id, err)
		}
		w.e.outage.failed("register the worker", err, "stent_worker_id", w.id, "in", pause)
		w.pause(ctx, pause)
	}
	w.state = backend.WorkerReady
	w.e.committer.attach(w.id, w)
	w.e.mu.Lock()
	w.e.workers = append(slices.Clone(w.e.workers), w)
	w.e.mu.Unlock()
	w.e.log.Info("worker ready", "stent_worker_id", w.id, "queues", w.cfg.Queues, "slots", w.cfg.Slots)
	return nil
}

// serve works until the context ends and the worker has drained, or the lease is lost.
func (w *worker) serve(ctx context.Context) error {
	beat, stopBeat := context.WithCancel(context.Background())
	var background sync.WaitGroup
	background.Go(func() { w.keepLease(beat) })
	background.Go(func() { w.look(beat) })
	background.Go(func() { w.keepHouse(beat) })
	background.Go(func() { w.sweep(beat) })
	if watcher, ok := w.e.db.(backend.Watcher); ok {
		background.Go(func() { w.watch(beat, watcher) })
	}

	w.claim()
	var err error
	select {
	case <-ctx.Done():
		w.drain()
	case <-w.lostLease:
	}
	select {
	case <-w.lostLease:
		w.abandon()
		err = ErrLeaseLost
	default:
	}
	// The heartbeat goes on meanwhile, so that a lease which cannot be renewed any more ends what cannot be written.
	w.e.committer.flushWithin(commitTimeout)
	stopBeat()
	background.Wait()
	w.leave()
	return err
}

// drain takes nothing more and waits until everything here has ended or left, at most for DrainTimeout; then it
// cancels what still runs and gives it a moment to notice.
func (w *worker) drain() {
	w.mu.Lock()
	w.state = backend.WorkerDraining
	w.mu.Unlock()
	w.e.log.Info("worker drains", "stent_worker_id", w.id, "timeout", w.cfg.DrainTimeout)
	w.renewNow()

	for _, r := range w.resident() {
		r.deliver(event{evict: true})
	}
	if w.empty(w.cfg.DrainTimeout, w.lostLease) || isClosed(w.lostLease) {
		return
	}
	w.cancel(ErrShutdown)
	if !w.empty(drainGrace, w.lostLease) && !isClosed(w.lostLease) {
		w.e.log.Warn("activities ignore that their context has ended; they are given back and run again elsewhere",
			"stent_worker_id", w.id, "activities", len(w.running()))
	}
}

// drainGrace is how long activities have to return after their context was cancelled.
const drainGrace = 2 * time.Second

// empty waits until nothing is left here, or until stop is closed, and tells whether nothing is left.
func (w *worker) empty(timeout time.Duration, stop <-chan struct{}) bool {
	late := false
	defer w.e.clock.AfterFunc(max(timeout, 0), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.fewer.Broadcast()
	}).Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !late && !isClosed(stop) && len(w.runs)+len(w.activities) > 0 {
		w.fewer.Wait()
	}
	return len(w.runs)+len(w.activities) == 0
}

// abandon drops everything, since it belongs to others now.
func (w *worker) abandon() {
	w.cancel(ErrLeaseLost)
	w.dropRuns()
	w.empty(drainGrace, nil)
}

// dropRuns drops the runs whose turn is not under way; the turns of the others will be refused.
func (w *worker) dropRuns() {
	for _, r := range w.resident() {
		if r.seize() {
			r.lose()
		}
	}
}

// leave ends the session. What is still held is given back; activities that do not return are left behind.
func (w *worker) leave() {
	w.mu.Lock()
	w.state = backend.WorkerStopped
	w.mu.Unlock()
	w.e.mu.Lock()
	w.e.workers = slices.DeleteFunc(slices.Clone(w.e.workers), func(other *worker) bool { return other == w })
	w.e.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := w.e.db.Retire(ctx, w.id); err != nil && !errors.Is(err, ErrLeaseLost) && !errors.Is(err, ErrNotFound) {
		w.e.measureError("retire", err)
		w.e.log.Warn("cannot give back the worker's tasks; they go on when its lease is over", "stent_worker_id", w.id, "error", err)
	}
	w.lose() // nothing that is left behind writes any more
	w.cancel(ErrShutdown)
	w.e.committer.flush()
	w.e.committer.detach(w.id)
	w.dropRuns()
	w.mu.Lock()
	stuck := w.stuck
	w.mu.Unlock()
	ended := w.crew.dismiss()
	if w.empty(0, nil) && stuck == 0 {
		w.goroutines.Wait()
		ended()
	}
	w.e.log.Info("worker stopped", "stent_worker_id", w.id)
}

// pause waits for d, and tells whether it was not cut short.
func (w *worker) pause(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	defer w.e.clock.AfterFunc(d, func() { close(over) }).Stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *worker) holdsAny() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.runs) > 0
}

func (w *worker) serves(queue string) bool { return slices.Contains(w.cfg.Queues, queue) }

// knows refuses a call of an activity or workflow that no program seems to have: its queue is one that this worker serves, and the
// worker has no handler for it.
func (w *worker) knows(c *callee, queue string) error {
	if c.settings.elsewhere || !w.serves(queue) || slices.Contains(w.steps, c.name) {
		return nil
	}
	return unregistered(c, queue, joined(w.steps))
}

func (w *worker) random() float64 { return mathrand.Float64() }

func (w *worker) resident() []*run {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*run, 0, len(w.runs))
	for _, r := range w.runs {
		list = append(list, r)
	}
	return list
}

func (w *worker) running() []*activityTask {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*activityTask, 0, len(w.activities))
	for _, a := range w.activities {
		list = append(list, a)
	}
	return list
}

// unregistered says what is wrong with an activity or workflow that no handler here can do.
func unregistered(c *callee, queue, known string) error {
	return &codedError{CodeNotRegistered, fmt.Errorf("%q is not registered with the worker that serves its queue %q (registered: "+
		"%s): pass its Handle to engine.Register, or, if another program implements it, give it a queue of its own or say so with core.Elsewhere()",
		c.name, queue, known)}
}
