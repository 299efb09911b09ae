package stent_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// ledger is a recorder that counts events under readable names.
type ledger struct {
	core.NopRecorder

	mu sync.Mutex
	n  map[string]int
}

func (l *ledger) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == nil {
		l.n = map[string]int{}
	}
	l.n[fmt.Sprintf(format, args...)]++
}

func (l *ledger) TaskClaimed(_ context.Context, e core.TaskClaimed) {
	l.add("claimed %s %s %s", e.Kind, e.Queue, e.Step)
}

func (l *ledger) TaskCompleted(_ context.Context, e core.TaskCompleted) {
	l.add("completed %s %s %s", e.Kind, e.Queue, e.Step)
}

func (l *ledger) TaskFailed(_ context.Context, e core.TaskFailed) {
	l.add("failed %s %s %s retrying %t", e.Kind, e.Queue, e.Step, e.Retrying)
}

func (l *ledger) DeadLettered(_ context.Context, e core.DeadLettered) {
	l.add("dead %s %s %s poisoned %t", e.Kind, e.Queue, e.Step, e.Poisoned)
}

func (l *ledger) LeaseTakenOver(_ context.Context, e core.LeaseTakenOver) {
	l.add("taken over %s %s %s", e.Kind, e.Queue, e.Step)
}

func (l *ledger) WriteFenced(context.Context, core.WriteFenced) { l.add("fenced") }

func (l *ledger) ExecutionStarted(_ context.Context, e core.ExecutionStarted) {
	l.add("started %s", e.Workflow)
}

func (l *ledger) ExecutionFinished(_ context.Context, e core.ExecutionFinished) {
	l.add("finished %s %s", e.Workflow, e.State)
	if e.Duration <= 0 || e.Duration > time.Minute {
		l.add("a duration of %v", e.Duration)
	}
}

func (l *ledger) DeadLetterReplayed(_ context.Context, e core.DeadLetterReplayed) {
	l.add("replayed %s", e.Queue)
}

func (l *ledger) DeadLetterDiscarded(_ context.Context, e core.DeadLetterDiscarded) {
	l.add("discarded %s", e.Queue)
}

