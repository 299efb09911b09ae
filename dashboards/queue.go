package dashboards

import "github.com/stentgo/stent/metrics"

// Queue is the dashboard of one queue or several: what waits and for how long, who serves it, what gets done, and what
// is dead.
func Queue(o Options) Dashboard {
	b := newBoard(o, "queue", "Stent / Queue", "What waits in a queue and for how long, who serves it, what gets done, what is dead.",
		o.choice(metrics.LabelQueue, "Queue", metrics.QueueDepth))

	b.heading("Now")
	b.stat(4, 4, "Depth", "Tasks that are due and that no worker has.",
		look{unit: number, thresholds: above(calm, 100, 1000), runbook: "StentQueueGrowing"}, line{b.of(metrics.QueueDepth).Total(), ""})
	b.stat(4, 4, "Oldest waiting", "How long the task that waits longest has been due.",
		look{unit: seconds, thresholds: above(calm, 60, 300), runbook: "StentTasksWaitLong"}, line{b.of(metrics.QueueOldestAge).Max(), ""})
	b.stat(4, 4, "Running", "Tasks that workers have.", look{unit: number}, line{b.of(metrics.QueueRunning).Total(), ""})
	b.stat(4, 4, "Workers", "Live workers that serve the queue.",
		look{unit: number, thresholds: above(needs, 1), runbook: "StentQueueWithoutWorkers"}, line{b.of(metrics.QueueWorkers).Total(), ""})
	b.stat(4, 4, "Dead letters", "Tasks that will not be tried again by themselves.",
		look{unit: number, thresholds: above(calm, 1, 10), runbook: "StentDeadLettersPending"}, line{b.of(metrics.QueueDeadLetters).Total(), ""})
	b.stat(4, 4, "Paused", "Whether an operator has paused the queue: then nothing is taken from it.",
		look{unit: number, mappings: yesNo("paused", "orange", "no", "green")}, line{b.of(metrics.QueuePaused).Max(), ""})

	b.heading("Waiting")
	b.lines(12, 8, "Waiting, scheduled, running", "Due and not taken; due later (delayed, sleeping or backing off); with workers.",
		look{unit: number, runbook: "StentQueueGrowing"},
		line{b.of(metrics.QueueDepth).Total(metrics.LabelQueue), "{{queue}} waiting"},
		line{b.of(metrics.QueueScheduled).Total(metrics.LabelQueue), "{{queue}} scheduled"},
		line{b.of(metrics.QueueRunning).Total(metrics.LabelQueue), "{{queue}} running"})
	b.lines(12, 8, "Oldest", "How long the task that waits longest has been due, and the activity that runs longest has run.",
		look{unit: seconds, runbook: "StentTasksWaitLong"},
		line{b.of(metrics.QueueOldestAge).Max(metrics.LabelQueue), "{{queue}} waiting"},
		line{b.of(metrics.QueueOldestRunningAge).Max(metrics.LabelQueue), "{{queue}} running"})
	b.lines(12, 8, "Time to start", "From when a task was due until a worker began with it: half of them, 95 and 99 of 100 at most this long.",
		look{unit: seconds, exemplars: true},
		line{b.quantile(metrics.ScheduleToStart, 0.5), "p50"}, line{b.quantile(metrics.ScheduleToStart, 0.95), "p95"},
		line{b.quantile(metrics.ScheduleToStart, 0.99), "p99"})
	b.heatmap(12, 8, "Time to start, how often", "How many tasks began after how long a wait; the darker, the more.", seconds,
		metrics.ScheduleToStart)

	b.heading("Work")
	b.lines(8, 8, "Taken and completed", "Tasks that workers began with, and that ended with a result, a minute. Retries are taken again.",
		look{unit: perMinute},
		line{b.perMinute(metrics.TasksClaimed, metrics.LabelQueue), "{{queue}} taken"},
		line{b.perMinute(metrics.TasksCompleted, metrics.LabelQueue), "{{queue}} completed"})
	b.lines(8, 8, "Error rate", "Tasks that failed for good, of those that ended.",
		look{unit: percent, thresholds: above(alarm, 0.05), runbook: "StentFailureRateHigh"}, line{b.failureRatio(metrics.LabelQueue), "{{queue}}"})
	b.lines(8, 8, "Retried attempts", "Attempts that failed and are tried again, of all attempts that ended.",
		look{unit: percent, thresholds: above(alarm, 0.5), runbook: "StentRetryStorm"}, line{b.retryRatio(metrics.LabelQueue), "{{queue}}"})

	b.heading("Dead letters")
	b.lines(8, 8, "Dead letters by queue", "Tasks that wait for a person.", look{unit: number, runbook: "StentDeadLettersPending"},
		line{b.of(metrics.QueueDeadLetters).Total(metrics.LabelQueue), "{{queue}}"})
	b.lines(8, 8, "Oldest dead letter", "How long the oldest dead letter has been there.", look{unit: seconds},
		line{b.of(metrics.QueueDeadLettersOldestAge).Max(metrics.LabelQueue), "{{queue}}"})
	b.lines(8, 8, "Dead letters moved", "Tasks that became dead letters, and dead letters that were put back to work or removed, a minute.",
		look{unit: perMinute, runbook: "StentDeadLettersGrowing"},
		line{b.perMinute(metrics.DeadLettersMoved, metrics.LabelQueue), "{{queue}} died"},
		line{b.perMinute(metrics.DeadLettersReplayed, metrics.LabelQueue), "{{queue}} replayed"},
		line{b.perMinute(metrics.DeadLettersDiscarded, metrics.LabelQueue), "{{queue}} discarded"})

	b.heading("Workers")
	b.lines(12, 8, "Workers that serve the queue", "Live workers, as the database has them.",
		look{unit: number, runbook: "StentQueueWithoutWorkers"}, line{b.of(metrics.QueueWorkers).Total(metrics.LabelQueue), "{{queue}}"})
	b.lines(12, 8, "Tasks taken over", "Tasks whose worker's lease ran out, a minute: it died, or could not reach the database.",
		look{unit: perMinute, runbook: "StentTasksTakenOver"}, line{b.perMinute(metrics.LeaseTakeovers, metrics.LabelQueue), "{{queue}}"})
	return b.Dashboard
}
