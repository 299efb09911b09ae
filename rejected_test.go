package stent_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// A database that does not take some values, for a reason that nobody thought of, refuses the one execution that writes them:
// that one fails, with the database's words, and what shares its batches goes on. When the reason is gone a replay heals it.
func TestWhatTheDatabaseDoesNotTakeFailsAlone(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		echo := core.NewActivity[string, string]("echo")
		remote := core.NewActivity[string, string]("remote", core.Queue("elsewhere"), core.Elsewhere())
		here := core.NewWorkflow[string, string]("here")
		there := core.NewWorkflow[string, string]("there")
		repeat := func(_ context.Context, s string) (string, error) { return s + "!", nil }
		p := w.program(
			echo.Handle(repeat),
			here.Handle(func(flow *core.Flow, s string) (string, error) { return echo.Call(flow, s) }),
			there.Handle(func(flow *core.Flow, s string) (string, error) { return remote.Call(flow, s) }),
		).serve(core.WorkerConfig{Queues: []string{core.DefaultQueue}})
		w.program(remote.Handle(repeat)).serve(core.WorkerConfig{Queues: []string{"elsewhere"}})
		takeNoPoison(w)

		_, err := here.Start(w.ctx(), p.Engine, "poisoned input", core.ID("refused"))
		refusedFor(w, err)
		bad := []*core.Run[string]{start(p, here, "poison", core.ID("bad-here")), start(p, there, "poison", core.ID("bad-there"))}
		for i := range 20 {
			word := strings.Repeat("x", i)
			if got := wait(p, start(p, here, word)); got != word+"!" {
				t.Errorf("beside it: %q", got)
			}
		}
		for _, run := range bad {
			_, err := run.Wait(w.ctx())
			var failed *core.ExecutionError
			if !errors.As(err, &failed) || failed.State != backend.Failed {
				t.Fatalf("%s: %v", run.ID(), err)
			}
			if !strings.Contains(err.Error(), "does not take these values") || !strings.Contains(err.Error(), "poison") {
				t.Errorf("%s failed of %v", run.ID(), err)
			}
		}
		letters, err := p.DeadLetters(w.ctx(), core.DeadLetterFilter{})
		if err != nil || len(letters) != 2 {
			t.Fatalf("dead letters: %v, %v", letters, err)
		}
		takePoison(w)
		for _, l := range letters {
			if l.Failure.Code != core.CodeRejected {
				t.Errorf("%s has the code %q", l.Task, l.Failure.Code)
			}
			if err := p.Replay(w.ctx(), l.Task); err != nil {
				t.Error(err)
			}
		}
		for _, run := range bad {
			if s := p.inState(run.ID(), backend.Completed); string(s.Result) != `"poison!"` {
				t.Errorf("%s has the result %s", run.ID(), s.Result)
			}
		}
	})
}

func refusedFor(w *world, err error) {
	w.Helper()
	if !errors.Is(err, backend.ErrRejected) || !strings.HasPrefix(err.Error(), "start here as refused: ") {
		w.Errorf("a start of what the database does not take: %v", err)
	}
}

// takeNoPoison gives the database rules of which Stent knows nothing.
func takeNoPoison(w *world) {
	if w.backend == "postgres" {
		execute(w.T, w.address,
			"ALTER TABLE stent.tasks ADD CONSTRAINT no_poison CHECK (result IS NULL OR position('poison!'::bytea IN result) = 0)",                   // 23514
			"ALTER TABLE stent.executions ADD CONSTRAINT no_poison CHECK (position('poisoned'::bytea IN input) = 0 OR 1 / (length(input) * 0) = 1)", // 22012
		)
		return
	}
	inFile(w, "CREATE TRIGGER no_poison BEFORE UPDATE ON tasks WHEN instr(NEW.result, 'poison!') BEGIN SELECT RAISE(ABORT, 'no_poison'); END",
		"CREATE TRIGGER no_poisoned BEFORE INSERT ON inputs WHEN instr(NEW.input, 'poisoned') BEGIN SELECT RAISE(ABORT, 'no_poison'); END")
}

func takePoison(w *world) {
	if w.backend == "postgres" {
		execute(w.T, w.address, "ALTER TABLE stent.tasks DROP CONSTRAINT no_poison")
		return
	}
	inFile(w, "DROP TRIGGER no_poison")
}

func inFile(w *world, statements ...string) {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+w.address+"?_pragma=busy_timeout(10000)")
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(w.ctx(), s); err != nil {
			w.Fatalf("%s: %v", s, err)
		}
	}
}