// wants flushes the programs and compares.
func (l *ledger) wants(w *world, want map[string]int, programs ...*program) {
	w.Helper()
	for _, p := range programs {
		if err := p.FlushMetrics(w.ctx()); err != nil {
			w.Fatal(err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !maps.Equal(l.n, want) {
		for name, n := range l.n {
			if want[name] != n {
				w.Errorf("told %d times %q, want %d", n, name, want[name])
			}
		}
		for name, n := range want {
			if l.n[name] == 0 && n != 0 {
				w.Errorf("never told %q, want %d", name, n)
			}
		}
	}
}

// measured is a program with recorders.
func (w *world) measured(db backend.Backend, recorders []core.MetricsRecorder, handlers ...core.Handler) *program {
	w.Helper()
	e, err := core.New(db, append(logOption(), core.WithMetrics(recorders...))...)
	if err != nil {
		w.Fatal(err)
	}
	if err := e.Register(handlers...); err != nil {
		w.Fatal(err)
	}
	return &program{Engine: e, w: w, db: db, stop: func() {}}
}

var (
	flaky    = core.NewActivity[string, string]("flaky", core.Queue("mail"), core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: time.Millisecond}))
	deliver  = core.NewWorkflow[string, string]("deliver")
	stubborn = core.NewWorkflow[string, string]("stubborn", core.Retry(core.RetryPolicy{MaxAttempts: 2, InitialDelay: time.Millisecond}))
)

// Every attempt, retry, dead letter and end is told, once, and nothing else.
func TestMetricsTellWhatHappened(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		var healed atomic.Bool
		l := &ledger{}
		p := w.measured(w.open(), []core.MetricsRecorder{l},
			flaky.Handle(func(ctx context.Context, in string) (string, error) {
				info, _ := core.InfoFrom(ctx)
				if in == "dead" && !healed.Load() || in == "second" && info.Attempt == 1 {
					return "", errors.New("the server says no")
				}
				return in, nil
			}),
			deliver.Handle(func(flow *core.Flow, in string) (string, error) { return flaky.Call(flow, in) }),
			stubborn.Handle(func(*core.Flow, string) (string, error) { return "", errors.New("never") }),
		).serve(core.WorkerConfig{})

		wait(p, start(p, deliver, "first"))
		wait(p, start(p, deliver, "second"))
		dead, failed := start(p, deliver, "dead"), start(p, stubborn, "x")
		p.inState(dead.ID(), backend.Failed)
		p.inState(failed.ID(), backend.Failed)
		if again := start(p, stubborn, "x", core.ID(failed.ID())); !again.Existed {
			w.Error("started the same execution twice")
		}
		if err := p.Replay(w.ctx(), backend.TaskID{Execution: dead.ID(), Seq: 1}); err != nil {
			w.Fatal(err)
		}
		p.inState(dead.ID(), backend.Failed)
		w.eventually("the replayed task is dead again", func() bool {
			letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{Execution: dead.ID()})
			return err == nil && len(letters) == 1
		})
		healed.Store(true)
		if err := p.Replay(w.ctx(), backend.TaskID{Execution: dead.ID(), Seq: 1}); err != nil {
			w.Fatal(err)
		}
		p.inState(dead.ID(), backend.Completed)
		if err := p.Discard(w.ctx(), backend.TaskID{Execution: failed.ID()}); err != nil {
			w.Fatal(err)
		}
		p.stop()

		claims := w.claims(p.db)
		l.wants(w, map[string]int{
			"started deliver": 3, "started stubborn": 1,
			"claimed activity mail flaky":           claims["activity mail flaky"],
			"claimed orchestrator default deliver":  claims["orchestrator default deliver"],
			"claimed orchestrator default stubborn": claims["orchestrator default stubborn"],

			"completed activity mail flaky":                       3,
			"failed activity mail flaky retrying true":            1 + 2 + 2,
			"failed activity mail flaky retrying false":           2,
			"dead activity mail flaky poisoned false":             2,
			"completed orchestrator default deliver":              3,
			"failed orchestrator default deliver retrying false":  2,
			"failed orchestrator default stubborn retrying true":  1,
			"failed orchestrator default stubborn retrying false": 1,
			"dead orchestrator default stubborn poisoned false":   1,
			"finished deliver completed":                          3, "finished deliver failed": 2, "finished stubborn failed": 1,
			"replayed mail": 2, "discarded default": 1,
		}, p)
	})
}

// claims is how often each task was claimed: its fencing token.
func (w *world) claims(db backend.Backend) map[string]int {
	w.Helper()
	tasks, err := db.Tasks(w.ctx(), backend.TaskFilter{})
	if err != nil {
		w.Fatal(err)
	}
	n := map[string]int{}
	for _, t := range tasks {
		n[fmt.Sprintf("%s %s %s", t.Kind, t.Queue, t.Step)] += int(t.Token)
	}
	return n
}

// The takeover of a dead worker's tasks is told by who did it, and what the dead one writes later is fenced.
func TestMetricsTellOfTakeovers(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		began, goOn := make(chan struct{}, 1), make(chan struct{})
		a := &severed{Backend: w.open()}
		handlers := func(hang bool) []core.Handler {
			return []core.Handler{
				flaky.Handle(func(_ context.Context, in string) (string, error) {
					if hang {
						began <- struct{}{}
						<-goOn
					}
					return in, nil
				}),
				deliver.Handle(func(flow *core.Flow, in string) (string, error) { return flaky.Call(flow, in) }),
			}
		}
		dying, living := &ledger{}, &ledger{}
		first := w.measured(a, []core.MetricsRecorder{dying}, handlers(true)...).serve(core.WorkerConfig{Lease: 3 * time.Second, DrainTimeout: -1})
		run := start(first, deliver, "x")
		<-began
		a.mu.Lock()
		a.cut = true
		a.mu.Unlock()
		second := w.measured(w.open(), []core.MetricsRecorder{living}, handlers(false)...).serve(core.WorkerConfig{Lease: 3 * time.Second})
		second.inState(run.ID(), backend.Completed)
		close(goOn)
		first.stop()
		second.stop()
		dying.wants(w, map[string]int{
			"started deliver": 1, "claimed activity mail flaky": 1, "claimed orchestrator default deliver": 1,
		}, first)
		living.wants(w, map[string]int{
			"taken over activity mail flaky": 1, "taken over orchestrator default deliver": 1,
			"claimed activity mail flaky": 1, "claimed orchestrator default deliver": w.claims(second.db)["orchestrator default deliver"] - 1,
			"completed activity mail flaky": 1, "completed orchestrator default deliver": 1, "finished deliver completed": 1,
		}, second)
	})
}

