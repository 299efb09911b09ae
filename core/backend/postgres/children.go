package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stentgo/stent/core/backend"
)

// addedHere and addedChildren are the two kinds of new entries of a history.
func addedHere(t *backend.Turn) []backend.Add { return someAdded(t, false) }

func addedChildren(t *backend.Turn) []backend.Add { return someAdded(t, true) }

// someAdded copies only where there are both.
func someAdded(t *backend.Turn, children bool) []backend.Add {
	n := 0
	for i := range t.Added {
		if (t.Added[i].Child != nil) == children {
			n++
		}
	}
	switch n {
	case 0:
		return nil
	case len(t.Added):
		return t.Added
	}
	some := make([]backend.Add, 0, n)
	for _, a := range t.Added {
		if (a.Child != nil) == children {
			some = append(some, a)
		}
	}
	return some
}

// addChildren writes calls of workflows and begins their executions.
func (w *work) addChildren(p *pipeline) {
	added := inTurns(w.turns, addedChildren)
	if len(added) == 0 {
		return
	}
	callers := make(map[key]pgtype.Text, len(w.turns))
	for _, t := range w.turns {
		callers[t.key] = aliasOf(t.cmd.Execution)
	}
	starts := column(added, func(a keyed[backend.Add]) *backend.Start { return a.cmd.Child })
	for _, s := range starts {
		w.news.started(s)
	}
	p.add("add_child", nil,
		column(added, keyedKey),
		column(added, func(a keyed[backend.Add]) int32 { return number(a.cmd.Seq) }),
		column(added, func(a keyed[backend.Add]) string { return packKey(a.cmd.Step, a.cmd.Key) }),
		column(starts, func(s *backend.Start) string { return s.Workflow }),
		column(starts, func(s *backend.Start) string { return s.Queue }),
		column(starts, func(s *backend.Start) int32 { return rankOf(s.Priority) }),
		column(starts, func(s *backend.Start) string { return array(s.Tags) }),
		column(starts, func(s *backend.Start) []byte { return s.Policy }),
		column(starts, func(s *backend.Start) []byte { return s.Input }),
		column(starts, func(s *backend.Start) int64 { return s.InputHash }),
		column(starts, func(s *backend.Start) key { return keyOf(s.ID) }),
		column(starts, func(s *backend.Start) pgtype.Text { return aliasOf(s.ID) }),
		column(added, func(a keyed[backend.Add]) bool { return a.cmd.Detached }),
		column(starts, func(s *backend.Start) int64 { return delay(s.Delay) }),
		column(starts, func(s *backend.Start) pgtype.Timestamptz { return moment(s.At) }),
		column(starts, func(s *backend.Start) int64 { return delay(s.MaxDuration) }),
		column(starts, func(s *backend.Start) pgtype.Text { return dict(s.Metadata) }),
		column(starts, func(s *backend.Start) pgtype.Text { return dict(s.Carrier) }),
		column(added, func(a keyed[backend.Add]) pgtype.Text { return callers[a.key] }),
		column(starts, func(s *backend.Start) pgtype.Text {
			return failure(&backend.Failure{Code: backend.CodeChildExists, Message: fmt.Sprintf("an execution with the id %s exists", s.ID)})
		}))
}

// deserted are the children that are asked to stop.
func (w *work) deserted() (keys []key) {
	for _, t := range w.turns {
		for _, child := range t.cmd.Deserted {
			keys = append(keys, keyOf(child))
		}
	}
	return keys
}

// forgetAll cancels what is unfinished of executions that have ended, and asks their children to stop.
func (t *taker) forgetAll(ctx context.Context, ended []key) error {
	rows, err := t.tx.Query(ctx, t.db.q.get("open_children"), ended)
	if err != nil {
		return err
	}
	children, err := collect(rows, func(rows pgx.Rows) (*backend.Cancel, error) {
		var parent, child string
		err := rows.Scan(&parent, &child)
		return backend.Desertion(parent, child), err
	})
	if err == nil {
		err = t.exec(ctx, "forget_all", ended)
	}
	if err != nil || len(children) == 0 {
		return err
	}
	c := gather(children)
	if rows, err = t.tx.Query(ctx, t.db.q.get("cancel"), c.args()...); err == nil {
		err = c.read(rows, t.news)
		rows.Close()
	}
	if err != nil {
		return err
	}
	return t.exec(ctx, "cancel_tasks", c.keys)
}

