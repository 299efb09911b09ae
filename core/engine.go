package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/stentgo/stent/core/backend"
)

// Engine is a program's access to its executions: it starts them, waits for them, looks at them, and, while Serve
// runs, works on them. It is safe for concurrent use. It needs no closing; close the backend when Serve has returned.
type Engine struct {
	db       backend.Backend
	payloads payloads
	log      *slog.Logger
	clock    Clock

	historyWarn, historyMax int // entries
	retention               Retention

	metrics   recorderQueues
	sampler   sampler
	progress  atomic.Int64 // when a task last began or ended, in ns since 1970
	flights   flights
	committer *committer
	outage    *outage
	waits     waits
	watch     watch
	asking    asking

	middleware chain

	mu       sync.Mutex
	handlers map[string]Handler
	bad      error     // the first registration that failed; Serve refuses to start with it
	workers  []*worker // that serve; replaced, and never changed, by every one that comes or goes
}

// Option is an option of [New].
type Option func(*Engine) error

// WithLogger lets the engine log what happens to tasks and workers. Default: nothing is logged.
func WithLogger(log *slog.Logger) Option {
	return func(e *Engine) error {
		if log == nil {
			return errors.New("WithLogger: the logger is nil")
		}
		e.log = log
		return nil
	}
}

// WithCodec sets how inputs and results are stored. Default: JSON. All programs on one database must agree.
func WithCodec(c Codec) Option {
	return func(e *Engine) error {
		if c == nil {
			return errors.New("WithCodec: the codec is nil")
		}
		e.payloads.codec = c
		return nil
	}
}

// DefaultPayloadLimit is the most bytes that an encoded input or result may have: 1 MiB.
const DefaultPayloadLimit = 1 << 20

// WithPayloadLimit sets the most bytes that an encoded input or result may have. Default 1 MiB.
func WithPayloadLimit(bytes int) Option {
	return func(e *Engine) error {
		if bytes <= 0 {
			return fmt.Errorf("WithPayloadLimit: %d bytes: want 1 or more", bytes)
		}
		e.payloads.limit = bytes
		return nil
	}
}

// Entries that a history may have; see [WithHistoryLimit].
const (
	DefaultHistoryWarn = 1_000
	DefaultHistoryMax  = 10_000
)

// WithHistoryLimit sets how many entries the history of an execution may have: at warn the engine's log says so, once a
// run; an execution that would have more than most fails, with [CodeHistoryLimit], and is in the dead letters. A history
// is read as a whole when its execution comes into memory, so a workflow that goes on for long begins anew from time to
// time: see [Flow.ContinueAsNew]. Default 1,000 and 10,000; warn 0 for no warning; at most 1,000,000.
func WithHistoryLimit(warn, most int) Option {
	return func(e *Engine) error {
		e.historyWarn, e.historyMax = warn, most
		return checkHistoryLimit(warn, most)
	}
}

func checkHistoryLimit(warn, most int) error {
	if warn < 0 || most < 1 || most > 1_000_000 || warn > most {
		return fmt.Errorf("history limit: warn at %d entries, stop at %d: want 0 to 1,000,000, and the first not above the second", warn, most)
	}
	return nil
}

// WithClock sets where workers take their timers from. Default: the system's clock. For tests.
func WithClock(c Clock) Option {
	return func(e *Engine) error {
		if c == nil {
			return errors.New("WithClock: the clock is nil")
		}
		e.clock = c
		return nil
	}
}

