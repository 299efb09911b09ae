package postgres

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// claim appends the batch's claims. They come last: from here on the transaction waits for no lock.
func (w *work) claim(p *pipeline, class int32) {
	for _, c := range w.claims {
		limited := slices.Sorted(maps.Keys(c.Limits))
		p.add("claim_woken", func(rows pgx.Rows) (err error) {
			c.Woken, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		}, w.worker)
		p.add("claim_limits", nil, class+1, orEmpty(limited))
		p.add("claim", func(rows pgx.Rows) error { return readClaim(rows, c) },
			w.worker, orEmpty(unique(c.Queues)), orEmpty(c.Steps), orEmpty(c.Tags), int32(max(c.Max, 0)),
			orEmpty(limited), column(limited, func(step string) int32 { return number(max(c.Limits[step], 0)) }))
	}
}

func unique(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// claimedRow is a row of claim.sql.
type claimedRow struct {
	alive                                      bool
	eligible                                   int64
	next                                       pgtype.Int8
	execution, key, step, workflow, queue      pgtype.Text
	seq, rank, token, attempt, crashes         pgtype.Int4
	hash                                       pgtype.Int8
	tags                                       []string
	policy, input, failure, metadata, carrier  []byte
	due, created, started                      pgtype.Timestamptz
	fresh                                      pgtype.Bool
}

func readClaim(rows pgx.Rows, c *backend.Claim) error {
	var alive bool
	for rows.Next() {
		var r claimedRow
		if err := rows.Scan(&r.alive, &r.eligible, &r.next, &r.execution, &r.seq, &r.key, &r.step, &r.workflow, &r.queue, &r.rank, &r.tags, &r.due,
			&r.token, &r.attempt, &r.crashes, &r.policy, &r.input, &r.hash, &r.failure, &r.created, &r.started, &r.fresh, &r.metadata, &r.carrier); err != nil {
			return err
		}
		alive = r.alive
		c.More = r.eligible > int64(c.Max)
		if r.next.Valid {
			c.NextDue = time.Duration(r.next.Int64) * time.Microsecond
		}
		if !r.execution.Valid {
			continue // a claim without tasks
		}
		task, err := r.claimed()
		if err != nil {
			return err
		}
		c.Tasks = append(c.Tasks, task)
		if len(c.Tasks) == 1 {
			defer settleClaim(c, r.eligible)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !alive {
		c.Err = backend.ErrLeaseLost
	}
	return nil
}
