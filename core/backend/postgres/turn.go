package postgres

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// checkTurn refuses what cannot be stored.
func checkTurn(t *backend.Turn) error {
	for _, a := range t.Added {
		if a.Seq < 1 || a.Seq > math.MaxInt32 {
			return fmt.Errorf("%s: place %d of a history is not from 1 to %d", t.Execution, a.Seq, math.MaxInt32)
		}
	}
	return nil
}

// onlyEnds tells whether a turn does no more than to end what it belongs to. Then close.sql makes sure that its orchestrator is
// this worker's: a token is given once. What else a turn does may meet what the next holder has done.
func onlyEnds(t *backend.Turn) bool {
	return t.Close != nil && len(t.Added)+len(t.SetAside)+len(t.Effects)+len(t.Forgotten)+len(t.Stopped)+len(t.Deserted) == 0
}

// fenceTurns makes sure that the turns' orchestrators are this worker's.
func (w *work) fenceTurns(p *pipeline) {
	going := w.turnsWith(func(t *backend.Turn) bool { return !onlyEnds(t) })
	if len(going) == 0 {
		return
	}
	turns := make(map[key]*backend.Turn, len(going))
	for _, t := range going {
		turns[t.key] = t.cmd
	}
	p.add("turn", func(rows pgx.Rows) error {
		var ( // once for all rows, since Scan has them escape
			k          key
			cancelling bool
			refused    pgtype.Bool
		)
		for rows.Next() {
			if err := rows.Scan(&k, &cancelling, &refused); err != nil {
				return err
			}
			turns[k].State = backend.Running
			if cancelling {
				turns[k].State = backend.Cancelling
			}
		}
		return rows.Err()
	}, column(going, keyedKey), column(going, turnToken), column(going, func(t keyed[*backend.Turn]) bool {
		return t.cmd.Close == nil && t.cmd.Again == nil
	}), w.worker)
}

func keyedKey[C any](k keyed[C]) key { return k.key }

func turnToken(t keyed[*backend.Turn]) int32 { return number(t.cmd.Token) }

// inTurns gives the parts of turns that part finds, each with its execution's key.
func inTurns[C any](turns []keyed[*backend.Turn], part func(*backend.Turn) []C) []keyed[C] {
	var all []keyed[C]
	for _, t := range turns {
		for _, c := range part(t.cmd) {
			all = append(all, keyed[C]{t.key, c})
		}
	}
	return all
}

// endTasks ends activities and attempts at them, in turns and outside.
func (w *work) endTasks(p *pipeline) {
	completes := append(inTurns(w.turns, func(t *backend.Turn) []*backend.Complete { return t.Completed }), w.completes...)
	if len(completes) > 0 {
		p.add("complete", nil,
			column(completes, keyedKey),
			column(completes, func(c keyed[*backend.Complete]) int32 { return number(c.cmd.Task.Seq) }),
			column(completes, func(c keyed[*backend.Complete]) int32 { return number(c.cmd.Token) }),
			column(completes, func(c keyed[*backend.Complete]) []byte { return c.cmd.Result }))
	}
	buries := append(inTurns(w.turns, func(t *backend.Turn) []*backend.Bury { return t.Buried }), w.buries...)
	if len(buries) > 0 {
		p.add("bury", nil, buryArgs(buries, backend.Running)...)
	}
	if len(w.retries) > 0 {
		p.add("retry", w.queued,
			column(w.retries, keyedKey),
			column(w.retries, func(c keyed[*backend.Retry]) int32 { return number(c.cmd.Task.Seq) }),
			column(w.retries, func(c keyed[*backend.Retry]) int32 { return number(c.cmd.Token) }),
			column(w.retries, func(c keyed[*backend.Retry]) pgtype.Text { return failure(&c.cmd.Failure) }),
			column(w.retries, func(c keyed[*backend.Retry]) int64 { return delay(c.cmd.Delay) }),
			column(w.retries, func(c keyed[*backend.Retry]) []byte { return c.cmd.Detail }))
	}
	var released []keyed[*backend.Release]
	for _, r := range w.releases {
		if !r.cmd.Task.IsRoot() {
			released = append(released, r)
		}
	}
	if len(released) > 0 {
		p.add("release", w.queued,
			column(released, keyedKey),
			column(released, func(c keyed[*backend.Release]) int32 { return number(c.cmd.Task.Seq) }),
			column(released, func(c keyed[*backend.Release]) int32 { return number(c.cmd.Token) }),
			column(released, func(c keyed[*backend.Release]) []byte { return c.cmd.Detail }))
	}
	w.beat(p)
}

