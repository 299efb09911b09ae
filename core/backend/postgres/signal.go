package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// signal delivers signals. Two of one batch may have the same execution and id: the second finds the first.
func (w *work) signal(p *pipeline) {
	executions := column(w.signals, func(s *backend.Signalled) key { return keyOf(s.Execution) })
	ids := column(w.signals, func(s *backend.Signalled) string { return s.ID })
	if len(w.signals) > 0 {
		p.add("signal", func(rows pgx.Rows) error {
			for i := 0; rows.Next(); i++ {
				var known, there bool
				var ended *bool
				if err := rows.Scan(&known, &ended, &there); err != nil {
					return err
				}
				w.signals[i].Err = nil
				switch {
				case !known:
					w.signals[i].Err = backend.ErrNotFound
				case *ended && !there:
					w.signals[i].Err = backend.ErrFinished
				}
			}
			return rows.Err()
		}, executions, ids,
			column(w.signals, func(s *backend.Signalled) string { return s.Name }),
			column(w.signals, func(s *backend.Signalled) []byte { return s.Payload }))
	}
	woken := w.parents()
	for _, c := range w.completes {
		woken = append(woken, c.key)
	}
	for _, c := range w.buries {
		woken = append(woken, c.key)
	}
	if len(woken)+len(w.signals) > 0 {
		p.add("wake", w.woke, orEmpty(woken), executions, ids)
	}
}

// woke reads whom a wake concerns, and tells the commands whose executions are held.
func (w *work) woke(rows pgx.Rows) error {
	held, err := w.news.woke(rows)
	for _, c := range w.completes {
		c.cmd.Held = held[c.key]
	}
	for _, c := range w.buries {
		c.cmd.Held = held[c.key]
	}
	return err
}

// woke reads whom a wake concerns: the executions that workers hold, and news for those workers and of the others.
func (n *news) woke(rows pgx.Rows) (held map[key]bool, err error) {
	held = map[key]bool{}
	for rows.Next() {
		var (
			id      key
			running bool
			worker  pgtype.Int4
			queue   string
		)
		if err := rows.Scan(&id, &running, &worker, &queue); err != nil {
			return nil, err
		}
		if held[id] = running; running {
			n.wake(worker.Int32)
		} else {
			n.due(queue)
		}
	}
	return held, rows.Err()
}

// orEmpty makes an empty array of what would be NULL.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
