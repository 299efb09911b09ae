package stent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/stenttest"
)

// disturbance is what happens to a run.
type disturbance struct {
	Copies  int               `json:"copies"`
	Crashes []int             `json:"crashes,omitempty"` // see Env.CrashAfter
	Late    int               `json:"late"`              // signals that are sent later
	Worker  core.WorkerConfig `json:"worker"`
}

func randomDisturbance(r *rand.Rand, unit time.Duration, signals int) disturbance {
	d := disturbance{Copies: 1 + r.IntN(3), Worker: core.WorkerConfig{Slots: 1 + r.IntN(4)}}
	if r.IntN(2) == 0 {
		d.Worker.EvictAfter = time.Duration(1 + r.IntN(int(10*unit)))
	}
	if r.IntN(2) == 0 {
		d.Worker.MaxResident = 1
	}
	for range r.IntN(5) { // fewer than make poison of a task
		n := 1 + r.IntN(8)
		if r.IntN(2) == 0 {
			n = -n
		}
		d.Crashes = append(d.Crashes, n)
	}
	if signals > 0 {
		d.Late = r.IntN(signals + 1)
	}
	return d
}

// outcome is all of an execution that must not depend on what happened to it.
type outcome struct {
	State    backend.State
	Result   json.RawMessage
	Failure  string
	Cause    string
	Entries  []string
	Counters []backend.Counter
	Custom   []backend.CustomItem
	Letters  []string
	Children []outcome `json:",omitempty"`
}

// trial runs a plan once.
type trial struct {
	plan    plan
	signals []string
	db      backend.Backend // nil for memory
	id      string
}

// recorder is a test whose failure is looked at.
type recorder struct {
	testing.TB
	said atomic.Pointer[string]
}

func (r *recorder) Errorf(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	r.said.CompareAndSwap(nil, &said)
}
func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// run gives the outcome, or what went wrong.
func (x trial) run(t *testing.T, d disturbance) (o outcome, wrong string) {
	t.Helper()
	return x.within(t, func(env *stenttest.Env) outcome { return x.inside(env, d) })
}

// within runs something in an environment of its own.
func (x trial) within(t *testing.T, inside func(env *stenttest.Env) outcome) (o outcome, wrong string) {
	t.Helper()
	once := func(t *testing.T) {
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			var env *stenttest.Env
			if x.db == nil {
				env = stenttest.New(r)
			} else {
				env = stenttest.NewOn(r, x.db)
			}
			o = inside(env)
			env.Stop()
		}()
		<-done
		if said := r.said.Load(); said != nil {
			wrong = *said
		}
	}
	if x.db == nil {
		synctest.Test(t, once)
	} else {
		t.Run(x.id, once)
	}
	return o, wrong
}

func (x trial) inside(env *stenttest.Env, d disturbance) outcome {
	x.prepare(env, d)
	run := stenttest.Start(env, randomFlow, x.plan, core.ID(x.id))
	x.send(env, 0, len(x.signals)-d.Late)
	if d.Late > 0 {
		<-time.After(3 * x.plan.Unit)
	}
	x.send(env, len(x.signals)-d.Late, len(x.signals))
	_, err := stenttest.Wait(env, run)
	var failed *core.ExecutionError
	if err != nil && !errors.As(err, &failed) {
		env.Fatal(err)
	}
	return outcomeOf(env, x.id)
}

func (x trial) prepare(env *stenttest.Env, d disturbance) {
	env.Configure(d.Copies, d.Worker, logOption()...)
	env.Handle(randomFlow.Handle(randomWorkflow), randomChild.Handle(randomWorkflow))
	for _, act := range randomActs {
		stenttest.Stub(env, act, doJob)
	}
	env.CrashAfter(d.Crashes...)
}

// send sends some of the signals. A plan that was made shorter, or an execution that was cancelled, may end before.
func (x trial) send(env *stenttest.Env, from, to int) {
	env.Helper()
	for i := from; i < to; i++ {
		if err := randomSignals[x.signals[i]].Send(env.Context(), env.Engine, x.id, i); err != nil && !errors.Is(err, core.ErrFinished) {
			env.Fatal(err)
		}
	}
}

func outcomeOf(env *stenttest.Env, id string) outcome {
	env.Helper()
	s := env.State(id)
	o := outcome{State: s.State, Result: s.Result, Counters: s.Counters, Custom: s.Custom}
	if s.Failure != nil {
		o.Failure = s.Failure.Message
	}
	if s.Cause != nil {
		o.Cause = fmt.Sprint(s.Cause.Seq)
	}
	history, err := env.Engine.ExportHistory(context.Background(), id)
	if err != nil {
		env.Fatal(err)
	}
	var x struct{ Tasks []exportedEntry }
	if err := json.Unmarshal(history, &x); err != nil {
		env.Fatal(err)
	}
	for _, t := range x.Tasks {
		if t.Step == "new_id" {
			t.Result = nil
		}
		if t.Kind == string(backend.Child) {
			o.Children = append(o.Children, outcomeOf(env, fmt.Sprint(id, "/", t.Seq)))
		}
		o.Entries = append(o.Entries, fmt.Sprintf("%d %s %s %s %s attempt %d %s %s %v", t.Seq, t.Key, t.Kind, t.Step, t.State, t.Attempt, t.Input, t.Result, t.Failure))
	}
	letters, err := env.Engine.DeadLetters(context.Background(), core.DeadLetterFilter{Execution: id})
	if err != nil {
		env.Fatal(err)
	}
	byTask := map[int]string{}
	for _, l := range letters {
		if strings.HasSuffix(l.Reason, "…") {
			l.Reason = "long" // it may be cut off within an id
		}
		byTask[l.Task.Seq] = fmt.Sprintf("%d %s %d attempts: %s", l.Task.Seq, l.Step, l.Attempts, l.Reason)
	}
	for _, seq := range slices.Sorted(maps.Keys(byTask)) {
		o.Letters = append(o.Letters, byTask[seq])
	}
	stenttest.AssertReplays(env, history, randomFlow.Handle(randomWorkflow), randomChild.Handle(randomWorkflow))
	return o
}

