package dashboards

import "github.com/stentgo/stent/metrics"

// Overview is the dashboard to look at first: throughput, latency, error rate, queue depth, dead letters and the health
// of workers, each as one number and over time, and a table of the queues.
func Overview(o Options) Dashboard {
	b := newBoard(o, "overview", "Stent / Overview",
		"Whether tasks get done: throughput, latency, errors, queues, dead letters, workers. The other Stent dashboards go into each.")

	b.heading("Now")
	b.stat(4, 4, "Throughput", "Tasks completed a minute, of all queues and steps.", look{unit: perMinute, decimals: ptr(1)},
		line{b.perMinute(metrics.TasksCompleted), ""})
	b.stat(4, 4, "Latency p95", "95 of 100 attempts that completed a task took at most this long.", look{unit: seconds},
		line{b.quantile(metrics.TaskDuration, 0.95), ""})
	b.stat(4, 4, "Error rate", "Tasks that failed for good, of all that ended. Attempts that are retried are not in it.",
		look{unit: percent, decimals: ptr(1), thresholds: above(calm, 0.01, 0.05), runbook: "StentFailureRateHigh"}, line{b.failureRatio(), ""})
	b.stat(4, 4, "Queue depth", "Tasks that are due and that no worker has, of all queues.",
		look{unit: number, thresholds: above(calm, 100, 1000), runbook: "StentQueueGrowing"}, line{b.of(metrics.QueueDepth).Total(), ""})
	b.stat(4, 4, "Dead letters", "Tasks that will not be tried again by themselves and wait for a person.",
		look{unit: number, thresholds: above(calm, 1, 10), runbook: "StentDeadLettersGrowing"}, line{b.of(metrics.QueueDeadLetters).Total(), ""})
	b.stat(4, 4, "Workers ready", "Workers that are registered in the database and take work.",
		look{unit: number, thresholds: above(needs, 1), runbook: "StentQueueWithoutWorkers"},
		line{b.of(metrics.WorkersByState).Where(metrics.LabelState, "ready").Total(), ""})

	b.heading("Tasks")
	b.lines(12, 8, "Throughput by step", "Tasks completed a minute. A step is the name of an activity or a workflow.", look{unit: perMinute},
		line{b.perMinute(metrics.TasksCompleted, metrics.LabelStep), "{{step}}"})
	b.lines(12, 8, "Latency", "How long attempts that completed a task took: half of them, 95 and 99 of 100 at most this long.",
		look{unit: seconds, exemplars: true},
		line{b.quantile(metrics.TaskDuration, 0.5), "p50"}, line{b.quantile(metrics.TaskDuration, 0.95), "p95"},
		line{b.quantile(metrics.TaskDuration, 0.99), "p99"})
	b.lines(12, 8, "Error rate by step", "Tasks of a step that failed for good, of those that ended.",
		look{unit: percent, thresholds: above(alarm, 0.05), runbook: "StentFailureRateHigh"},
		line{b.failureRatio(metrics.LabelStep), "{{step}}"})
	b.lines(12, 8, "Executions finished", "Executions that ended, a minute, by how they ended.", look{unit: perMinute, stacked: true},
		line{b.perMinute(metrics.ExecutionsFinished, metrics.LabelState), "{{state}}"})

	b.heading("Queues")
	b.lines(12, 8, "Queue depth by queue", "Tasks that are due and that no worker has. What is delayed, sleeps or backs off is not in it.",
		look{unit: number, runbook: "StentQueueGrowing"},
		line{b.of(metrics.QueueDepth).Total(metrics.LabelQueue), "{{queue}}"})
	b.lines(12, 8, "Dead letters by queue", "Tasks that wait for a person: replay or discard them.",
		look{unit: number, runbook: "StentDeadLettersPending"},
		line{b.of(metrics.QueueDeadLetters).Total(metrics.LabelQueue), "{{queue}}"})
	b.queueTable(24, 9)

	b.heading("Workers")
	b.lines(8, 8, "Workers by state", "Workers that are registered in the database. A dead one's lease ran out; its tasks are taken over.",
		look{unit: number, stacked: true}, line{b.of(metrics.WorkersByState).Total(metrics.LabelState), "{{state}}"})
	b.lines(8, 8, "Slots", "Activities that run, and that could run at once, on the workers of all processes.", look{unit: number},
		line{b.of(metrics.WorkerSlotsUsed).Sum(), "used"}, line{b.of(metrics.WorkerSlots).Sum(), "all"})
	b.lines(8, 8, "Executions in the database", "Executions by state, as the database has them; those that completed are left out.",
		look{unit: number}, line{b.of(metrics.ExecutionsByState).Match(metrics.LabelState, "pending|running|cancelling|failed|timed_out").
			Total(metrics.LabelState), "{{state}}"})
	return b.Dashboard
}

// queueTable tells how each queue stands, with links to its own dashboard.
func (b *board) queueTable(w, h int) {
	value := func(m metrics.Metric) line { return line{b.of(m).Total(metrics.LabelQueue), m.Name} }
	oldest := line{b.of(metrics.QueueOldestAge).Max(metrics.LabelQueue), ""}
	titled := func(l line, title string) line { l.legend = title; return l }
	b.table(w, h, "Queues", "How each queue stands now. The name leads to its dashboard.",
		look{unit: number, links: []DataLink{{
			Title: "Show the queue ${__value.text}",
			URL:   "/d/" + b.options.UIDPrefix + "queue?var-queue=${__value.text}&${datasource:queryparam}&${__url_time_range}",
		}}}, "Depth", []key{{metrics.LabelQueue, "Queue"}},
		column{line: titled(value(metrics.QueueDepth), "Depth"), unit: number, thresholds: above(calm, 100, 1000)},
		column{line: titled(oldest, "Oldest"), unit: seconds, thresholds: above(calm, 60, 300)},
		column{line: titled(value(metrics.QueueRunning), "Running"), unit: number},
		column{line: titled(value(metrics.QueueScheduled), "Scheduled"), unit: number},
		column{line: titled(value(metrics.QueueDeadLetters), "Dead letters"), unit: number, thresholds: above(calm, 1, 10)},
		column{line: titled(value(metrics.QueueWorkers), "Workers"), unit: number, thresholds: above(needs, 1)},
		column{line: titled(line{b.of(metrics.QueuePaused).Max(metrics.LabelQueue), ""}, "Paused"), unit: number, mappings: yesNo("yes", "orange", "no", "")},
	)
}

// yesNo shows words for 1 and 0.
func yesNo(yes, yesColor, no, noColor string) []Mapping {
	return []Mapping{{Type: "value", Options: map[string]MappingValue{
		"0": {Text: no, Color: noColor, Index: 0}, "1": {Text: yes, Color: yesColor, Index: 1},
	}}}
}
