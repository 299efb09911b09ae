package stent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stentgo/stent/core"
)

// Random workflows, as data: a workflow of the engine gets a plan as its input and carries it out. Whatever a plan does
// is determined by itself alone, and not by the moment: where it races two things, one of them is far ahead.

// plan is a random workflow.
type plan struct {
	Unit  time.Duration `json:"unit"` // what its times are multiples of
	Far   int           `json:"far"`  // units that no disturbance lasts
	Steps []statement   `json:"steps"`
	Fails bool          `json:"fails,omitempty"` // it returns an error at its end
	More  int           `json:"more,omitempty"`  // how often it begins anew
}

// statement is one step of it.
type statement struct {
	Do    string      `json:"do"`
	Name  string      `json:"name,omitempty"` // of the activity or signal
	Jobs  []job       `json:"jobs,omitempty"`
	Order []int       `json:"order,omitempty"` // in which futures are asked
	N     int         `json:"n,omitempty"`
	Steps []statement `json:"steps,omitempty"` // what is done meanwhile
	Plans []plan      `json:"plans,omitempty"` // of children
}

// job is the input of an activity.
type job struct {
	Value int           `json:"value"`
	Fails int           `json:"fails,omitempty"` // attempts
	Takes time.Duration `json:"takes,omitempty"`
}

var (
	randomPolicy = core.Retry(core.RetryPolicy{MaxAttempts: 3, InitialDelay: 10 * time.Millisecond, Jitter: -1})
	randomActs   = map[string]*core.Activity[job, int]{
		"plain":   core.NewActivity[job, int]("plain", randomPolicy),
		"queued":  core.NewActivity[job, int]("queued", randomPolicy, core.Queue("other")),
		"limited": core.NewActivity[job, int]("limited", randomPolicy, core.MaxConcurrent(2)),
	}
	randomNames   = []string{"plain", "queued", "limited"}
	randomSignals = map[string]*core.Signal[int]{"red": core.NewSignal[int]("red"), "blue": core.NewSignal[int]("blue")}
	neverSent     = core.NewSignal[int]("never")
	randomFlow    = core.NewWorkflow[plan, []string]("random")
	randomChild   = core.NewWorkflow[plan, []string]("random_child", core.Queue("children"))
)

