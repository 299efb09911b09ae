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
		p.add("wake", w.news.woke, orEmpty(woken), executions, ids)
	}
}

// woke reads whom a wake concerns.
func (n *news) woke(rows pgx.Rows) error {
	for rows.Next() {
		var (
			running bool
			worker  pgtype.Int4
			queue   string
		)
		if err := rows.Scan(&running, &worker, &queue); err != nil {
			return err
		}
		if running {
			n.wake(worker.Int32)
		} else {
			n.due(queue)
		}
	}
	return rows.Err()
}

// orEmpty makes an empty array of what would be NULL.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
