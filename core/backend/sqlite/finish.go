package sqlite

import "github.com/stentgo/stent/core/backend"

// Each of the following tells whether the command was applied, now or by an earlier commit.

func (t *tx) completeAndWake(c *backend.Complete) (bool, error) {
	n, _, err := t.find(c.Task.Execution)
	if err != nil || n == 0 {
		return false, err
	}
	done, err := t.complete(n, c)
	if err != nil {
		return false, err
	}
	if !done {
		return t.isAt(n, c.Task.Seq, c.Token, backend.Completed)
	}
	return true, t.wake(n)
}

// complete takes the execution's number in the form of an argument.
func (t *tx) complete(n any, c *backend.Complete) (bool, error) {
	rows, err := t.exec(t.q.complete, n, c.Task.Seq, c.Token, c.Result, t.nowArg)
	return rows == 1, err
}

func (t *tx) retry(c *backend.Retry) (bool, error) {
	n, _, err := t.find(c.Task.Execution)
	if err != nil || n == 0 {
		return false, err
	}
	text := failure(&c.Failure)
	// The attempt is kept first, since a retry counts it up; where the retry is refused it is taken back.
	known, err := t.isAt(n, c.Task.Seq, c.Token, backend.Running)
	if err != nil {
		return false, err
	}
	if !known {
		return t.isAt(n, c.Task.Seq, c.Token, backend.Pending)
	}
	if _, err := t.exec(t.q.keepAttempt, n, c.Task.Execution, c.Task.Seq, text, t.now, true); err != nil {
		return false, err
	}
	rows, err := t.exec(t.q.retry, n, c.Task.Seq, c.Token, text, t.in(c.Delay), c.Detail)
	return rows == 1, err
}

func (t *tx) buryAndWake(c *backend.Bury) (bool, error) {
	n, _, err := t.find(c.Task.Execution)
	if err != nil || n == 0 {
		return false, err
	}
	done, err := t.bury(n, c)
	if err != nil {
		return false, err
	}
	if !done {
		return t.isAt(n, c.Task.Seq, c.Token, c.State)
	}
	return true, t.wake(n)
}

func (t *tx) bury(n int64, c *backend.Bury) (bool, error) { return t.buryFrom(backend.Running, n, c) }

// buryFrom is bury for a task in the given state.
func (t *tx) buryFrom(state backend.State, n int64, c *backend.Bury) (bool, error) {
	text := failure(&c.Failure)
	rows, err := t.exec(t.q.bury, n, c.Task.Seq, c.Token, c.State, text, t.now, state)
	if err != nil || rows == 0 {
		return false, err
	}
	if _, err := t.exec(t.q.keepAttempt, n, c.Task.Execution, c.Task.Seq, text, t.now, false); err != nil {
		return false, err
	}
	_, err = t.exec(t.q.deadLetter, n, c.Task.Seq, c.Reason, text, t.now)
	return true, err
}

func (t *tx) release(c *backend.Release) (bool, error) {
	n, state, err := t.find(c.Task.Execution)
	if err != nil || n == 0 {
		return false, err
	}
	if c.Task.IsRoot() {
		return t.releaseRoot(c, n, state)
	}
	rows, err := t.exec(t.q.release, n, c.Task.Seq, c.Token, t.now, c.Detail)
	if err != nil || rows == 1 {
		return rows == 1, err
	}
	return t.isAt(n, c.Task.Seq, c.Token, backend.Pending)
}

func (t *tx) beat(c *backend.Beat) (bool, error) {
	n, _, err := t.find(c.Task.Execution)
	if err != nil || n == 0 {
		return false, err
	}
	rows, err := t.exec(t.q.beat, n, c.Task.Seq, c.Token, c.Detail)
	return rows == 1, err
}

func (t *tx) releaseRoot(c *backend.Release, n int64, state backend.State) (bool, error) {
	rows, err := t.exec(t.q.releaseExecution, n, c.Token, t.now)
	if err != nil {
		return false, err
	}
	if rows == 0 {
		k, err := t.known(c.Task.Execution)
		return k.token == c.Token && k.taskState == backend.Pending, err
	}
	_, after, err := t.find(c.Task.Execution)
	if err != nil {
		return false, err
	}
	t.tally(state, after)
	_, err = t.exec(t.q.standAlone, n)
	return true, err
}

// isAt tells whether a task is in a state with a token, so that a command that would bring it there has been applied.
func (t *tx) isAt(n int64, seq int, token int64, state backend.State) (bool, error) {
	is := false
	_, err := t.one(t.ctx, t.q.taskKnown, func(r *row) {
		is = backend.State(r.text()) == state && r.int() == token
	}, n, seq)
	return is, err
}
