package sqlite

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stentgo/stent/core/backend"
)

// maxSeq is the last place of a history, which fits in a task's key.
const maxSeq = backend.MaxSeq

// fenced is what a turn's fence reads of the execution.
type fenced struct {
	n       int64
	nArg    any // n, in the form of an argument
	state   backend.State
	crashes int64
	effects int64
	run     int64
}

// fence reads for all turns of a batch at once how their executions stand.
func (t *tx) fence(b *backend.Batch) error {
	var (
		turns []*backend.Turn
		list  = []byte{'['}
	)
	for _, c := range b.Commands {
		if c, ok := c.(*backend.Turn); ok {
			if len(turns) > 0 {
				list = append(list, ',')
			}
			turns = append(turns, c)
			list = appendJSON(append(list, '['), c.Execution)
			list = append(strconv.AppendInt(append(list, ','), c.Token, 10), ']')
		}
	}
	if len(turns) == 0 {
		return nil
	}
	t.fences = make(map[string]fenced, len(turns))
	return t.each(t.ctx, t.q.turn, func(r *row) error {
		c := turns[r.int()]
		f := fenced{nArg: r.next(), state: orRunning(r.text()), crashes: r.int(), effects: r.int(), run: r.int()}
		f.n, _ = f.nArg.(int64)
		t.fences[c.Execution] = f
		return nil
	}, string(append(list, ']')))
}

func orRunning(state string) backend.State {
	if state == "" {
		return backend.Running
	}
	return backend.State(state)
}

// turn applies a turn. refused says why nothing of it was; a turn that was applied before is not refused.
func (t *tx) turn(c *backend.Turn) (refused, err error) {
	if !t.alive {
		return backend.ErrLeaseLost, nil
	}
	f, held := t.fences[c.Execution]
	if !held || c.Continue != nil && f.run >= int64(c.Continue.Run) {
		return t.turnedBefore(c)
	}
	w := &turnWriter{tx: t, turn: c, fenced: f}
	if err := w.write(); err != nil {
		return nil, err
	}
	if w.before {
		return t.turnedBefore(c)
	}
	return nil, nil
}

// turnWriter writes one turn. Its first write tells whether the turn was applied before; any later one that does not
// find what it should is a reason to refuse the turn.
type turnWriter struct {
	*tx
	fenced
	turn   *backend.Turn
	wrote  bool
	before bool // the first write found nothing to do
}

func (w *turnWriter) write() error {
	for _, part := range []func() error{w.ends, w.settled, w.added, w.stopped, w.others, w.effect, w.last} {
		if err := part(); err != nil || w.before {
			return err
		}
	}
	return nil
}

// expect looks at whether a write found what it should.
func (w *turnWriter) expect(ok bool, err error) error {
	switch {
	case err != nil:
		return err
	case ok:
		w.wrote = true
		return nil
	case w.wrote:
		return &refusal{w.turn, backend.ErrLeaseLost}
	}
	w.before = true
	return nil
}

func (w *turnWriter) ends() error {
	for _, c := range w.turn.Completed {
		if err := w.expect(w.complete(w.nArg, c)); err != nil || w.before {
			return err
		}
	}
	for _, b := range w.turn.Buried {
		if err := w.expect(w.bury(w.n, b)); err != nil || w.before {
			return err
		}
	}
	return nil
}

func (w *turnWriter) settled() error {
	for _, s := range w.turn.Settled {
		rows, err := w.exec(w.q.settle, w.n, s.Seq, s.State, s.Result, w.now)
		if err := w.expect(rows == 1, err); err != nil || w.before {
			return err
		}
		if err := w.consume(s.Seq, s.Signal); err != nil {
			return err
		}
	}
	return nil
}

func (w *turnWriter) consume(seq int, signal int64) error {
	if signal == 0 {
		return nil
	}
	rows, err := w.exec(w.q.consume, w.n, seq, signal)
	return w.expect(rows == 1, err)
}

func (w *turnWriter) added() error {
	for i := range w.turn.Added {
		a := &w.turn.Added[i]
		if a.Seq < 1 || a.Seq > maxSeq {
			return fmt.Errorf("%s: place %d of a history is not from 1 to %d", w.turn.Execution, a.Seq, maxSeq)
		}
		if err := w.expect(w.add(a)); err != nil || w.before {
			return err
		}
		if err := w.consume(a.Seq, a.Signal); err != nil {
			return err
		}
	}
	return nil
}