// New makes an engine on a backend.
func New(db backend.Backend, opts ...Option) (*Engine, error) {
	if db == nil {
		return nil, errors.New("stent: New without a backend: open one, for example with sqlite.Open")
	}
	e := &Engine{
		db:          db,
		payloads:    payloads{codec: jsonCodec{}, limit: DefaultPayloadLimit},
		log:         slog.New(slog.DiscardHandler),
		clock:       systemClock{},
		watch:       watch{db: db},
		asking:      asking{db: db},
		historyWarn: DefaultHistoryWarn, historyMax: DefaultHistoryMax,
		handlers: map[string]Handler{},
	}
	for _, opt := range opts {
		if err := opt(e); err != nil {
			return nil, fmt.Errorf("stent: %w", err)
		}
	}
	for _, q := range e.metrics {
		q.log = e.log
		if a, ok := q.recorder.(interface{ Attach(MetricsSource) }); ok {
			a.Attach(e)
		}
	}
	e.middleware.log = e.log
	e.outage = &outage{log: e.log, clock: e.clock}
	e.committer = newCommitter(db, e.outage, e.clock, e.metrics)
	return e, nil
}

// Handler is a workflow or activity bound to its function; Handle makes it.
type Handler struct {
	kind     backend.Kind
	callee   *callee
	activity func(ctx context.Context, p payloads, input []byte) ([]byte, error)
	workflow func(flow *Flow, p payloads, input []byte) ([]byte, error)
	accepts  func(in any) error // whether it is an input of the workflow
}

// Name is the name of the workflow or activity; "" of a Handler that Handle did not make.
func (h Handler) Name() string {
	if h.callee == nil {
		return ""
	}
	return h.callee.name
}

// Register makes handlers known to the engine, before Serve. Workflows and activities share one space of names. A bad
// descriptor or a name that is registered already is an error; Serve returns it too, so that it cannot be overlooked.
func (e *Engine) Register(handlers ...Handler) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range handlers {
		if err := e.register(h); err != nil {
			err = fmt.Errorf("stent: register: %w", err)
			if e.bad == nil {
				e.bad = err
			}
			return err
		}
	}
	return nil
}

func (e *Engine) register(h Handler) error {
	if h.callee == nil {
		return errors.New("a Handler that Handle did not make")
	}
	if h.callee.settings.err != nil {
		return fmt.Errorf("%s %q: %w", h.kind, h.callee.name, h.callee.settings.err)
	}
	if before, ok := e.handlers[h.callee.name]; ok {
		return fmt.Errorf("the name %q is registered already, as %s; each workflow and activity needs a name of its own (registered: %s)",
			h.callee.name, before.kind, names(e.handlers))
	}
	if len(e.workers) > 0 {
		return fmt.Errorf("%s %q: the engine is serving; register everything before Serve", h.kind, h.callee.name)
	}
	e.handlers[h.callee.name] = h
	return nil
}

// knows refuses what a program that has handlers has forgotten to register. A program without any only starts work for
// others, and may start anything.
func (e *Engine) knows(c *callee) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.handlers[c.name]; ok || c.settings.elsewhere || len(e.handlers) == 0 {
		return nil
	}
	return &codedError{CodeNotRegistered, fmt.Errorf("%q is not registered with this engine (registered: %s): pass its Handle to "+
		"engine.Register, or, if another program implements it, say so with core.Elsewhere()", c.name, names(e.handlers))}
}

func (e *Engine) handler(name string) (Handler, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h, ok := e.handlers[name]
	return h, ok
}

// commit has a command written that stands on no lease, and waits.
func (e *Engine) commit(ctx context.Context, cmd backend.Command) error {
	done := make(chan error, 1)
	e.committer.submit("", cmd, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitAll is commit for many.
func (e *Engine) commitAll(ctx context.Context, commands []*backend.Start) error {
	done := make(chan error, len(commands))
	for _, cmd := range commands {
		e.committer.submit("", cmd, func(err error) { done <- err })
	}
	var failed error
	for range commands {
		select {
		case err := <-done:
			if failed == nil {
				failed = err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return failed
}

// taskDue tells the workers of this process that a queue has something new.
func (e *Engine) taskDue(queue string, priority int) {
	for _, w := range e.serving() {
		if w.serves(queue) {
			w.due(priority)
		}
	}
}

// woke tells the workers of this process that something happened to executions that they may hold.
func (e *Engine) woke() {
	for _, w := range e.serving() {
		w.claim()
	}
}

func (e *Engine) serving() []*worker {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.workers
}
