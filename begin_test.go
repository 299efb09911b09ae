package stent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

var (
	greet    = core.NewActivity[string, string]("greet")
	greeting = core.NewWorkflow[string, string]("greeting")
	goAhead  = core.NewSignal[string]("go_ahead")
	awaiting = core.NewWorkflow[string, string]("awaiting")
)

func greetHandlers() []core.Handler {
	return []core.Handler{
		greet.Handle(func(_ context.Context, name string) (string, error) { return "hello " + name, nil }),
		greeting.Handle(func(flow *core.Flow, name string) (string, error) { return greet.Call(flow, name) }),
		awaiting.Handle(func(flow *core.Flow, _ string) (string, error) { return goAhead.Receive(flow) }),
	}
}

// starts is a backend that counts what is written, and calls begun after the commit of a start that claimed, without a
// claim beside it, before anybody is told. An error of it is the commit's, whose answer so was lost.
type starts struct {
	backend.Backend
	begun  func() error
	held   func() error // called before Held
	writes atomic.Int64
	reads  atomic.Int64 // of histories and news
}

func (*starts) Committers() int { return 2 }

func (s *starts) Commit(ctx context.Context, b *backend.Batch) error {
	err := s.Backend.Commit(ctx, b)
	var writes, looks, begins bool
	for _, c := range b.Commands {
		switch c := c.(type) {
		case *backend.Claim:
			looks, writes = true, writes || len(c.Tasks) > 0
		case *backend.Start:
			begins, writes = begins || !c.Claimed.IsZero(), true
		default:
			writes = true
		}
	}
	if writes {
		s.writes.Add(1)
	}
	if err == nil && begins && !looks && s.begun != nil {
		err = s.begun()
	}
	return err
}

func (s *starts) Held(ctx context.Context, worker string) ([]backend.Task, error) {
	if s.held != nil {
		if err := s.held(); err != nil {
			return nil, err
		}
	}
	return s.Backend.Held(ctx, worker)
}

func (s *starts) History(ctx context.Context, ids []string) ([]backend.History, error) {
	defer s.reads.Add(1)
	return s.Backend.History(ctx, ids)
}

func (s *starts) News(ctx context.Context, of []backend.Known) ([]backend.History, error) {
	defer s.reads.Add(1)
	return s.Backend.News(ctx, of)
}

// slowStart is a backend on which the answer to the first start that claimed is held up.
type slowStart struct {
	*starts
	applied chan struct{}
	answer  func()
}

func (w *world) slowStart() *slowStart {
	answer := make(chan struct{})
	s := &slowStart{applied: make(chan struct{}), answer: sync.OnceFunc(func() { close(answer) })}
	var once sync.Once
	s.starts = &starts{Backend: w.open(), begun: func() error {
		once.Do(func() {
			close(s.applied)
			<-answer
		})
		return nil
	}}
	w.Cleanup(s.answer)
	return s
}

func (s *slowStart) Watch(ctx context.Context, worker string, queues []string, changed func(backend.News)) error {
	return s.Backend.(backend.Watcher).Watch(ctx, worker, queues, changed)
}

// begins starts executions until one was claimed with its start, and returns its id. Others may be started while the worker
// looks for work, and go through the queue.
func begins[I, O any](p *program, db *slowStart, wf *core.Workflow[I, O], in I) (id string, started <-chan *core.Run[O]) {
	for i := 0; ; i++ {
		id, run := fmt.Sprint("a-", i), make(chan *core.Run[O], 1)
		go func() { run <- start(p, wf, in, core.ID(id)) }()
		select {
		case <-db.applied:
			return id, run
		case <-run:
		}
	}
}

// startsUntil starts executions until one fails, and returns its id.
func startsUntil(p *program, failure error) (id string) {
	for i := 0; ; i++ {
		id := fmt.Sprint("a-", i)
		if _, err := greeting.Start(p.w.ctx(), p.Engine, "you", core.ID(id)); errors.Is(err, failure) {
			return id
		} else if err != nil {
			p.w.Fatal(err)
		}
	}
}

// ready waits until a worker serves and knows what there is: then it takes what its own program starts.
func (p *program) ready() *program {
	p.w.Helper()
	p.w.eventually("the worker is ready", func() bool { return p.WorkerStatus().Ready })
	return p
}

