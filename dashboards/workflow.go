package dashboards

import "github.com/stentgo/stent/metrics"

// WorkflowAndStep is the dashboard of workflows and of the steps in them: how executions end and how long they take, and
// for each step throughput, duration, errors and the budget of errors that it declares.
func WorkflowAndStep(o Options) Dashboard {
	b := newBoard(o, "workflow", "Stent / Workflow and step",
		"How executions end and how long they take; each step's throughput, duration and errors; the error budget of steps that declare one.",
		o.choice(metrics.LabelWorkflow, "Workflow", metrics.ExecutionsStarted),
		o.choice(metrics.LabelQueue, "Queue", metrics.TasksClaimed),
		o.choice(metrics.LabelStep, "Step", metrics.TasksClaimed))

	b.heading("Executions")
	b.lines(8, 8, "Started", "Executions that were started, a minute.", look{unit: perMinute},
		line{b.perMinute(metrics.ExecutionsStarted, metrics.LabelWorkflow), "{{workflow}}"})
	b.lines(8, 8, "Finished", "Executions that ended, a minute, by how they ended.",
		look{unit: perMinute, stacked: true, runbook: "StentExecutionsFailing"},
		line{b.perMinute(metrics.ExecutionsFinished, metrics.LabelWorkflow, metrics.LabelState), "{{workflow}} {{state}}"})
	b.lines(8, 8, "Failed executions", "Executions that failed or timed out, of those that ended.",
		look{unit: percent, thresholds: above(alarm, 0.1), runbook: "StentExecutionsFailing"},
		line{b.of(metrics.ExecutionsFinished).Match(metrics.LabelState, "failed|timed_out").Rate(window).Sum(metrics.LabelWorkflow).
			Over(b.rate(metrics.ExecutionsFinished, metrics.LabelWorkflow)), "{{workflow}}"})
	b.lines(12, 8, "Duration of executions", "From the start of an execution to its end, waits included: half of them, 95 and 99 of 100 at most this long.",
		look{unit: seconds, exemplars: true},
		line{b.quantile(metrics.ExecutionDuration, 0.5, metrics.LabelWorkflow), "{{workflow}} p50"},
		line{b.quantile(metrics.ExecutionDuration, 0.95, metrics.LabelWorkflow), "{{workflow}} p95"},
		line{b.quantile(metrics.ExecutionDuration, 0.99, metrics.LabelWorkflow), "{{workflow}} p99"})
	b.heatmap(12, 8, "Duration of executions, how often", "How many executions took how long; the darker, the more.", seconds,
		metrics.ExecutionDuration)

	b.heading("Steps")
	b.stepTable(24, 8)
	b.lines(12, 8, "Throughput", "Tasks completed a minute.", look{unit: perMinute},
		line{b.perMinute(metrics.TasksCompleted, metrics.LabelStep), "{{step}}"})
	b.lines(12, 8, "Attempts that failed", "Attempts that failed, a minute: tried again, or for good.", look{unit: perMinute},
		line{b.of(metrics.TasksFailed).Where(metrics.LabelRetrying, "true").Rate(window).Sum(metrics.LabelStep).Times(60), "{{step}} retried"},
		line{b.final().Sum(metrics.LabelStep).Times(60), "{{step}} for good"})
	b.lines(12, 8, "Duration p95", "95 of 100 attempts that completed a task took at most this long.", look{unit: seconds, exemplars: true},
		line{b.quantile(metrics.TaskDuration, 0.95, metrics.LabelStep), "{{step}}"})
	b.heatmap(12, 8, "Duration, how often", "How many attempts took how long, of the chosen steps together; the darker, the more.", seconds,
		metrics.TaskDuration)
	b.lines(12, 8, "Error rate", "Tasks that failed for good, of those that ended.",
		look{unit: percent, thresholds: above(alarm, 0.05), runbook: "StentFailureRateHigh"}, line{b.failureRatio(metrics.LabelStep), "{{step}}"})
	b.lines(12, 8, "Retried attempts", "Attempts that failed and are tried again, of all attempts that ended.",
		look{unit: percent, thresholds: above(alarm, 0.5), runbook: "StentRetryStorm"}, line{b.retryRatio(metrics.LabelStep), "{{step}}"})

	b.heading("Error budget and dead letters")
	b.lines(6, 8, "Burn rate", "How fast a step uses up the errors that its objective allows: at 1 it lasts exactly as long as the objective, at 14.4 a "+
		"month's errors are gone in two days. Only steps that declare an objective.",
		look{unit: number, decimals: ptr(1), thresholds: above(alarm, 14.4), runbook: "StentSLOBurning"},
		line{b.failureRatio(metrics.LabelStep).Over(b.of(metrics.StepSLO).Max(metrics.LabelStep).OneMinus()), "{{step}}"})
	b.lines(6, 8, "Objective", "The share of tasks that are to complete, of the steps that declare one.", look{unit: percent, decimals: ptr(2), max: ptr(1.0), free: true},
		line{b.of(metrics.StepSLO).Max(metrics.LabelStep), "{{step}}"})
	b.lines(12, 8, "Dead letters by step", "Tasks that became dead letters, a minute; poison is what workers died of.",
		look{unit: perMinute, runbook: "StentDeadLettersGrowing"},
		line{b.perMinute(metrics.DeadLettersMoved, metrics.LabelStep), "{{step}}"},
		line{b.perMinute(metrics.TasksPoisoned, metrics.LabelStep), "{{step}} poison"})
	return b.Dashboard
}

// stepTable tells how each step stands.
func (b *board) stepTable(w, h int) {
	step, queue := metrics.LabelStep, metrics.LabelQueue
	b.table(w, h, "Steps", "How each step stands now.", look{unit: number}, "Completed",
		[]key{{step, "Step"}, {queue, "Queue"}},
		column{line: line{b.perMinute(metrics.TasksCompleted, queue, step), "Completed"}, unit: perMinute},
		column{line: line{b.quantile(metrics.TaskDuration, 0.5, queue, step), "p50"}, unit: seconds},
		column{line: line{b.quantile(metrics.TaskDuration, 0.95, queue, step), "p95"}, unit: seconds},
		column{line: line{b.failureRatio(queue, step), "Error rate"}, unit: percent, thresholds: above(calm, 0.01, 0.05)},
		column{line: line{b.retryRatio(queue, step), "Retried"}, unit: percent, thresholds: above(calm, 0.1, 0.5)},
		column{line: line{b.perMinute(metrics.DeadLettersMoved, queue, step), "Dead letters"}, unit: perMinute, thresholds: above(alarm, 0.001)},
	)
}