func (w *turnWriter) add(a *backend.Add) (bool, error) {
	if a.Child != nil {
		return w.addChild(a)
	}
	var (
		due, fires, started, finished any
		within, startBy               any
		worker                        any = ""
		token                         int
	)
	if a.StartWithin > 0 {
		within = a.StartWithin.Microseconds()
		if a.State == backend.Pending {
			startBy = w.in(a.Delay) + a.StartWithin.Microseconds()
		}
	}
	switch a.State {
	case backend.Running:
		started, worker, token = w.nowArg, w.workerArg, 1
	case backend.Pending:
		due = w.in(a.Delay)
	case backend.Waiting:
		if a.Delay >= 0 {
			fires = w.in(a.Delay)
		}
	default:
		finished = w.nowArg
	}
	rows, err := w.exec(w.q.add, w.nArg, a.Seq, a.Key, w.text(string(a.Kind)), w.text(a.Step), w.text(a.Queue), a.Priority, list(a.Tags),
		w.text(string(a.State)), due, fires, worker, token, a.InputHash, w.nowArg, started, finished, a.Policy, a.Input, a.Result, within, startBy)
	return rows == 1, err
}

// stopped cancels what the workflow was told is cancelled, which must not have ended otherwise.
func (w *turnWriter) stopped() error {
	for _, seq := range w.turn.Stopped {
		unfinished, err := w.forget(seq)
		if err == nil && !unfinished { // it may have been in a queue, where the wish to cancel found it
			unfinished, err = w.isCancelled(seq)
		}
		if err := w.expect(unfinished, err); err != nil || w.before {
			return err
		}
	}
	return nil
}

func (w *turnWriter) isCancelled(seq int) (is bool, err error) {
	_, err = w.one(w.ctx, w.q.taskKnown, func(r *row) { is = backend.State(r.text()) == backend.Cancelled }, w.n, seq)
	return is, err
}

// forget tells whether the entry was unfinished.
func (w *turnWriter) forget(seq int) (bool, error) {
	if _, err := w.exec(w.q.forgetRecall, w.n, seq, w.now, w.worker); err != nil {
		return false, err
	}
	rows, err := w.exec(w.q.forget, w.n, seq, w.now)
	return rows == 1, err
}

// others writes what does no harm twice.
func (w *turnWriter) others() error {
	for _, seq := range w.turn.Forgotten {
		if _, err := w.forget(seq); err != nil {
			return err
		}
	}
	for _, child := range w.turn.Deserted {
		if err := w.cancel(backend.Desertion(w.turn.Execution, child)); err != nil {
			return err
		}
	}
	for _, seq := range w.turn.SetAside {
		if _, err := w.exec(w.q.setAside, w.n, seq); err != nil {
			return err
		}
	}
	return nil
}

func (w *turnWriter) effect() error {
	effects := w.effects
	if len(w.turn.Effects) > 0 {
		if err := w.expect(effects < int64(w.turn.EffectsSeen), nil); err != nil || w.before {
			return err
		}
		effects = int64(w.turn.EffectsSeen)
	}
	for _, e := range w.turn.Effects {
		if err := w.oneEffect(e); err != nil {
			return err
		}
	}
	crashes := int64(0) // a turn is a success, but for one that ends a failed attempt
	if w.turn.Again != nil || w.turn.Close != nil {
		crashes = w.crashes
	}
	if effects == w.effects && crashes == w.crashes {
		return nil
	}
	_, err := w.exec(w.q.turned, w.n, w.turn.Token, crashes, effects)
	return err
}

func (w *turnWriter) oneEffect(e backend.Effect) error {
	if e.Counter != "" {
		_, err := w.exec(w.q.count, w.n, e.Counter, e.Delta)
		return err
	}
	value := string(e.Value)
	if !json.Valid(e.Value) {
		value = encode(value)
	}
	_, err := w.exec(w.q.setCustom, w.n, e.Custom, value)
	return err
}

