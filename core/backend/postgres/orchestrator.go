package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// orchestrators writes how orchestrators stand that do not stay with the worker.
func (w *work) orchestrators(p *pipeline) {
	w.close(p)
	var left []key
	yields := w.turnsWith(func(t *backend.Turn) bool { return t.Close == nil && t.Yield != nil })
	if len(yields) > 0 {
		left = append(left, column(yields, keyedKey)...)
		p.add("yield", w.queued,
			column(yields, keyedKey), column(yields, turnToken),
			column(yields, func(t keyed[*backend.Turn]) int32 { return number(t.cmd.Yield.Seen) }),
			column(yields, func(t keyed[*backend.Turn]) int64 {
				if t.cmd.Yield.WakeIn < 0 {
					return -1
				}
				return delay(t.cmd.Yield.WakeIn)
			}))
	}
	agains := w.turnsWith(func(t *backend.Turn) bool { return t.Close == nil && t.Yield == nil && t.Again != nil })
	if len(agains) > 0 {
		left = append(left, column(agains, keyedKey)...)
		p.add("again", w.queued,
			column(agains, keyedKey), column(agains, turnToken),
			column(agains, func(t keyed[*backend.Turn]) pgtype.Text { return failure(&t.cmd.Again.Failure) }),
			column(agains, func(t keyed[*backend.Turn]) int64 { return delay(t.cmd.Again.Delay) }))
	}
	var released []keyed[*backend.Release]
	for _, r := range w.releases {
		if r.cmd.Task.IsRoot() {
			released = append(released, r)
		}
	}
	if len(released) > 0 {
		left = append(left, column(released, keyedKey)...)
		p.add("release_execution", w.queued,
			column(released, keyedKey),
			column(released, func(r keyed[*backend.Release]) int32 { return number(r.cmd.Token) }))
	}
	if len(left) > 0 {
		p.add("stand_alone", nil, left)
	}
}

// close ends executions.
func (w *work) close(p *pipeline) {
	closed := w.turnsWith(func(t *backend.Turn) bool { return t.Close != nil })
	if len(closed) == 0 {
		return
	}
	w.news.done = true
	p.add("close", func(rows pgx.Rows) error {
		var (
			refused   pgtype.Bool
			cancelled []key
		)
		if err := one(&refused, &cancelled)(rows); err != nil {
			return err
		}
		ended := make(map[key]bool, len(cancelled))
		for _, k := range cancelled {
			ended[k] = true
		}
		for _, t := range closed {
			t.cmd.State = t.cmd.Close.State
			if ended[t.key] {
				t.cmd.State = backend.Cancelled
			}
		}
		return nil
	},
		column(closed, keyedKey), column(closed, turnToken),
		column(closed, func(t keyed[*backend.Turn]) string { return string(t.cmd.Close.State) }),
		column(closed, func(t keyed[*backend.Turn]) []byte { return t.cmd.Close.Result }),
		column(closed, func(t keyed[*backend.Turn]) pgtype.Text { return failure(reason(t.cmd.Close)) }),
		column(closed, func(t keyed[*backend.Turn]) pgtype.Text {
			if t.cmd.Close.Cause == nil {
				return pgtype.Text{}
			}
			return text(t.cmd.Close.Cause.String())
		}))

	w.settleParents(p, closed)

	buried := w.turnsWith(func(t *backend.Turn) bool { return t.Close != nil && t.Close.Reason != "" })
	if len(buried) > 0 {
		p.add("dead_letter_execution", nil,
			column(buried, keyedKey),
			column(buried, func(t keyed[*backend.Turn]) string { return clean(t.cmd.Close.Reason) }),
			column(buried, func(t keyed[*backend.Turn]) pgtype.Text {
				return failure(reason(t.cmd.Close))
			}))
	}
}

// reason is why an execution ended without a result, nil for one with a result. There always is one, since it is by its
// failure that an execution which did not complete is found.
func reason(c *backend.Close) *backend.Failure {
	if c.Failure == nil && c.State != backend.Completed {
		return &backend.Failure{Message: c.Reason}
	}
	return c.Failure
}
