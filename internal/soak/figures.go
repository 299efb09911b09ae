//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

// stats compares what Stent counts with the rows.
func (j *judge) stats(ctx context.Context) error {
	stats, err := j.store.Stats(ctx)
	if err != nil {
		return err
	}
	states := map[backend.State]int64{}
	for _, x := range j.rows {
		states[x.State]++
	}
	for _, state := range backend.States {
		j.report.check("counts by state", 1)
		if state != backend.Waiting && stats.Executions[state] != states[state] {
			j.report.violate("%d executions are %s, and Stent counts %d", states[state], state, stats.Executions[state])
		}
	}
	letters, err := j.store.DeadLetters(ctx, backend.DeadLetterFilter{Limit: 100_000})
	if err != nil {
		return err
	}
	dead := map[string]int64{}
	for i := range letters {
		dead[letters[i].Queue]++
	}
	for _, q := range stats.Queues {
		j.report.check("counts by queue", 1)
		if q.Dead != dead[q.Queue] {
			j.report.violate("queue %s has %d dead letters, and Stent counts %d", q.Queue, dead[q.Queue], q.Dead)
		}
		if q.Depth+q.Running != 0 {
			j.report.violate("queue %s has %d due and %d running tasks, though all has ended", q.Queue, q.Depth, q.Running)
		}
	}
	return nil
}

// metrics compares what recorders were told with the rows. A process that was killed took what it had not told yet with
// it, so metrics may lack something, and never tell too much; the calm processes at the end tell all.
func (j *judge) metrics() {
	all, calm := map[string]int64{}, map[string]int64{}
	for process, n := range j.chronicle.metrics {
		for name, v := range n {
			all[name] += v
			if process > 1000 {
				calm[name] += v
			}
		}
	}
	for name, v := range j.client.counts.now() {
		all[name] += v
	}
	rows, calmRows := map[string]int64{}, map[string]int64{}
	add := func(name string, calm bool) {
		rows[name]++
		if calm {
			calmRows[name]++
		}
	}
	for id, x := range j.rows {
		calm := strings.HasPrefix(id, "calm-")
		if x.State.Final() {
			add("finished "+x.Workflow+" "+string(x.State), calm)
		}
		if x.Run > 1 {
			continue // what former runs did is deleted
		}
		for _, t := range j.tasks[id] {
			if t.Kind == backend.Activity && t.State == backend.Completed {
				add("completed activity "+t.Step, calm)
			}
		}
	}
	lacking := int64(0)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if name == "completed activity step" { // of which `again` has deleted rows
			continue
		}
		j.report.check("metrics that are not more than the rows", 1)
		if all[name] > rows[name] {
			j.report.violate("metrics tell %d of %q, the rows %d", all[name], name, rows[name])
		}
		lacking += rows[name] - all[name]
	}
	for name, n := range calmRows {
		if name == "completed activity step" || strings.HasSuffix(name, string(backend.Cancelled)) { // some are cancelled by the client
			continue
		}
		j.report.check("metrics of the calm that are exact", 1)
		if calm[name] != n {
			j.report.violate("of the calm metrics tell %d of %q, the rows %d", calm[name], name, n)
		}
	}
	if all["dropped"] > 0 {
		j.report.note("metrics     %d reports of dropped events", all["dropped"])
	}
	j.report.note("metrics     killed processes took %d events with them; %d leases lost, %d tasks taken over, %d writes fenced, %d errors of the database",
		lacking, all["lease lost"], all["taken over"], all["fenced"], all["errors"])
}

// sound checks the file, or the server's indexes.
func (s *soak) sound(ctx context.Context) error {
	if s.db.server == nil {
		db, err := sql.Open("sqlite", s.db.path)
		if err != nil {
			return err
		}
		defer db.Close()
		var verdict string
		if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
			return err
		}
		s.report.check("PRAGMA integrity_check", 1)
		if verdict != "ok" {
			s.report.violate("the file is damaged: %s", verdict)
		}
		return nil
	}
	conn, err := pgx.Connect(ctx, s.db.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS amcheck"); err != nil {
		s.report.note("            NOT CHECKED: indexes (this server has no amcheck)")
		return nil
	}
	rows, err := conn.Query(ctx, `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
		JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'stent' AND a.amname = 'btree'`)
	if err != nil {
		return err
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, index := range indexes {
		s.report.check("indexes, with amcheck", 1)
		if _, err := conn.Exec(ctx, "SELECT bt_index_parent_check($1::regclass, true)", index); err != nil {
			s.report.violate("index %s: %v", index, err)
		}
	}
	if len(indexes) == 0 {
		return fmt.Errorf("no indexes in the schema stent")
	}
	return nil
}
