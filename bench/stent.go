package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// stents is this repository, at its defaults: what it can do shall not have to be configured.
func stents() []engine {
	return []engine{{name: "stent", settings: "defaults; logs on (JSON, level info)", kinds: []string{"postgres", "sqlite"}, backlog: 40_000, open: openStent}}
}

type stent struct {
	db     backend.Backend
	engine *core.Engine
	done   func()
	begun  func(int64)
	say    func(ctx context.Context) // by each activity; nil for nothing

	registered bool
	remote     bool // activities are another process's
}

var (
	noop        = core.NewActivity[int, int]("noop")
	noopRemote  = core.NewActivity[int, int]("noop_remote", core.Queue("remote"), core.Elsewhere())
	rootOnly    = core.NewWorkflow[int, int]("root_only")
	sequence    = core.NewWorkflow[int, int]("sequence")
	remotely    = core.NewWorkflow[int, int]("remotely")
	echo        = core.NewActivity[string, string]("echo")
	echoes      = core.NewWorkflow[string, string]("echoes")
	began       = core.NewActivity[int64, int]("began")
	beginning   = core.NewWorkflow[int64, int]("beginning")
	flowQueue   = []string{core.DefaultQueue}
	remoteQueue = []string{"remote"}
)

func openStent(ctx context.Context, t target) (session, error) {
	return openStentWith(ctx, t, core.WithLogger(slog.New(slog.NewJSONHandler(io.Discard, nil))))
}

func openStentWith(ctx context.Context, t target, opts ...core.Option) (*stent, error) {
	s := &stent{}
	var err error
	if t.kind == "postgres" {
		s.db, err = postgres.Open(ctx, t.address)
	} else {
		level := sqlite.Full
		if !t.full {
			level = sqlite.Normal
		}
		s.db, err = sqlite.Open(ctx, t.address, sqlite.Synchronous(level))
	}
	if err != nil {
		return nil, err
	}
	s.engine, err = core.New(s.db, opts...)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// loop calls an activity as often as n says.
func loop(call *core.Activity[int, int]) func(flow *core.Flow, n int) (int, error) {
	return func(flow *core.Flow, n int) (int, error) {
		for i := range n {
			if _, err := call.Call(flow, i); err != nil {
				return 0, err
			}
		}
		return n, nil
	}
}

func nothing(_ context.Context, n int) (int, error) { return n, nil }

func (s *stent) speak(ctx context.Context, n int) (int, error) {
	if s.say != nil {
		s.say(ctx)
	}
	return n, nil
}

func (s *stent) handlers() []core.Handler {
	return []core.Handler{
		noop.Handle(s.speak),
		sequence.Handle(loop(noop)),
		echo.Handle(func(_ context.Context, text string) (string, error) { return text, nil }),
		echoes.Handle(func(flow *core.Flow, text string) (string, error) {
			var err error
			for range 5 {
				if text, err = echo.Call(flow, text); err != nil {
					return "", err
				}
			}
			return text, nil
		}),
		remotely.Handle(loop(noopRemote)),
		rootOnly.Handle(func(_ *core.Flow, n int) (int, error) {
			if s.done != nil {
				s.done()
			}
			return n, nil
		}),
		began.Handle(func(_ context.Context, sent int64) (int, error) {
			s.begun(sent)
			return 0, nil
		}),
		beginning.Handle(func(flow *core.Flow, sent int64) (int, error) { return began.Call(flow, sent) }),
	}
}

func (s *stent) register(handlers ...core.Handler) error {
	if s.registered {
		return nil
	}
	s.registered = true
	return s.engine.Register(handlers...)
}

func (s *stent) serve(ctx context.Context, queues []string, handlers ...core.Handler) error {
	if err := s.register(handlers...); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Serve(ctx, core.WorkerConfig{Queues: queues}) }()
	for !s.engine.WorkerStatus().Ready {
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func (s *stent) Insert(ctx context.Context, n int) error {
	if err := s.register(s.handlers()...); err != nil {
		return err
	}
	_, err := rootOnly.StartMany(ctx, s.engine, make([]core.Input[int], n))
	return err
}

func (s *stent) Drain(ctx context.Context, done func()) error {
	s.done = done
	return s.serve(ctx, nil)
}

func (s *stent) Serve(ctx context.Context) error { return s.ServeQueues(ctx, flowQueue) }

func (s *stent) ServeQueues(ctx context.Context, queues []string) error {
	return s.serve(ctx, queues, s.handlers()...)
}

func (s *stent) ServeFlows(ctx context.Context) error {
	s.remote = true
	return s.Serve(ctx)
}

func (s *stent) ServeRemote(ctx context.Context) error {
	return s.serve(ctx, remoteQueue, noopRemote.Handle(nothing))
}

func (s *stent) Flow(ctx context.Context, activities int) error {
	wf := sequence
	if s.remote {
		wf = remotely
	}
	run, err := wf.Start(ctx, s.engine, activities)
	if err == nil {
		_, err = run.Wait(ctx)
	}
	return err
}

func (s *stent) ServeStarts(ctx context.Context, begun func(int64)) error {
	s.begun = begun
	return s.Serve(ctx)
}

// Prepare is for a process that only starts.
func (s *stent) Prepare() error { return s.register(s.handlers()...) }

func (s *stent) Start(ctx context.Context, sent int64) error {
	_, err := beginning.Start(ctx, s.engine, sent)
	return err
}

func (s *stent) Close() error { return s.db.Close() }
