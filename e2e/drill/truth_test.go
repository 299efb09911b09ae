package drill_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
)

// postgres is the version of the server.
func (s *stage) postgres() (version string) {
	s.t.Helper()
	s.ask("SHOW server_version", func(rows pgx.Rows) error { return rows.Scan(&version) })
	return version
}

// ask asks the database of the shop.
func (s *stage) ask(sql string, row func(pgx.Rows) error) {
	s.t.Helper()
	conn, err := pgx.Connect(s.ctx, s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.ctx)
	rows, err := conn.Query(s.ctx, sql)
	if err != nil {
		s.t.Fatal(err)
	}
	for rows.Next() {
		err = errors.Join(err, row(rows))
	}
	rows.Close()
	if err := errors.Join(err, rows.Err()); err != nil {
		s.t.Fatal(err)
	}
}

// counted are the counters whose value the rows of the database tell. Each question answers with the labels' values, in
// the order of their names, and a number; what it says twice is added up. A token is how often a task was claimed, and one that healed had failed before.
var counted = []struct {
	metric metrics.Metric
	labels []string
	sql    string
}{
	{metrics.TasksClaimed, []string{"queue", "step"}, `
		SELECT queue, step, sum(token) FROM stent.tasks WHERE coalesce(kind, 'activity') = 'activity' GROUP BY 1, 2
		UNION ALL SELECT queue, workflow, sum(token) FROM stent.executions GROUP BY 1, 2`},
	{metrics.TasksCompleted, []string{"queue", "step"}, `
		SELECT queue, step, count(*) FROM stent.tasks WHERE coalesce(kind, 'activity') = 'activity' AND state = 'completed' GROUP BY 1, 2
		UNION ALL SELECT queue, workflow, count(*) FROM stent.executions WHERE state = 'completed' GROUP BY 1, 2`},
	{metrics.TasksFailed, []string{"queue", "retrying", "step"}, `
		SELECT t.queue, f.retried::text, t.step, count(*) FROM stent.failures AS f JOIN stent.tasks AS t USING (execution_id, seq) GROUP BY 1, 2, 3
		UNION ALL SELECT queue, 'false', workflow, count(*) FROM stent.executions WHERE state = 'failed' OR healed_to > 0 GROUP BY 1, 3`},
	{metrics.DeadLettersMoved, []string{"queue", "step"}, `
		SELECT t.queue, t.step, count(*) FROM stent.failures AS f JOIN stent.tasks AS t USING (execution_id, seq) WHERE NOT f.retried GROUP BY 1, 2`},
	{metrics.TasksPoisoned, []string{"queue", "step"}, `
		SELECT queue, step, count(*) FROM stent.tasks WHERE failure ->> 'code' = 'poison' GROUP BY 1, 2`},
	{metrics.LeaseTakeovers, []string{"queue"}, `
		SELECT queue, sum(crashes - CASE WHEN failure ->> 'code' = 'poison' THEN 1 ELSE 0 END) FROM stent.tasks WHERE crashes > 0 GROUP BY 1`},
	{metrics.ExecutionsStarted, []string{"workflow"}, `SELECT workflow, count(*) FROM stent.executions GROUP BY 1`},
	{metrics.ExecutionsFinished, []string{"state", "workflow"}, `
		SELECT state::text, workflow, count(*) FROM stent.executions WHERE finished_at IS NOT NULL GROUP BY 1, 2
		UNION ALL SELECT 'failed', workflow, count(*) FROM stent.executions WHERE healed_to > 0 GROUP BY 2`},
	{metrics.DeadLettersReplayed, []string{"queue"}, `
		SELECT t.queue, count(*) FROM stent.audit AS a JOIN stent.tasks AS t ON t.execution_id::text = a.execution_id::text AND t.seq = a.seq
		WHERE a.action = 'replay' GROUP BY 1`},
	{metrics.DeadLettersDiscarded, []string{"queue"}, `
		SELECT t.queue, count(*) FROM stent.audit AS a JOIN stent.tasks AS t ON t.execution_id::text = a.execution_id::text AND t.seq = a.seq
		WHERE a.action = 'discard' GROUP BY 1`},
}