// buryArgs are the parameters of bury.sql. from is the state in which the tasks are.
func buryArgs(buries []keyed[*backend.Bury], from backend.State) []any {
	return []any{
		column(buries, keyedKey),
		column(buries, func(c keyed[*backend.Bury]) int32 { return number(c.cmd.Task.Seq) }),
		column(buries, func(c keyed[*backend.Bury]) int32 { return number(c.cmd.Token) }),
		column(buries, func(c keyed[*backend.Bury]) string { return string(c.cmd.State) }),
		column(buries, func(c keyed[*backend.Bury]) pgtype.Text { return failure(&c.cmd.Failure) }),
		column(buries, func(c keyed[*backend.Bury]) string { return clean(c.cmd.Reason) }),
		string(from),
	}
}

// queued reads the queues to which something was put back.
func (w *work) queued(rows pgx.Rows) error {
	var (
		queues  []string
		refused pgtype.Bool
	)
	if err := one(&queues, &refused)(rows); err != nil {
		return err
	}
	for _, q := range queues {
		w.news.due(q)
	}
	return nil
}

// consumed is a signal that an entry of a history takes.
type consumed struct {
	seq    int
	signal int64
}

// history writes what turns did to their histories.
func (w *work) history(p *pipeline) {
	settled := inTurns(w.turns, func(t *backend.Turn) []backend.Settle { return t.Settled })
	if len(settled) > 0 {
		p.add("settle", nil,
			column(settled, keyedKey),
			column(settled, func(s keyed[backend.Settle]) int32 { return number(s.cmd.Seq) }),
			column(settled, func(s keyed[backend.Settle]) string { return string(s.cmd.State) }),
			column(settled, func(s keyed[backend.Settle]) []byte { return s.cmd.Result }))
	}
	w.add(p)
	signals := inTurns(w.turns, func(t *backend.Turn) []consumed {
		var c []consumed
		for _, s := range t.Settled {
			if s.Signal != 0 {
				c = append(c, consumed{s.Seq, s.Signal})
			}
		}
		for _, a := range t.Added {
			if a.Signal != 0 {
				c = append(c, consumed{a.Seq, a.Signal})
			}
		}
		return c
	})
	if len(signals) > 0 {
		p.add("consume", nil,
			column(signals, keyedKey),
			column(signals, func(s keyed[consumed]) int32 { return number(s.cmd.seq) }),
			column(signals, func(s keyed[consumed]) int64 { return s.cmd.signal }))
	}
	for _, kind := range []struct {
		name   string
		places func(*backend.Turn) []int
		more   []any
	}{
		{"stop", func(t *backend.Turn) []int { return t.Stopped }, nil},
		{"forget", (*backend.Turn).Cancels, []any{w.worker}},
		{"set_aside", func(t *backend.Turn) []int { return t.SetAside }, nil},
	} {
		if places := inTurns(w.turns, kind.places); len(places) > 0 {
			args := []any{column(places, keyedKey), column(places, func(s keyed[int]) int32 { return number(s.cmd) })}
			p.add(kind.name, nil, append(args, kind.more...)...)
		}
	}
}

