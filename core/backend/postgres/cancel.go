package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// cancel asks executions to stop. Two of one batch may be about the same execution: the second changes nothing.
func (w *work) cancel(p *pipeline) {
	if len(w.cancels) == 0 {
		return
	}
	var first []*backend.Cancel
	by := make(map[key][]*backend.Cancel, len(w.cancels))
	for _, c := range w.cancels {
		k := keyOf(c.Execution)
		if by[k] == nil {
			first = append(first, c)
		}
		by[k] = append(by[k], c)
	}
	keys := column(first, func(c *backend.Cancel) key { return keyOf(c.Execution) })
	p.add("cancel", func(rows pgx.Rows) error {
		for i := 0; rows.Next(); i++ {
			var r cancelRow
			if err := rows.Scan(&r.known, &r.changed, &r.state, &r.asked, &r.worker, &r.queue); err != nil {
				return err
			}
			for _, c := range by[keys[i]] {
				c.State, c.Err = r.outcome()
			}
			if r.changed {
				w.tellCancelled(&r)
			}
		}
		return rows.Err()
	}, keys,
		column(first, func(c *backend.Cancel) string { return c.Execution }),
		column(first, func(c *backend.Cancel) string { return clean(c.Actor) }),
		column(first, func(c *backend.Cancel) string { return clean(c.Reason) }))
	p.add("cancel_tasks", nil, keys)
	p.add("settle_parent", nil, keys, make([]pgtype.Text, len(keys)))
	p.add("wake_parents", w.news.woke, keys)
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

func (w *work) tellCancelled(r *cancelRow) {
	switch backend.State(r.state.String) {
	case backend.Running:
		w.news.wake(r.worker.Int32)
	case backend.Cancelled:
		w.news.done = true
	default:
		w.news.due(r.queue.String)
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
