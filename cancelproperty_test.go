package stent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/stenttest"
)

// cancellation is a trial whose execution is asked to stop at a random moment of its life, besides all other disturbance.
type cancellation struct {
	trial
	After int `json:"after"` // units
}

// ended is what is left of an execution and of those that it called.
type ended struct {
	state   backend.State
	cancel  error    // of asking it to stop
	outcome string   // where it was too late for that
	wrong   []string // what must not be
}

// run gives what is left.
func (x cancellation) run(t *testing.T, d disturbance) (e ended, wrong string) {
	t.Helper()
	_, wrong = x.within(t, func(env *stenttest.Env) outcome {
		e = x.inside(env, d)
		return outcome{}
	})
	return e, wrong
}

func (x cancellation) inside(env *stenttest.Env, d disturbance) (e ended) {
	x.prepare(env, d)
	run := stenttest.Start(env, randomFlow, x.plan, core.ID(x.id))
	x.send(env, 0, len(x.signals)-d.Late)
	<-time.After(time.Duration(x.After) * x.plan.Unit)
	e.cancel = env.Engine.Cancel(env.Context(), x.id)
	if e.cancel != nil && !errors.Is(e.cancel, core.ErrFinished) {
		env.Fatal(e.cancel)
	}
	x.send(env, len(x.signals)-d.Late, len(x.signals))
	_, err := stenttest.Wait(env, run)
	var failed *core.ExecutionError
	if err != nil && !errors.As(err, &failed) {
		env.Fatal(err)
	}
	e.state = env.State(x.id).State
	if e.cancel != nil {
		e.outcome = outcomeOf(env, x.id).text(x.id)
	}
	slack := time.Duration(0)
	if x.db != nil {
		slack = 2 * time.Second // between the beginnings of two transactions, of which one waited for the other
	}
	e.look(env, x.id, x.id, slack)
	return e
}

// look finds what must not be: of an execution that has ended, and of all that it called.
func (e *ended) look(env *stenttest.Env, root, id string, slack time.Duration) {
	env.Helper()
	x := env.State(id)
	for deadline := time.Now().Add(patience); !x.State.Final() && time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		x = env.State(id) // a child is asked to stop, and needs its time
	}
	if !x.State.Final() {
		e.wrong = append(e.wrong, fmt.Sprintf("%s is %s, and its parent has ended", id, x.State))
		return
	}
	name := func(task fmt.Stringer) string { return strings.Replace(task.String(), root, "ID", 1) }
	for _, p := range x.Progress {
		if p.Kind == backend.Activity && p.State == backend.Running && p.At.After(x.Finished.Add(slack)) {
			e.wrong = append(e.wrong, fmt.Sprintf("%s (%s) began %v after the end of its execution", name(p.TaskID), p.Step, p.At.Sub(x.Finished)))
		}
	}
	history := env.History(id)
	var entries struct{ Tasks []exportedEntry }
	if err := json.Unmarshal(history, &entries); err != nil {
		env.Fatal(err)
	}
	for _, t := range entries.Tasks {
		if !backend.State(t.State).Final() {
			e.wrong = append(e.wrong, fmt.Sprintf("%s.%d (%s) is %s, and its execution has ended", strings.Replace(id, root, "ID", 1), t.Seq, t.Key, t.State))
		}
		if t.Kind != string(backend.Child) {
			continue
		}
		child := fmt.Sprint(id, "/", t.Seq)
		if _, err := env.Engine.StateOf(context.Background(), child); errors.Is(err, core.ErrNotFound) {
			continue // it was not called any more
		}
		e.look(env, root, child, slack)
	}
	stenttest.AssertReplays(env, history, randomFlow.Handle(randomWorkflow), randomChild.Handle(randomWorkflow))
}

// violates runs a plan undisturbed, and again with the cancellation, and tells which invariant does not hold.
func (x cancellation) violates(t *testing.T, d disturbance) (string, backend.State) {
	t.Helper()
	calm, wild := x, x
	calm.id, wild.id = x.id+"-calm", x.id+"-wild"
	want, wrong := calm.trial.run(t, disturbance{Copies: 1})
	if wrong != "" {
		return "undisturbed: " + wrong, ""
	}
	got, wrong := wild.run(t, d)
	switch {
	case wrong != "":
		return "cancelled: " + wrong, got.state
	case len(got.wrong) > 0:
		return strings.Join(got.wrong, "\n"), got.state
	case got.cancel == nil && got.state != backend.Cancelled:
		return fmt.Sprintf("it was asked to stop while it ran, and is %s", got.state), got.state
	case got.cancel != nil && got.outcome != want.text(calm.id):
		return fmt.Sprintf("it had ended before it was asked to stop.\nundisturbed:\n%s\ndisturbed:\n%s", want.text(calm.id), got.outcome), got.state
	}
	return "", got.state
}

// tryCancel tries one random workflow and one moment. Its seed is all that it depends on.
func tryCancel(t *testing.T, seed uint64, unit time.Duration, db backend.Backend) backend.State {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	x := cancellation{trial: trial{db: db, id: fmt.Sprint("cancelled-", seed)}}
	x.plan, x.signals = randomPlan(r, unit)
	d := randomDisturbance(r, unit, len(x.signals))
	x.After = r.IntN(1 + r.IntN(40))
	wrong, state := x.violates(t, d)
	if wrong != "" {
		disturbed, _ := json.Marshal(d)
		t.Errorf("a random workflow is not cancelled as it should be.\nRun it again: STENT_PROPERTY_SEED=%d STENT_PROPERTY_CASES=1 go test -run '%s' .\n"+
			"plan: %s\nsignals: %v\ndisturbance: %s\ncancelled after %d units\n%s", seed, strings.Split(t.Name(), "/")[0], x.plan, x.signals, disturbed, x.After, wrong)
	}
	return state
}

// TestRandomWorkflowsAreCancelledOrEndAsUndisturbed: a workflow that is asked to stop at any moment, among crashes,
// evictions and several programs, either had ended and is as if nothing had happened, or is cancelled. Then no activity of it
// is left or begins after its end, none that had completed runs again, its children have ended too, and its history replays.
func TestRandomWorkflowsAreCancelledOrEndAsUndisturbed(t *testing.T) {
	seed, cases := propertySeed(t), propertyCases(t, 200, "STENT_PROPERTY_CASES_CANCEL")
	shards := uint64(runtime.GOMAXPROCS(0))
	counted := make([]map[backend.State]int, shards)
	t.Run("all", func(t *testing.T) {
		for shard := range shards {
			counted[shard] = map[backend.State]int{}
			t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
				t.Parallel()
				for i := shard; i < cases && !t.Failed(); i += shards {
					counted[shard][tryCancel(t, seed+i, time.Second, nil)]++
				}
			})
		}
	})
	total := map[backend.State]int{}
	for _, c := range counted {
		for state, n := range c {
			total[state] += n
		}
	}
	t.Logf("how they ended: %v", total)
	if cases >= 100 && (total[backend.Cancelled] < int(cases/10) || total[backend.Completed] < int(cases/20)) {
		t.Errorf("the moments are badly chosen: %v of %d cases", total, cases)
	}
}

// The same on real databases, in real time and with fewer cases.
func TestRandomWorkflowsAreCancelledOnRealDatabases(t *testing.T) {
	seed, cases := propertySeed(t), propertyCases(t, 15, "STENT_PROPERTY_CASES_REAL")
	onEach(t, func(t *testing.T, w *world) {
		db := w.open()
		for i := uint64(0); i < cases && !t.Failed(); i++ {
			tryCancel(t, seed+i, time.Millisecond, db)
		}
	})
}
