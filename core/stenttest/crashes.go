package stenttest

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// On has [Crashes] use a database of the test's own, in real time, instead of one in memory. open opens one more handle
// on the same database each time; the handle is closed when it is not needed any more. The scenario needs another
// execution id each time: see [Env.ID]. Its workflows should not sleep for longer than a moment.
func On(open func() backend.Backend) CrashOption { return func(m *matrix) { m.open = open } }

// CrashOption is an option of [Crashes].
type CrashOption func(*matrix)

// matrix is one enumeration of crashes.
type matrix struct {
	t        *testing.T
	open     func() backend.Backend
	scenario func(env *Env)
	runs     int
}

// Crashes runs a scenario without a crash, and then once for every commit at which the program can die: before it is
// applied, and after it is applied but before the program is told. Each time the dead program is replaced at once. It
// gives how many crashes there were.
//
// The scenario gives its handlers to env.Handle, starts an execution, waits for it and looks at the result, which has to
// be the same each time. That a [Stub] is called again after its activity's completion was committed is an error by itself. Each
// run is in a bubble of its own, unless the database is given by [On].
func Crashes(t *testing.T, scenario func(env *Env), opts ...CrashOption) int {
	t.Helper()
	m := &matrix{t: t, scenario: scenario}
	for _, opt := range opts {
		opt(m)
	}
	m.run(point{})
	crashes := 0
	for _, before := range []bool{false, true} {
		for n := 1; !t.Failed(); n++ {
			// The number of commits varies a little, as they are shared by what happens to come together: it is over when
			// no commit is left to die at.
			crashed, points := m.run(point{n, before})
			crashes += crashed
			if crashed == 0 && n > points {
				break
			}
		}
	}
	return crashes
}

// run runs the scenario once.
func (m *matrix) run(at point) (crashed, points int) {
	t := m.t
	t.Helper()
	if m.open == nil {
		synctest.Test(t, func(t *testing.T) { crashed, points = m.once(t, newEnv(t, nil), at) })
		return crashed, points
	}
	// Everything that the run leaves to the end of its test has to happen now.
	t.Run(at.String(), func(t *testing.T) { crashed, points = m.once(t, newEnv(t, m.open), at) })
	return crashed, points
}

func (p point) String() string {
	switch {
	case p.n == 0:
		return "undisturbed"
	case p.before:
		return fmt.Sprintf("dead before commit %d is applied", p.n)
	}
	return fmt.Sprintf("dead after commit %d was applied", p.n)
}

func (m *matrix) once(t *testing.T, env *Env, at point) (crashed, points int) {
	defer func() {
		if t.Failed() {
			t.Logf("stenttest: the program was %s", at)
		}
	}()
	m.runs++
	env.crashAt, env.run = at, m.runs
	m.scenario(env)
	env.Stop()
	env.mu.Lock()
	defer env.mu.Unlock()
	for _, again := range env.beganAfter {
		t.Errorf("stenttest: %s", again)
	}
	return env.crashes, env.points
}

// ID is an execution's id that begins with a name and is another one in each run of [Crashes].
func (env *Env) ID(name string) core.StartOption { return core.ID(fmt.Sprintf("%s-%d", name, env.run)) }

// began notes the beginning of an attempt. One at an activity that has completed is an error of the engine.
func (env *Env) began(info core.TaskInfo) {
	env.mu.Lock()
	defer env.mu.Unlock()
	id, err := backend.ParseTaskID(info.TaskID)
	if err == nil && env.finished[id] {
		env.beganAfter = append(env.beganAfter, fmt.Sprintf("activity %s (%s) ran again after its completion was committed", info.Step, id))
	}
}