// last writes how the orchestrator stands after the turn.
func (w *turnWriter) last() (err error) {
	c := w.turn
	c.State = w.state
	switch {
	case c.Close != nil:
		return w.end()
	case c.Continue != nil:
		return w.continueRun()
	case c.Yield != nil:
		var due any
		if c.Yield.WakeIn >= 0 {
			due = w.in(c.Yield.WakeIn)
		}
		_, err = w.exec(w.q.yield, w.n, c.Token, c.Yield.Seen, due, w.now)
	case c.Again != nil:
		text := failure(&c.Again.Failure)
		if _, err := w.exec(w.q.keepAttemptExecution, w.n, text, w.now, true); err != nil {
			return err
		}
		_, err = w.exec(w.q.again, w.n, c.Token, w.in(c.Again.Delay), w.now)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	_, err = w.exec(w.q.standAlone, w.n)
	return err
}

func (w *turnWriter) end() error {
	end, token := w.turn.Close, w.turn.Token
	var cause any
	if end.Cause != nil {
		cause = end.Cause.String()
	}
	if w.state == backend.Cancelling {
		w.turn.State = backend.Cancelled
	} else {
		w.turn.State = end.State
	}
	if _, err := w.exec(w.q.closeExecution, w.nArg, token, w.text(string(end.State)), end.Result, failure(end.Failure), cause, w.nowArg); err != nil {
		return err
	}
	w.tally(w.state, w.turn.State)
	if err := w.settleParent(end.Parent, w.turn.Execution, w.turn.State, end); err != nil {
		return err
	}
	if end.Reason == "" || w.turn.State == backend.Cancelled {
		return nil
	}
	text := failure(end.Failure)
	if text == nil {
		text = failure(&backend.Failure{Message: end.Reason})
	}
	return w.buryRoot(w.n, text, end.Reason)
}

// buryRoot moves an orchestrator to the dead letters; its execution has ended.
func (t *tx) buryRoot(n int64, failure any, reason string) error {
	if _, err := t.exec(t.q.keepAttemptExecution, n, failure, t.now, false); err != nil {
		return err
	}
	_, err := t.exec(t.q.deadLetterExecution, n, reason, failure, t.now)
	return err
}

// rootState is what is known of an execution whose orchestrator is not held with a turn's token.
type rootState struct {
	n         int64
	state     backend.State
	taskState backend.State
	token     int64
	effects   int64
	run       int64
}

func (t *tx) known(execution string) (k rootState, err error) {
	_, err = t.one(t.ctx, t.q.turnKnown, func(r *row) {
		k = rootState{n: r.int(), state: backend.State(r.text()), taskState: backend.State(r.text()), token: r.int(), effects: r.int(), run: r.int()}
	}, execution)
	return k, err
}

// turnedBefore tells a turn that an earlier commit applied from one whose lease is lost.
func (t *tx) turnedBefore(c *backend.Turn) (refused, err error) {
	k, err := t.known(c.Execution)
	if err != nil {
		return nil, err
	}
	if k.n == 0 {
		return backend.ErrLeaseLost, nil
	}
	applied, err := t.hasTurned(c, k)
	if err != nil {
		return nil, err
	}
	if !applied {
		return backend.ErrLeaseLost, nil
	}
	c.State = k.state
	return nil, nil
}

// hasTurned looks for the first thing that the turn would have written.
func (t *tx) hasTurned(c *backend.Turn, k rootState) (bool, error) {
	switch {
	case c.Continue != nil:
		return k.run >= int64(c.Continue.Run), nil
	case len(c.Completed) > 0:
		return t.isAt(k.n, c.Completed[0].Task.Seq, c.Completed[0].Token, backend.Completed)
	case len(c.Buried) > 0:
		return t.isAt(k.n, c.Buried[0].Task.Seq, c.Buried[0].Token, c.Buried[0].State)
	case len(c.Settled) > 0:
		return t.isAt(k.n, c.Settled[0].Seq, 0, c.Settled[0].State)
	case len(c.Added) > 0:
		has := false
		_, err := t.one(t.ctx, t.q.taskKnown, func(r *row) {
			r.next()
			r.next()
			has = r.text() == c.Added[0].Key
		}, k.n, c.Added[0].Seq)
		return has, err
	case len(c.Effects) > 0:
		return k.token == c.Token && k.effects >= int64(c.EffectsSeen), nil
	case c.Close != nil:
		return k.token == c.Token && (k.taskState == c.Close.State || k.taskState == backend.Cancelled), nil
	case c.Yield != nil:
		return k.token == c.Token && k.taskState == backend.Waiting, nil
	case c.Again != nil:
		return k.token == c.Token && k.taskState == backend.Pending, nil
	}
	return false, nil // nothing but what is forgotten or set aside, and the lease is lost
}
