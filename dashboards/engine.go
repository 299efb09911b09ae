package dashboards

import (
	"github.com/stentgo/stent/internal/promql"
	"github.com/stentgo/stent/metrics"
)

// EngineAndDatabase is the dashboard of what lies below the tasks: claims and commits, leases, the database, and whether
// the metrics themselves can be trusted.
func EngineAndDatabase(o Options) Dashboard {
	b := newBoard(o, "engine", "Stent / Engine and database",
		"What lies below the tasks: workers and leases, claims and commits, the database, and whether the metrics can be trusted.")

	b.heading("Workers and leases")
	b.lines(8, 8, "Slots used", "Activities that run on the workers of a process, of those that may.",
		look{unit: percent, max: ptr(1.0), runbook: "StentWorkerWedged"},
		line{b.of(metrics.WorkerSlotsUsed).Sum("instance").Over(b.of(metrics.WorkerSlots).Sum("instance")), "{{instance}}"})
	b.lines(8, 8, "Since the last progress", "How long ago a worker of a process began or ended a task. It grows on an idle worker too.",
		look{unit: seconds, runbook: "StentWorkerWedged"},
		line{promql.Now().Minus(b.of(metrics.WorkerLastProgress).Max("instance")), "{{instance}}"})
	b.lines(8, 8, "Ready", "1 where a worker of a process takes work, 0 while it starts, drains or has stopped.", look{unit: number, max: ptr(1.0)},
		line{b.of(metrics.WorkerReady).Max("instance"), "{{instance}}"})
	b.lines(8, 8, "Lease renewals", "Heartbeats of workers, a minute, by how they went.", look{unit: perMinute, stacked: true, runbook: "StentLeasesLost"},
		line{b.perMinute(metrics.LeaseRenewals, metrics.LabelResult), "{{result}}"})
	b.lines(8, 8, "Tasks taken over", "Tasks whose worker's lease ran out, a minute.", look{unit: perMinute, runbook: "StentTasksTakenOver"},
		line{b.perMinute(metrics.LeaseTakeovers, metrics.LabelQueue), "{{queue}}"})
	b.lines(8, 8, "Fenced writes", "Writes that changed nothing since their task was no longer the writer's, a minute. After a takeover a few are normal.",
		look{unit: perMinute, runbook: "StentLeasesLost"}, line{b.perMinute(metrics.FencedWrites), "writes"})

	b.heading("Claims and commits")
	b.lines(8, 8, "Claims", "Questions for work, a second, by answer.", look{unit: perSecond, stacked: true},
		line{b.rate(metrics.ClaimsMade, metrics.LabelResult), "{{result}}"})
	b.lines(8, 8, "Claim duration", "From a question for work to its answer.", look{unit: seconds},
		line{b.quantile(metrics.ClaimDuration, 0.5), "p50"}, line{b.quantile(metrics.ClaimDuration, 0.95), "p95"}, line{b.quantile(metrics.ClaimDuration, 0.99), "p99"})
	b.lines(8, 8, "Commit duration", "How long transactions take that the engine writes. It is the first thing that a slow disk shows in.", look{unit: seconds},
		line{b.quantile(metrics.CommitDuration, 0.5), "p50"}, line{b.quantile(metrics.CommitDuration, 0.95), "p95"}, line{b.quantile(metrics.CommitDuration, 0.99), "p99"})
	b.lines(8, 8, "Commands per commit", "How many commands share a transaction. It grows with the load.", look{unit: number, decimals: ptr(1)},
		line{b.of(metrics.CommitBatchSize).Mean(window), "mean"}, line{b.quantile(metrics.CommitBatchSize, 0.95), "p95"})
	b.heatmap(8, 8, "Commit duration, how often", "How many transactions took how long; the darker, the more.", seconds,
		metrics.CommitDuration)
	b.lines(8, 8, "Database errors", "Errors of the database, a minute, by what it was asked to do and why it could not: disk_full, read_only, unreachable ...",
		look{unit: perMinute, runbook: "StentBackendErrors"}, line{b.perMinute(metrics.BackendErrors, metrics.LabelOperation, metrics.LabelReason), "{{operation}}: {{reason}}"})

	b.heading("Database")
	b.lines(6, 8, "Size", "Stent's tables and indexes, or the SQLite file, and the write-ahead log beside it.", look{unit: bytesUnit},
		line{b.of(metrics.DatabaseSize).Total(), "size"}, line{b.of(metrics.DatabaseWAL).Total(), "write-ahead log"})
	b.lines(6, 8, "Dead rows", "Rows that vacuum has not removed (PostgreSQL). They grow where vacuum does not keep up, or a transaction holds it off.",
		look{unit: number}, line{b.of(metrics.DatabaseDeadTuples).Total(), "rows"})
	b.lines(6, 8, "Oldest transaction", "Age of the oldest transaction on the server, which keeps vacuum from its work (PostgreSQL).", look{unit: seconds},
		line{b.of(metrics.DatabaseOldestTransactionAge).Max(), "age"})
	b.lines(6, 8, "Clock skew", "How far the clock of a process is ahead of the database's; negative if behind.",
		look{unit: seconds, free: true, runbook: "StentClockSkewed"}, line{b.of(metrics.DatabaseClockSkew).Max("instance"), "{{instance}}"})

	b.heading("The metrics themselves")
	b.stat(4, 8, "Age of the sample", "How old the gauges are that come from the database: queues, dead letters, workers.",
		look{unit: seconds, plain: true, thresholds: above(calm, 60, 120), runbook: "StentSampleStale"},
		line{promql.Now().Minus(b.of(metrics.SampleTimestamp).Max()), ""})
	b.stat(4, 8, "Sampling", "Whether the last look at the database succeeded, in at least one process.",
		look{unit: number, plain: true, thresholds: above(needs, 1), mappings: yesNo("works", "green", "fails", "red"), runbook: "StentSampleStale"},
		line{b.of(metrics.SamplerUp).Max(), ""})
	b.lines(8, 8, "Duration of a sample", "How long reading those gauges takes.", look{unit: seconds},
		line{b.of(metrics.SampleDuration).Max("instance"), "{{instance}}"})
	b.lines(8, 8, "Events dropped", "Events that no recorder saw because a recorder did not keep up, a second. The counters are too low by them.",
		look{unit: perSecond}, line{b.rate(metrics.EventsDropped), "events"})
	b.lines(8, 8, "Label values folded", "Values of a label that are beyond its budget and are counted as \"other\", of all processes.", look{unit: number},
		line{b.of(metrics.LabelValuesFolded).Increase(window).Sum(metrics.LabelLabel), "{{label}}"})
	b.table(8, 8, "Versions", "Which versions of Stent run, and how many processes of each.", look{unit: number}, "Processes",
		[]key{{metrics.LabelVersion, "Version"}, {metrics.LabelBackend, "Database"}},
		column{line: line{b.of(metrics.BuildInfo).Sum(metrics.LabelVersion, metrics.LabelBackend), "Processes"}, unit: number})
	return b.Dashboard
}
