package alerts

import (
	"time"

	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// taskAlerts are about what fails.
func (m *maker) taskAlerts() []Alert {
	const queue, step, workflow = metrics.LabelQueue, metrics.LabelStep, metrics.LabelWorkflow
	t, w := m.Thresholds, m.Windows
	window, name := m.window(w.Ratio), promql.Duration(w.Ratio)
	count := m.scaled(w.Ratio).Seconds() // a rate times this is how many

	failures, finished := m.failures(w.Ratio)
	attempts := m.record("queue_step:stent_tasks_attempted:rate"+name,
		m.of(metrics.TasksCompleted).Rate(window).Or(m.of(metrics.TasksFailed).Rate(window)).SumBy(queue, step), queue, step)
	retried := m.of(metrics.TasksFailed).Where(metrics.LabelRetrying, "true").Rate(window).SumBy(queue, step)
	retries := m.record("queue_step:stent_tasks_retried:ratio_rate"+name, retried.Over(attempts), queue, step)
	ended := m.record("workflow:stent_executions_finished:rate"+name, m.of(metrics.ExecutionsFinished).Rate(window).SumBy(workflow), workflow)
	failed := m.of(metrics.ExecutionsFinished).Match(metrics.LabelState, "failed|timed_out").Rate(window).SumBy(workflow)
	executions := m.record("workflow:stent_executions_failed:ratio_rate"+name, failed.Over(ended), workflow)

	return []Alert{
		m.alert(rule{
			name: "StentFailureRateHigh", severity: Critical, hold: 5 * time.Minute, dashboard: "workflow", labels: []string{queue, step},
			expr:    failures.Above(t.FailureRatio).And(finished.Times(count).AtLeast(float64(t.Traffic))),
			summary: say("Tasks of step ", label(step), " fail for good."),
			description: say(asShare, " of the tasks of step ", label(step), " in queue ", label(queue), " that ended within ", window,
				" failed for good. Attempts that are tried again are not counted."),
		}),
		m.alert(rule{
			name: "StentRetryStorm", severity: Warning, hold: 10 * time.Minute, dashboard: "workflow", labels: []string{queue, step},
			expr:    retries.Above(t.RetryRatio).And(attempts.Times(count).AtLeast(float64(t.Traffic))),
			summary: say("Most attempts at step ", label(step), " are tried again."),
			description: say(asShare, " of the attempts at step ", label(step), " in queue ", label(queue), " within ", window,
				" failed and will be tried again. Whatever it calls gets that load on top."),
		}),
		m.alert(rule{
			name: "StentExecutionsFailing", severity: Critical, hold: 5 * time.Minute, dashboard: "workflow", labels: []string{workflow},
			expr:        executions.Above(t.ExecutionRatio).And(ended.Times(count).AtLeast(float64(t.Executions))),
			summary:     say("Executions of workflow ", label(workflow), " fail."),
			description: say(asShare, " of the executions of workflow ", label(workflow), " that ended within ", window, " failed or timed out."),
		}),
		m.alert(rule{
			name: "StentTaskPoisoned", severity: Critical, hold: time.Minute, dashboard: "workflow", labels: []string{queue, step},
			expr:    m.of(metrics.TasksPoisoned).Grown(m.window(w.Events)).SumBy(queue, step).Above(0),
			summary: say("Step ", label(step), " kills workers."),
			description: say(asNumber, " tasks of step ", label(step), " in queue ", label(queue), " became dead letters within ",
				m.window(w.Events), " because worker after worker died of them."),
		}),
	}
}

// failures are the share of finished tasks that failed for good over a window, and how many finished a second.
func (m *maker) failures(over time.Duration) (ratio, finished promql.Expr) {
	const queue, step = metrics.LabelQueue, metrics.LabelStep
	window, name := m.window(over), promql.Duration(over)
	final := m.of(metrics.TasksFailed).Where(metrics.LabelRetrying, "false").Rate(window)
	finished = m.record("queue_step:stent_tasks_finished:rate"+name,
		m.of(metrics.TasksCompleted).Rate(window).Or(final).SumBy(queue, step), queue, step)
	ratio = m.record("queue_step:stent_tasks_failed:ratio_rate"+name, final.SumBy(queue, step).Over(finished), queue, step)
	return ratio, finished
}