// add writes new entries of histories.
func (w *work) add(p *pipeline) {
	w.addChildren(p)
	added := inTurns(w.turns, addedHere)
	if len(added) == 0 {
		return
	}
	for _, a := range added {
		if a.cmd.State == backend.Pending {
			w.news.added(&a.cmd)
		}
	}
	p.add("add", nil,
		column(added, keyedKey),
		column(added, func(a keyed[backend.Add]) int32 { return number(a.cmd.Seq) }),
		column(added, func(a keyed[backend.Add]) string { return packKey(a.cmd.Step, a.cmd.Key) }),
		column(added, func(a keyed[backend.Add]) pgtype.Text {
			if a.cmd.Kind == backend.Activity {
				return pgtype.Text{}
			}
			return text(a.cmd.Kind)
		}),
		column(added, func(a keyed[backend.Add]) string { return a.cmd.Step }),
		column(added, func(a keyed[backend.Add]) string { return a.cmd.Queue }),
		column(added, func(a keyed[backend.Add]) int32 { return rankOf(a.cmd.Priority) }),
		column(added, func(a keyed[backend.Add]) string { return array(a.cmd.Tags) }),
		column(added, func(a keyed[backend.Add]) []byte { return a.cmd.Policy }),
		column(added, func(a keyed[backend.Add]) []byte { return a.cmd.Input }),
		column(added, func(a keyed[backend.Add]) int64 { return a.cmd.InputHash }),
		column(added, func(a keyed[backend.Add]) string { return string(a.cmd.State) }),
		column(added, func(a keyed[backend.Add]) int64 {
			if a.cmd.State == backend.Waiting && a.cmd.Delay < 0 {
				return -1
			}
			return delay(a.cmd.Delay)
		}),
		column(added, func(a keyed[backend.Add]) []byte { return a.cmd.Result }),
		w.worker,
		column(added, func(a keyed[backend.Add]) int64 { return delay(a.cmd.StartWithin) }))
}

// effects writes changes of counters and of custom state.
func (w *work) effects(p *pipeline) {
	var counters, custom []keyed[backend.Effect]
	for _, e := range inTurns(w.turns, func(t *backend.Turn) []backend.Effect { return t.Effects }) {
		if e.cmd.Counter != "" {
			counters = append(counters, e)
		} else {
			custom = append(custom, e)
		}
	}
	if len(counters) > 0 {
		p.add("count", nil,
			column(counters, keyedKey),
			column(counters, func(e keyed[backend.Effect]) string { return e.cmd.Counter }),
			column(counters, func(e keyed[backend.Effect]) float64 { return e.cmd.Delta }))
	}
	if len(custom) > 0 {
		p.add("set_custom", nil,
			column(custom, keyedKey),
			column(custom, func(e keyed[backend.Effect]) string { return e.cmd.Custom }),
			column(custom, func(e keyed[backend.Effect]) string { return jsonText(e.cmd.Value) }))
	}
	turned := w.turnsWith(func(t *backend.Turn) bool { return len(t.Effects) > 0 })
	if len(turned) > 0 {
		p.add("turned", nil, column(turned, keyedKey), column(turned, turnToken),
			column(turned, func(t keyed[*backend.Turn]) int32 { return number(t.cmd.EffectsSeen) }))
	}
}

// jsonText is custom state as it is stored. What is not JSON, which the engine never gives, is kept as a string.
func jsonText(value json.RawMessage) string {
	if json.Valid(value) {
		return string(value)
	}
	return encode(string(value))
}

// turnsWith are the turns that have something. The result is not to be changed: it may be the batch's own.
func (w *work) turnsWith(has func(*backend.Turn) bool) []keyed[*backend.Turn] {
	n := 0
	for _, t := range w.turns {
		if has(t.cmd) {
			n++
		}
	}
	if n == 0 || n == len(w.turns) {
		return w.turns[:n:n]
	}
	some := make([]keyed[*backend.Turn], 0, n)
	for _, t := range w.turns {
		if has(t.cmd) {
			some = append(some, t)
		}
	}
	return some
}