// bad is a recorder that panics with everything, or blocks for ever.
type bad struct {
	core.NopRecorder
	block chan struct{}
}

func (b bad) TaskClaimed(context.Context, core.TaskClaimed) {
	if b.block != nil {
		<-b.block
	}
	panic("recorder")
}

func (b bad) BatchCommitted(ctx context.Context, _ core.BatchCommitted) {
	b.TaskClaimed(ctx, core.TaskClaimed{})
}

// A recorder that blocks or panics harms no task and no other recorder.
func TestBadRecorderHarmsNothing(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		l, blocked := &ledger{}, make(chan struct{})
		p := w.measured(w.open(), []core.MetricsRecorder{bad{}, l, bad{block: blocked}},
			flaky.Handle(func(_ context.Context, in string) (string, error) { return in, nil }),
			deliver.Handle(func(flow *core.Flow, in string) (string, error) { return flaky.Call(flow, in) }),
		).serve(core.WorkerConfig{})
		for i := range 50 {
			wait(p, start(p, deliver, fmt.Sprint(i)))
		}
		short, cancel := context.WithTimeout(w.ctx(), time.Millisecond)
		defer cancel()
		if err := p.FlushMetrics(short); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("FlushMetrics with a recorder that blocks: %v", err)
		}
		w.eventually("the good recorder was told", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.n["finished deliver completed"] == 50
		})
		close(blocked)
	})
}

// lateAnswer is a backend on which the answer to a retry comes when the next attempt has begun, as it may where two
// transactions are under way at once.
type lateAnswer struct {
	backend.Backend
	began, answered chan struct{}
}

func (*lateAnswer) Committers() int { return 2 }

func (l *lateAnswer) Commit(ctx context.Context, b *backend.Batch) error {
	retries := slices.ContainsFunc(b.Commands, func(cmd backend.Command) bool { _, ok := cmd.(*backend.Retry); return ok })
	if retries && len(b.Commands) > 1 {
		return errors.New("one at a time") // a claim in this batch would wait for its own answer
	}
	err := l.Backend.Commit(ctx, b)
	if retries {
		<-l.began
		close(l.answered)
	}
	return err
}

// A failed attempt is told also where the next has begun before its end is known to be written.
func TestAFailedAttemptIsToldThoughTheNextHasBegun(t *testing.T) {
	onEach(t, func(_ *testing.T, w *world) {
		late := &lateAnswer{w.open(), make(chan struct{}), make(chan struct{})}
		l := &ledger{}
		p := w.measured(late, []core.MetricsRecorder{l},
			flaky.Handle(func(ctx context.Context, in string) (string, error) {
				if info, _ := core.InfoFrom(ctx); info.Attempt == 1 {
					return "", errors.New("the server says no")
				}
				close(late.began)
				<-late.answered
				return in, nil
			}),
			deliver.Handle(func(flow *core.Flow, in string) (string, error) { return flaky.Call(flow, in) }),
		).serve(core.WorkerConfig{PollInterval: 5 * time.Millisecond})
		wait(p, start(p, deliver, "x"))
		p.stop()
		if err := p.FlushMetrics(w.ctx()); err != nil {
			w.Fatal(err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if n := l.n["failed activity mail flaky retrying true"]; n != 1 {
			w.Errorf("told %d failed attempts, want 1: %v", n, l.n)
		}
	})
}