// facts are values by labels.
type facts map[string]float64

func (f facts) String() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(f)) {
		all = append(all, fmt.Sprintf("%s: %v", key, f[key]))
	}
	return strings.Join(all, "; ")
}

// countersAgree compares each counter, by each way and over all processes that ever lived, with the database.
func (s *stage) countersAgree() {
	s.t.Helper()
	values, sum, wrong := 0, 0.0, 0
	for _, c := range counted {
		want := facts{}
		s.ask(c.sql, func(rows pgx.Rows) error {
			row, err := rows.Values()
			if err != nil {
				return err
			}
			key := ""
			for i, label := range c.labels {
				key += fmt.Sprintf(",%s=%v", label, row[i])
			}
			n := 0.0
			if _, err := fmt.Sscan(text(row[len(c.labels)]), &n); err != nil {
				return err
			}
			want[key[1:]] += n
			return nil
		})
		if len(want) == 0 {
			s.t.Errorf("the story has nothing for %s to count", c.metric.Name)
		}
		for _, job := range jobs {
			query := fmt.Sprintf(`sum by (%s) (last_over_time(%s{job=%q,namespace="shop"}[1h])) > 0`, strings.Join(c.labels, ", "), c.metric.Name, job)
			err := s.within(20*time.Second, func() error { return s.saysOf(query, want) })
			if err != nil {
				s.t.Errorf("%s by the way of %s: %v", c.metric.Name, job, err)
				wrong++
			}
		}
		for _, v := range want {
			values++
			sum += v
		}
	}
	s.say("%d counters, %.0f events in all, compared with the database over all three ways: %d differ", values, sum, wrong)
}

func text(v any) string {
	if n, ok := v.(interface{ Value() (any, error) }); ok { // a numeric
		v, _ := n.(interface{ MarshalJSON() ([]byte, error) }).MarshalJSON()
		return string(v)
	}
	return fmt.Sprint(v)
}

// saysOf compares what a query answers now with what it should.
func (s *stage) saysOf(query string, want facts) error {
	found, err := s.prometheus.query(s.ctx, query, time.Now())
	if err != nil {
		return err
	}
	got := facts{}
	for i := range found {
		got[found[i].labels()] = float64(found[i].Value)
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("%s says\n%s, the database\n%s", query, got, want)
	}
	return nil
}

// gaugesAgree compares the gauges that come from the database with it, while nothing moves.
func (s *stage) gaugesAgree() {
	s.t.Helper()
	stats, err := s.office.db.Stats(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	want := map[string]facts{}
	add := func(m metrics.Metric, label, value string, n int64) {
		if want[m.Name] == nil {
			want[m.Name] = facts{}
		}
		want[m.Name][label+"="+value] = float64(n)
	}
	for _, q := range stats.Queues {
		add(metrics.QueueDepth, "queue", q.Queue, q.Depth)
		add(metrics.QueueScheduled, "queue", q.Queue, q.Scheduled)
		add(metrics.QueueRunning, "queue", q.Queue, q.Running)
		add(metrics.QueueWorkers, "queue", q.Queue, q.Workers)
		add(metrics.QueueDeadLetters, "queue", q.Queue, q.Dead)
	}
	for _, state := range backend.States {
		if state != backend.Waiting { // which is a task's
			add(metrics.ExecutionsByState, "state", string(state), stats.Executions[state])
		}
	}
	values, wrong := 0, 0
	for name, facts := range want {
		label, _, _ := strings.Cut(slices.Sorted(maps.Keys(facts))[0], "=")
		for _, job := range jobs {
			if err := s.within(20*time.Second, func() error {
				return s.saysOf(fmt.Sprintf(`max by (%s) (%s{job=%q,namespace="shop"})`, label, name, job), facts)
			}); err != nil {
				s.t.Error(err)
				wrong++
			}
		}
		values += len(facts)
	}
	s.say("%d gauges compared with the database over all three ways: %d differ", values, wrong)
}