// TestOneAtATimeAWorkflowOfOneActivityIsThreeWrites gates on the commits: the start with the claim, the beginning of the
// activity, and its end with the workflow's.
func TestOneAtATimeAWorkflowOfOneActivityIsThreeWrites(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		db := &starts{Backend: w.open()}
		p := w.programOn(db, greetHandlers()...).serve(core.WorkerConfig{PollInterval: time.Hour}).ready()
		wait(p, start(p, greeting, "first"))
		w.sometime(func() error { // results of a workflow that goes on too late are written without it
			const n = 20
			before := db.writes.Load()
			for range n {
				if got := wait(p, start(p, greeting, "you")); got != "hello you" {
					t.Error(got)
				}
			}
			if got := db.writes.Load() - before; got > 3*n {
				return fmt.Errorf("%d commits for %d workflows, want 3 for each", got, n)
			}
			return nil
		})
	})
}

func TestAStartWhoseAnswerIsLostGoesOn(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		lost := errors.New("connection reset")
		var commits, looks atomic.Int32
		first := func(n *atomic.Int32) func() error {
			return func() error {
				if n.Add(1) == 1 {
					return lost
				}
				return nil
			}
		}
		db := &starts{Backend: w.open(), begun: first(&commits), held: first(&looks)}
		p := w.programOn(db, greetHandlers()...).serve(core.WorkerConfig{PollInterval: time.Hour}).ready()
		run := start(p, greeting, "you", core.ID(startsUntil(p, lost)))
		if !run.Existed {
			t.Error("it was not there already")
		}
		if got := wait(p, run); got != "hello you" {
			t.Error(got)
		}
		if n := looks.Load(); n < 3 {
			t.Errorf("looked %d times for what the worker holds", n)
		}
	})
}

func TestASignalBetweenAStartAndItsAnswerIsNotLost(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		db := w.slowStart()
		p := w.programOn(db, greetHandlers()...).serve(core.WorkerConfig{EvictAfter: time.Hour, PollInterval: time.Hour}).ready()
		id, started := begins(p, db, awaiting, "")
		before := db.reads.Load()
		if err := goAhead.Send(w.ctx(), w.program().Engine, id, "now"); err != nil {
			t.Fatal(err)
		}
		w.eventually("the worker has been told and has read of it", func() bool { return db.reads.Load() > before })
		db.answer()
		if got := wait(p, <-started); got != "now" {
			t.Error(got)
		}
	})
}

func TestAWorkerThatDrainsWhileItsStartIsWrittenLeavesItToOthers(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		db := w.slowStart()
		p := w.programOn(db, greetHandlers()...).serve(core.WorkerConfig{PollInterval: time.Hour}).ready()
		id, started := begins(p, db, greeting, "you")
		stopped := make(chan struct{})
		go func() { p.stop(); close(stopped) }()
		w.eventually("the worker drains", func() bool { return !p.WorkerStatus().Ready })
		db.answer()
		<-started
		<-stopped
		other := w.program(greetHandlers()...).serve(core.WorkerConfig{})
		if got := wait(other, greeting.Attach(other.Engine, id)); got != "hello you" {
			t.Error(got)
		}
	})
}

func TestWhatAProcessStartedAndDiedOfGoesOnElsewhere(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		dying := &severed{Backend: w.open()}
		db := &starts{Backend: dying, begun: func() error { dying.sever(); return errSevered }}
		p := w.programOn(db, greetHandlers()...).serve(core.WorkerConfig{Lease: crashLease, DrainTimeout: time.Millisecond}).ready()
		id := startsUntil(p, errSevered)
		other := w.program(greetHandlers()...)
		if s, err := other.StateOf(w.ctx(), id); err != nil || s.State != backend.Running {
			t.Errorf("after the crash it is %s, %v", s.State, err)
		}
		other.serve(core.WorkerConfig{Lease: crashLease})
		if got := wait(other, greeting.Attach(other.Engine, id)); got != "hello you" {
			t.Error(got)
		}
	})
}

// sequenceOf is a recorder that keeps in which order it is told.
type sequenceOf struct {
	core.NopRecorder
	events []string
}

func (s *sequenceOf) ExecutionStarted(context.Context, core.ExecutionStarted) {
	s.events = append(s.events, "started")
}

func (s *sequenceOf) TaskClaimed(_ context.Context, e core.TaskClaimed) {
	s.events = append(s.events, "claimed "+string(e.Kind))
}

func TestAStartIsToldBeforeItsClaim(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		told := &sequenceOf{}
		p := w.measured(w.open(), []core.MetricsRecorder{told}, greetHandlers()...).serve(core.WorkerConfig{}).ready()
		wait(p, start(p, greeting, "first"))
		wait(p, start(p, greeting, "you"))
		p.stop()
		if err := p.FlushMetrics(w.ctx()); err != nil {
			t.Fatal(err)
		}
		if want := []string{"started", "claimed orchestrator", "claimed activity"}; !slices.Equal(told.events[3:], want) {
			t.Errorf("told %v, want %v in the end", told.events, want)
		}
	})
}
