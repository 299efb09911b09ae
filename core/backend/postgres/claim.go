package postgres

import (
	"bytes"
	"cmp"
	"errors"
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
		if !c.OnlyDue {
			p.add("claim_woken", func(rows pgx.Rows) (err error) {
				c.Woken, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			}, w.worker)
		}
		if c.OnlyWoken {
			continue
		}
		if from, ok := c.From.(lanes); ok && !from.limited(c) {
			if from = from.of(c); len(from) > 0 {
				name, args := from.claim(w.worker, c.Max)
				p.add(name, func(rows pgx.Rows) error { return w.readClaim(rows, c, from) }, args...)
			}
			continue
		}
		if len(limited) > 0 {
			p.add("claim_limits", nil, class+1, limited)
		}
		p.add("claim", func(rows pgx.Rows) error { return w.readClaim(rows, c, nil) },
			w.worker, orEmpty(unique(c.Queues)), orEmpty(c.Steps), orEmpty(c.Tags), int32(max(c.Max, 0)),
			orEmpty(limited), column(limited, func(step string) int32 { return number(max(c.Limits[step], 0)) }))
	}
}

func unique(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// claimed is a row of the table held: executions that a statement took for the worker.
type claimed struct {
	journal    int64
	executions []key
}

// claimedRow is a row of claim_take.sql.
type claimedRow struct {
	alive                              bool
	eligible                           int64
	next, journal                      pgtype.Int8
	lanes                              pgtype.DriverBytes // JSON
	execution, key                     pgtype.Text
	step, workflow, queue              name
	seq, rank, token, attempt, crashes pgtype.Int4
	hash, expiry                       pgtype.Int8
	paused, tags                       []string
	policy, input, detail              []byte
	failure                            []byte // JSON
	metadata, carrier                  pgtype.Text
	due, created, started              pgtype.Timestamptz
	fresh                              pgtype.Bool
	parent                             pgtype.Text
	run, base                          pgtype.Int4
}

// name is a text that is mostly the same from row to row, and then is the same string.
type name struct{ text string }

// ScanBytes is called by the driver.
func (n *name) ScanBytes(b []byte) error {
	if string(b) != n.text {
		n.text = string(b)
	}
	return nil
}

// contended is when to look again for tasks that other claims are taking, or may take, right now.
const contended = 5 * time.Millisecond

// readClaim reads what a claim from some lanes took, or from all where these are nil.
func (w *work) readClaim(rows pgx.Rows, c *backend.Claim, from lanes) error {
	var head, r claimedRow // r is one for all rows, since Scan has it escape
	columns := r.columns()
	c.Tasks = nil // of an earlier try
	for first := true; rows.Next(); first = false {
		if err := rows.Scan(columns...); err != nil {
			return err
		}
		if first { // there always is one, and what is said of the whole is the same in all
			head = r
			head.lanes = bytes.Clone(r.lanes)
		}
		if r.execution.Valid {
			if c.Tasks == nil {
				c.Tasks = make([]backend.Claimed, 0, min(int64(c.Max), r.eligible))
			}
			c.Tasks = append(c.Tasks, backend.Claimed{})
			if err := r.claimed(&c.Tasks[len(c.Tasks)-1], w.batch.Worker); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !head.alive {
		c.Err, c.Tasks = backend.ErrLeaseLost, nil
		return nil
	}
	slices.SortStableFunc(c.Tasks, func(a, b backend.Claimed) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Due.Compare(b.Due), a.Created.Compare(b.Created))
	})
	if head.journal.Valid {
		w.claimed = append(w.claimed, claimed{head.journal.Int64, orchestrators(c.Tasks)})
	}
	c.Paused = head.paused
	c.More = head.eligible > int64(c.Max)
	if err := leaves(c, from, head.lanes); err != nil {
		return err
	}
	if head.next.Valid {
		c.NextDue = max(time.Duration(head.next.Int64)*time.Microsecond, 0)
	}
	if int64(len(c.Tasks)) < min(head.eligible, int64(c.Max)) && (c.NextDue < 0 || c.NextDue > contended) {
		c.NextDue = contended
	}
	return nil
}

// orchestrators are the keys of the executions whose orchestrators are among some tasks.
func orchestrators(tasks []backend.Claimed) []key {
	keys := make([]key, 0, len(tasks))
	for i := range tasks {
		if tasks[i].Kind == backend.Orchestrator {
			keys = append(keys, keyOf(tasks[i].ID.Execution))
		}
	}
	return keys
}

func (r *claimedRow) columns() []any {
	return []any{
		&r.alive, &r.eligible, &r.next, &r.journal, &r.paused, &r.lanes, &r.execution, &r.seq, &r.key, &r.step, &r.workflow, &r.queue, &r.rank, &r.tags, &r.due,
		&r.token, &r.attempt, &r.crashes, &r.policy, &r.input, &r.hash, &r.failure, &r.created, &r.started, &r.fresh, &r.metadata, &r.carrier,
		&r.parent, &r.run, &r.base, &r.detail, &r.expiry,
	}
}

// claimed fills t, which is where it stays: a Claimed of its own would be allocated for each row.
func (r *claimedRow) claimed(t *backend.Claimed, worker string) error {
	kind, run := backend.Orchestrator, or1(r.run)
	if r.seq.Int32 > 0 {
		kind, run = backend.Activity, 0
	}
	parent, err := taskID(r.parent)
	var expiry time.Duration
	if r.expiry.Valid {
		expiry = max(time.Duration(r.expiry.Int64)*time.Microsecond, time.Microsecond)
	}
	*t = backend.Claimed{
		Task: backend.Task{
			ID: backend.TaskID{Execution: r.execution.String, Seq: int(r.seq.Int32)}, Key: unpackKey(r.step.text, r.key.String), Kind: kind,
			Step: r.step.text, Workflow: r.workflow.text, Queue: r.queue.text, Priority: priority(r.rank), Tags: r.tags,
			State: backend.Running, Due: at(r.due), Worker: worker, Token: int64(r.token.Int32), Attempt: or1(r.attempt),
			Crashes: int(r.crashes.Int32), Policy: r.policy, Input: r.input, InputHash: r.hash.Int64, Detail: r.detail,
			Created: at(r.created), Started: at(r.started),
		},
		Fresh: r.fresh.Bool, Expiry: expiry, Parent: parent, Run: run, Base: int(r.base.Int32),
	}
	return errors.Join(err, decode(r.failure, &t.Failure), decodeDict(r.metadata, &t.Metadata), decodeDict(r.carrier, &t.Carrier))
}