type exportedEntry struct {
	Seq, Attempt           int
	Key, Kind, Step, State string
	Input, Result          json.RawMessage
	Failure                *backend.Failure
}

// differs runs a plan undisturbed and disturbed, and tells what is different.
func (x trial) differs(t *testing.T, d disturbance) string {
	t.Helper()
	calm, wild := x, x
	calm.id, wild.id = x.id+"-calm", x.id+"-wild"
	want, wrong := calm.run(t, disturbance{Copies: 1})
	if wrong != "" {
		return "undisturbed: " + wrong
	}
	got, wrong := wild.run(t, d)
	if wrong != "" {
		return "disturbed: " + wrong
	}
	a, b := want.text(calm.id), got.text(wild.id)
	if a == b {
		return ""
	}
	return fmt.Sprintf("undisturbed:\n%s\ndisturbed:\n%s", a, b)
}

// text is an outcome with the execution's id, from which those of children are made, taken out.
func (o outcome) text(id string) string {
	data, _ := json.MarshalIndent(o, "", "  ") // it holds strings and numbers
	return strings.ReplaceAll(string(data), id, "ID")
}

// shrink makes a plan shorter as long as it fails.
func (x trial) shrink(t *testing.T, d disturbance, wrong string) (trial, string) {
	t.Helper()
	for tries := 0; tries < 300; {
		shorter := false
		for _, p := range x.plan.without() {
			tries++
			y := x
			y.plan, y.id = p, fmt.Sprint(x.id, "-", tries)
			if w := y.differs(t, d); w != "" {
				x.plan, wrong, shorter = p, w, true
				break
			}
		}
		if !shorter {
			break
		}
	}
	return x, wrong
}

// numberFromEnv reads a number from the environment.
func numberFromEnv(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// propertyCases is how many cases are tried: a few with all other tests, and still fewer under the race detector, which
// makes them ten times slower. `make test-property` tries 10,000, and 200 on each real database.
func propertyCases(t *testing.T, few uint64, all string) uint64 {
	t.Helper()
	if raceEnabled {
		few /= 2
	}
	return numberFromEnv(t, "STENT_PROPERTY_CASES", numberFromEnv(t, all, few))
}

func propertySeed(t *testing.T) uint64 {
	t.Helper()
	seed := numberFromEnv(t, "STENT_PROPERTY_SEED", uint64(time.Now().UnixNano()))
	t.Logf("STENT_PROPERTY_SEED=%d", seed)
	return seed
}

// tryCase tries one random workflow. Its seed is all that it depends on.
func tryCase(t *testing.T, seed uint64, unit time.Duration, db backend.Backend) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	x := trial{db: db, id: fmt.Sprint("random-", seed)}
	x.plan, x.signals = randomPlan(r, unit)
	d := randomDisturbance(r, unit, len(x.signals))
	wrong := x.differs(t, d)
	if wrong == "" {
		return
	}
	x, wrong = x.shrink(t, d, wrong)
	disturbed, _ := json.Marshal(d)
	t.Errorf("a random workflow goes another way when it is disturbed.\nRun it again: STENT_PROPERTY_SEED=%d STENT_PROPERTY_CASES=1 go test -run '%s' .\n"+
		"plan (made shorter): %s\nsignals: %v\ndisturbance: %s\n%s", seed, strings.Split(t.Name(), "/")[0], x.plan, x.signals, disturbed, wrong)
}

// TestRandomWorkflowsEndTheSameWhateverHappensToThem: calls, futures, maps, sleeps, signals, timeouts, failures and
// retries, children and runs that begin anew, with crashes, evictions and several programs, give the result and the history of an undisturbed run.
func TestRandomWorkflowsEndTheSameWhateverHappensToThem(t *testing.T) {
	seed, cases := propertySeed(t), propertyCases(t, 300, "STENT_PROPERTY_CASES_MEMORY")
	shards := uint64(runtime.GOMAXPROCS(0))
	for shard := range shards {
		t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
			t.Parallel()
			for i := shard; i < cases && !t.Failed(); i += shards {
				tryCase(t, seed+i, time.Second, nil)
			}
		})
	}
}

// The same on real databases, in real time and with fewer cases.
func TestRandomWorkflowsEndTheSameOnRealDatabases(t *testing.T) {
	seed, cases := propertySeed(t), propertyCases(t, 20, "STENT_PROPERTY_CASES_REAL")
	onEach(t, func(t *testing.T, w *world) {
		db := w.open()
		for i := uint64(0); i < cases && !t.Failed(); i++ {
			tryCase(t, seed+i, time.Millisecond, db)
		}
	})
}
