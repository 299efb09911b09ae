package stenttest

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// On has [Crashes] use a database of the test's own, in real time, instead of one in memory. All runs share it, so that the
// scenario needs another execution id each time: see [Env.ID]. Its workflows should not sleep for longer than a moment.
func On(db backend.Backend) CrashOption { return func(m *matrix) { m.db = db } }

// CrashOption is an option of [Crashes].
type CrashOption func(*matrix)

// matrix is one enumeration of crashes.
type matrix struct {
	t        *testing.T
	db       backend.Backend // nil for one in memory each time
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
	m.run(0)
	crashes := 0
	for _, sign := range []int{1, -1} {
		for n := 1; !t.Failed(); n++ {
			// The number of commits varies a little, as they are shared by what happens to come together: it is over when
			// no commit is left to die at.
			crashed, points := m.run(sign * n)
			crashes += crashed
			if crashed == 0 && n > points {
				break
			}
		}
	}
	return crashes
}

// run runs the scenario once.
func (m *matrix) run(at int) (crashed, points int) {
	t := m.t
	t.Helper()
	if m.db == nil {
		synctest.Test(t, func(t *testing.T) { crashed, points = m.once(t, newEnv(t, nil), at) })
		return crashed, points
	}
	// Everything that the run leaves to the end of its test has to happen now.
	t.Run(said(at), func(t *testing.T) { crashed, points = m.once(t, newEnv(t, m.db), at) })
	return crashed, points
}

// said is a crash in words; see [Env.CrashAfter].
func said(at int) string {
	switch {
	case at == 0:
		return "undisturbed"
	case at < 0:
		return fmt.Sprintf("dead before commit %d is applied", -at)
	}
	return fmt.Sprintf("dead after commit %d was applied", at)
}

func (m *matrix) once(t *testing.T, env *Env, at int) (crashed, points int) {
	defer func() {
		if t.Failed() {
			t.Logf("stenttest: the program was %s", said(at))
		}
	}()
	m.runs++
	env.run = m.runs
	if at != 0 {
		env.CrashAfter(at)
	}
	m.scenario(env)
	env.Stop()
	env.mu.Lock()
	defer env.mu.Unlock()
	return env.crashes, env.points
}

// ID is an execution's id that begins with a name and is another one in each run of [Crashes].
func (env *Env) ID(name string) core.StartOption { return core.ID(fmt.Sprintf("%s-%d", name, env.run)) }

// began notes the beginning of an attempt. One at an activity that has completed is a fault of the engine.
func (env *Env) began(info core.TaskInfo) {
	env.Helper()
	env.mu.Lock()
	defer env.mu.Unlock()
	if id, err := backend.ParseTaskID(info.TaskID); err == nil && env.finished[id] {
		env.Errorf("stenttest: activity %s (%s) ran again after its completion was committed", info.Step, id)
	}
}