// parents are the callers of the executions that end, who are woken.
func (w *work) parents() []key {
	var keys []key
	for _, t := range w.turns {
		if c := t.cmd.Close; c != nil && c.Parent != nil {
			keys = append(keys, keyOf(c.Parent.Execution))
		}
	}
	return keys
}

// families tells whether turns change rows that belong to several executions, who may be changing them too.
func (w *work) families() bool {
	for _, t := range w.turns {
		if c := t.cmd.Close; c != nil && (c.Parent != nil || len(t.cmd.Forgotten)+len(t.cmd.Stopped) > 0) || len(t.cmd.Deserted) > 0 {
			return true
		}
	}
	return false
}

// settleParents tells the callers of executions that have ended.
func (w *work) settleParents(p *pipeline, closed []keyed[*backend.Turn]) {
	var children []key
	var failures []pgtype.Text
	for _, t := range closed {
		if t.cmd.Close.Parent != nil {
			children = append(children, t.key)
			failures = append(failures, failure(backend.ChildFailure(t.cmd.Execution, t.cmd.Close)))
		}
	}
	if len(children) > 0 {
		p.add("settle_parent", nil, children, failures)
	}
}

// settleParents tells the callers of executions whose orchestrators were buried.
func (t *taker) settleParents(ctx context.Context, poisoned []held) error {
	var children, parents []key
	var failures []pgtype.Text
	for _, h := range poisoned {
		if h.parent == nil {
			continue
		}
		reason := t.reason(h)
		children, parents = append(children, h.key), append(parents, keyOf(h.parent.Execution))
		failures = append(failures, failure(backend.ChildFailure(h.id.Execution, &backend.Close{
			Reason: reason, Failure: &backend.Failure{Message: reason, Code: codePoison},
		})))
	}
	if len(children) == 0 {
		return nil
	}
	if err := t.exec(ctx, "settle_parent", children, failures); err != nil {
		return err
	}
	rows, err := t.tx.Query(ctx, t.db.q.get("wake"), parents, []key{}, []string{})
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = t.news.woke(rows)
	return err
}

// continues begins other runs of executions, and deletes what is left of former ones.
func (w *work) continues(p *pipeline) {
	again := w.turnsWith(func(t *backend.Turn) bool { return t.Continue != nil })
	if len(again) > 0 {
		p.add("continue", nil,
			column(again, keyedKey), column(again, turnToken),
			column(again, func(t keyed[*backend.Turn]) int32 { return number(t.cmd.Continue.Run) }),
			column(again, func(t keyed[*backend.Turn]) int32 { return number(t.cmd.Continue.Base) }),
			column(again, func(t keyed[*backend.Turn]) []byte { return t.cmd.Continue.Input }))
	}
	var all []key
	for _, t := range again {
		if t.cmd.Continue.Base == 0 {
			all = append(all, t.key)
		}
	}
	if len(all) > 0 {
		p.add("trim_all", nil, all)
	}
	left := map[key][]*bool{}
	for _, t := range again {
		left[t.key] = append(left[t.key], &t.cmd.Continue.Left)
	}
	for _, t := range w.trims {
		left[t.key] = append(left[t.key], &t.cmd.Left)
	}
	if len(left) == 0 {
		return
	}
	keys := make([]key, 0, len(left))
	for k := range left {
		keys = append(keys, k)
	}
	p.add("trim", func(rows pgx.Rows) error {
		var k key
		_, err := pgx.ForEachRow(rows, []any{&k}, func() error {
			for _, l := range left[k] {
				*l = true
			}
			return nil
		})
		return err
	}, keys, backend.TrimMost)
}
