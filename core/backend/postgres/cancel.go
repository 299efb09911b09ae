package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// cancel asks executions to stop, also those of children that turns no longer wait for.
func (w *work) cancel(p *pipeline) {
	all := w.cancels
	for _, t := range w.turns {
		for _, child := range t.cmd.Deserted {
			all = append(slices.Clip(all), backend.Desertion(t.cmd.Execution, child))
		}
	}
	if len(all) == 0 {
		return
	}
	c := gather(all)
	p.add("cancel", func(rows pgx.Rows) error { return c.read(rows, &w.news) }, c.args()...)
	p.add("cancel_tasks", nil, c.keys)
	p.add("settle_parent", nil, c.keys, make([]pgtype.Text, len(c.keys)))
	p.add("wake_parents", func(rows pgx.Rows) error {
		_, err := w.news.woke(rows)
		return err
	}, c.keys)
}

// cancellation is what one statement asks to stop. Of two that are about the same execution the second changes nothing.
type cancellation struct {
	keys  []key
	first []*backend.Cancel
	by    map[key][]*backend.Cancel
}

func gather(all []*backend.Cancel) *cancellation {
	c := &cancellation{by: make(map[key][]*backend.Cancel, len(all))}
	for _, cmd := range all {
		k := keyOf(cmd.Execution)
		if c.by[k] == nil {
			c.keys, c.first = append(c.keys, k), append(c.first, cmd)
		}
		c.by[k] = append(c.by[k], cmd)
	}
	return c
}

// args are the parameters of cancel.sql.
func (c *cancellation) args() []any {
	return []any{
		c.keys,
		column(c.first, func(c *backend.Cancel) string { return c.Execution }),
		column(c.first, func(c *backend.Cancel) string { return clean(c.Actor) }),
		column(c.first, func(c *backend.Cancel) string { return clean(c.Reason) }),
	}
}

// read reads what cancel.sql tells.
func (c *cancellation) read(rows pgx.Rows, n *news) error {
	for i := 0; rows.Next(); i++ {
		var r cancelRow
		if err := rows.Scan(&r.known, &r.changed, &r.state, &r.asked, &r.worker, &r.queue); err != nil {
			return err
		}
		for i, cmd := range c.by[c.keys[i]] {
			cmd.State, cmd.Err = r.outcome()
			cmd.Ended = i == 0 && r.changed && cmd.State == backend.Cancelled
		}
		if r.changed {
			n.cancelled(&r)
		}
	}
	return rows.Err()
}

// cancelRow is a row of cancel.sql.
type cancelRow struct {
	known, changed, asked bool
	state, queue          pgtype.Text
	worker                pgtype.Int4
}

func (r *cancelRow) outcome() (backend.State, error) {
	switch state := backend.State(r.state.String); {
	case !r.known:
		return "", backend.ErrNotFound
	case state == backend.Cancelled:
		return state, nil
	case r.changed, r.asked && !state.Final():
		return backend.Cancelling, nil
	default:
		return state, backend.ErrFinished
	}
}

// cancelled tells whom a cancellation concerns.
func (n *news) cancelled(r *cancelRow) {
	switch backend.State(r.state.String) {
	case backend.Running:
		n.wake(r.worker.Int32)
	case backend.Cancelled:
		n.done = true
	default:
		n.due(r.queue.String)
	}
}

// beat keeps what activities say of how far they are.
func (w *work) beat(p *pipeline) {
	if len(w.beats) == 0 {
		return
	}
	p.add("beat", nil,
		column(w.beats, keyedKey),
		column(w.beats, func(c keyed[*backend.Beat]) int32 { return number(c.cmd.Task.Seq) }),
		column(w.beats, func(c keyed[*backend.Beat]) int32 { return number(c.cmd.Token) }),
		column(w.beats, func(c keyed[*backend.Beat]) []byte { return c.cmd.Detail }))
}
