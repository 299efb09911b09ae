package sqlite

import (
	"fmt"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// addChild writes the call of a workflow and begins its execution.
func (w *turnWriter) addChild(a *backend.Add) (bool, error) {
	c := a.Child
	// The entry first: where it is there already, the turn was written before, and begins nothing.
	known, err := w.one(w.ctx, w.q.taskKnown, func(*row) {}, w.n, a.Seq)
	if err != nil || known {
		return false, err
	}
	parent := backend.TaskID{Execution: w.turn.Execution, Seq: a.Seq}
	n, begun, err := w.insert(w.q.startChild, append(startArgs(nil, c, w.now), parent.String())...)
	if err != nil {
		return false, err
	}
	var (
		state        = backend.Waiting
		fail, failed any
	)
	if begun == 1 {
		w.tally("", backend.Pending)
		if _, err := w.exec(w.q.startInput, inputArgs(nil, n, c)...); err != nil {
			return false, err
		}
	} else {
		state, failed = backend.Failed, w.now
		fail = failure(&backend.Failure{Code: backend.CodeChildExists, Message: fmt.Sprintf("an execution with the id %s exists", c.ID)})
		if err := w.wake(w.n); err != nil {
			return false, err
		}
	}
	rows, err := w.exec(w.q.addChild, w.n, a.Seq, a.Key, a.Step, a.Queue, a.Priority, list(a.Tags), state, a.InputHash, w.now,
		failed, fail, c.ID, a.Detached)
	return rows == 1, err
}

// settleParent tells the caller of an execution that has ended, if it has one.
func (t *tx) settleParent(parent *backend.TaskID, execution string, state backend.State, end *backend.Close) error {
	if parent == nil {
		return nil
	}
	n, _, err := t.find(parent.Execution)
	if err != nil || n == 0 {
		return err
	}
	var result, fail any
	switch state {
	case backend.Completed:
		result = end.Result
	case backend.Failed, backend.TimedOut:
		fail = failure(backend.ChildFailure(execution, end))
	}
	rows, err := t.exec(t.q.settleParent, n, parent.Seq, execution, state, result, fail, t.now)
	if err != nil || rows == 0 {
		return err
	}
	return t.wake(n)
}

// continueRun begins another run of the turn's execution.
func (w *turnWriter) continueRun() error {
	c := w.turn.Continue
	c.Left = false
	if _, err := w.exec(w.q.continueRun, w.n, w.turn.Token, c.Run, c.Base); err != nil {
		return err
	}
	if _, err := w.exec(w.q.continueInput, w.n, c.Input); err != nil {
		return err
	}
	if c.Base == 0 {
		_, err := w.exec(w.q.trimAll, w.n)
		return err
	}
	trim := &backend.Trim{Execution: w.turn.Execution}
	err := w.trim(trim)
	c.Left = trim.Left
	return err
}

// keepSignals is how long a consumed signal is known, so that it is not delivered a second time.
const keepSignals = time.Hour

func (t *tx) trim(c *backend.Trim) error {
	c.Left = false
	n, _, err := t.find(c.Execution)
	if err != nil || n == 0 {
		return err
	}
	for _, part := range []func() (int64, error){
		func() (int64, error) { return t.exec(t.q.trim, n, backend.TrimMost) },
		func() (int64, error) { return t.exec(t.q.trimFailures, n, c.Execution, backend.TrimMost) },
		func() (int64, error) {
			return t.exec(t.q.trimSignals, n, t.now-keepSignals.Microseconds(), backend.TrimMost)
		},
	} {
		rows, err := part()
		if err != nil {
			return err
		}
		c.Left = c.Left || rows == backend.TrimMost
	}
	return nil
}