func doJob(ctx context.Context, j job) (int, error) {
	if j.Takes > 0 {
		select {
		case <-time.After(j.Takes):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	if info, _ := core.InfoFrom(ctx); info.Attempt <= j.Fails {
		return 0, fmt.Errorf("attempt %d at %d failed", info.Attempt, j.Value)
	}
	return j.Value * 10, nil
}

// machine carries out a plan and keeps what it sees.
type machine struct {
	flow *core.Flow
	plan *plan
	saw  []string
}

func randomWorkflow(flow *core.Flow, p plan) ([]string, error) {
	m := &machine{flow: flow, plan: &p}
	if err := m.all(p.Steps); err != nil {
		return nil, err
	}
	if p.More > 0 {
		p.More--
		return nil, flow.ContinueAsNew(p)
	}
	if p.Fails {
		return nil, fmt.Errorf("failed after %v", m.saw)
	}
	return m.saw, nil
}

func (m *machine) note(what string, v any, err error) {
	if err != nil {
		v = err
	}
	m.saw = append(m.saw, fmt.Sprint(what, "=", v))
}

func (m *machine) units(n int) time.Duration { return time.Duration(n) * m.plan.Unit }

func (m *machine) all(steps []statement) error {
	for i := range steps {
		if err := m.do(&steps[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) do(s *statement) error {
	act := randomActs[s.Name]
	switch s.Do {
	case "call":
		v, err := act.Call(m.flow, s.Jobs[0])
		m.note(s.Name, v, err)
	case "futures":
		return m.futures(act, s)
	case "map":
		v, err := act.Map(m.flow, s.Jobs, core.Parallel(s.N))
		m.note("map", v, err)
	case "child":
		return m.children(s)
	case "children":
		v, err := randomChild.Map(m.flow, s.Plans, core.Parallel(s.N))
		m.note("children", v, err)
	case "sleep":
		return m.flow.Sleep(m.units(s.N))
	case "timer":
		timer := m.flow.Timer(m.units(s.N))
		if err := m.all(s.Steps); err != nil {
			return err
		}
		return timer.Wait(m.flow)
	case "receive":
		v, err := randomSignals[s.Name].Receive(m.flow)
		m.note(s.Name, v, err)
	case "reception":
		r := randomSignals[s.Name].Next(m.flow)
		if err := m.all(s.Steps); err != nil {
			return err
		}
		v, err := r.Get(m.flow)
		m.note("next "+s.Name, v, err)
	case "timeout":
		v, err := neverSent.ReceiveWithin(m.flow, m.units(s.N))
		m.note("never", v, errors.Unwrap(err))
	case "select":
		i, err := core.Select(m.flow, m.flow.Timer(m.units(m.plan.Far)), act.Go(m.flow, s.Jobs[0]))
		m.note("select", i, err)
	case "count":
		m.flow.Counter(s.Name).Add(float64(s.N))
		return m.flow.State("last").Set(s.N)
	case "recorded":
		if _, err := m.flow.NewID(); err != nil {
			return err
		}
		v, err := core.SideEffect(m.flow, "value", func() int { return s.N })
		m.note("recorded", v, err)
		version, err := m.flow.Version(fmt.Sprint("v", len(m.saw)), 0, s.N)
		m.note("version", version, err)
	default:
		return fmt.Errorf("no statement %q", s.Do)
	}
	return nil
}

func (m *machine) futures(act *core.Activity[job, int], s *statement) error {
	var futures []*core.Future[int]
	for _, j := range s.Jobs {
		futures = append(futures, act.Go(m.flow, j))
	}
	if err := m.all(s.Steps); err != nil {
		return err
	}
	for _, i := range s.Order {
		v, err := futures[i].Get(m.flow)
		m.note(fmt.Sprint("future ", i), v, err)
	}
	return nil
}

// children begins children, does something else, and asks them in an order.
func (m *machine) children(s *statement) error {
	var futures []*core.Future[[]string]
	for _, p := range s.Plans {
		futures = append(futures, randomChild.Go(m.flow, p))
	}
	if err := m.all(s.Steps); err != nil {
		return err
	}
	for _, i := range s.Order {
		v, err := futures[i].Get(m.flow)
		m.note(fmt.Sprint("child ", i), v, err)
	}
	return nil
}

// randomPlan makes a plan, and the signals that it needs, in their order.
func randomPlan(r *rand.Rand, unit time.Duration) (plan, []string) {
	g := &planner{r: r, unit: unit}
	p := plan{Unit: unit, Far: int(1000 * time.Hour / unit), Steps: g.steps(1+r.IntN(6), 2), Fails: r.IntN(8) == 0}
	signals := g.signals
	for r.IntN(6) == 0 && p.More < 3 { // each time it needs the same signals again
		p.More++
		signals = append(signals, g.signals...)
	}
	return p, signals
}

type planner struct {
	r       *rand.Rand
	unit    time.Duration
	value   int
	signals []string
	inChild bool
}

func (g *planner) plans(n, depth int) []plan {
	before := g.inChild
	g.inChild = true
	defer func() { g.inChild = before }()
	var plans []plan
	for range n {
		plans = append(plans, plan{Unit: g.unit, Far: int(1000 * time.Hour / g.unit), Steps: g.steps(1+g.r.IntN(2), depth-1), Fails: g.r.IntN(6) == 0})
	}
	return plans
}

func (g *planner) steps(n, depth int) []statement {
	var steps []statement
	for range n {
		steps = append(steps, g.statement(depth))
	}
	return steps
}

func (g *planner) job() job {
	g.value++
	j := job{Value: g.value}
	if g.r.IntN(4) == 0 {
		j.Fails = 1 + g.r.IntN(3) // the third is final
	}
	if g.r.IntN(3) == 0 {
		j.Takes = time.Duration(g.r.IntN(5)) * g.unit
	}
	return j
}

func (g *planner) jobs(n int) []job {
	var jobs []job
	for range n {
		jobs = append(jobs, g.job())
	}
	return jobs
}

func (g *planner) signal() string {
	name := []string{"red", "blue"}[g.r.IntN(2)]
	g.signals = append(g.signals, name)
	return name
}

func (g *planner) statement(depth int) statement {
	s := statement{Name: randomNames[g.r.IntN(len(randomNames))]}
	inner := func() {
		if depth > 0 {
			s.Steps = g.steps(g.r.IntN(3), depth-1)
		}
	}
	choice := g.r.IntN(14)
	if g.inChild && (choice == 7 || choice == 8) { // signals are sent to the first execution alone
		choice = 0
	}
	if depth == 0 && choice >= 12 {
		choice = 1
	}
	switch choice {
	case 0, 1:
		s.Do, s.Jobs = "call", g.jobs(1)
	case 2, 3:
		n := 1 + g.r.IntN(4)
		s.Do, s.Jobs, s.Order = "futures", g.jobs(n), g.r.Perm(n)
		inner()
	case 4:
		s.Do, s.Jobs = "map", g.jobs(1+g.r.IntN(6))
		if g.r.IntN(2) == 0 { // bounded: a failure would end it at a moment that nobody knows
			s.N = 1 + g.r.IntN(3)
			for i := range s.Jobs {
				s.Jobs[i].Fails = min(s.Jobs[i].Fails, 2)
			}
		}
	case 5:
		s = statement{Do: "sleep", N: g.r.IntN(20)}
	case 6:
		s.Do, s.Name, s.N = "timer", "", g.r.IntN(20)
		inner()
	case 7:
		s = statement{Do: "receive", Name: g.signal()}
	case 8:
		s.Do, s.Name = "reception", g.signal()
		inner()
	case 9:
		s = statement{Do: "timeout", N: g.r.IntN(20)}
	case 10:
		s.Do, s.Jobs = "select", g.jobs(1)
	case 12:
		n := 1 + g.r.IntN(2)
		s = statement{Do: "child", Plans: g.plans(n, depth), Order: g.r.Perm(n)}
		inner()
	case 13:
		s = statement{Do: "children", Plans: g.plans(1+g.r.IntN(3), depth)}
	default:
		if g.r.IntN(2) == 0 {
			s = statement{Do: "count", Name: []string{"a", "b"}[g.r.IntN(2)], N: g.r.IntN(9)}
		} else {
			s = statement{Do: "recorded", N: g.r.IntN(9)}
		}
	}
	return s
}

// without gives the plans that lack one statement, wherever it stands.
func (p plan) without() []plan {
	var all []plan
	var cut func(steps []statement, rebuild func([]statement) []statement)
	cut = func(steps []statement, rebuild func([]statement) []statement) {
		for i := range steps {
			rest := append(append([]statement(nil), steps[:i]...), steps[i+1:]...)
			shorter := p
			shorter.Steps = rebuild(rest)
			all = append(all, shorter)
			cut(steps[i].Steps, func(inner []statement) []statement {
				copied := append([]statement(nil), steps...)
				copied[i].Steps = inner
				return rebuild(copied)
			})
		}
	}
	cut(p.Steps, func(s []statement) []statement { return s })
	return all
}

func (p plan) String() string {
	data, _ := json.Marshal(p) // it is an input, so it encodes
	return string(data)
}
