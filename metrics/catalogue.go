package metrics

// What workers did to tasks.
var (
	TasksClaimed = Metric{
		Name: "stent_tasks_claimed_total", Kind: Counter, Unit: Tasks, Source: Event,
		Help:   "Tasks that workers began to work on: an attempt at an activity, or an orchestrator taken into memory",
		Labels: []string{LabelQueue, LabelStep, LabelKind},
		OTel:   "stent.tasks.claimed", StatsD: []Path{{Template: "tasks.claimed.{queue}.{step}"}},
	}
	TasksCompleted = Metric{
		Name: "stent_tasks_completed_total", Kind: Counter, Unit: Tasks, Source: Event,
		Help:   "Tasks that ended with a result",
		Labels: []string{LabelQueue, LabelStep, LabelKind},
		OTel:   "stent.tasks.completed", StatsD: []Path{{Template: "tasks.completed.{queue}.{step}"}},
	}
	TaskDuration = Metric{
		Name: "stent_task_duration_seconds", Kind: Histogram, Unit: Seconds, Source: Event,
		Help:    "Time that the attempt which completed a task took; of an orchestrator, since it was last taken into memory",
		Labels:  []string{LabelQueue, LabelStep},
		Buckets: taskBuckets,
		OTel:    "stent.task.duration", StatsD: []Path{{Template: "tasks.duration.{queue}.{step}"}},
	}
	TasksFailed = Metric{
		Name: "stent_tasks_failed_total", Kind: Counter, Unit: Tasks, Source: Event,
		Help:   "Attempts that failed, by whether the task is tried again; retrying=\"false\" are the tasks that failed for good",
		Labels: []string{LabelQueue, LabelStep, LabelRetrying},
		OTel:   "stent.tasks.failed", StatsD: []Path{{Template: "tasks.retrying.{queue}.{step}", Label: LabelRetrying, Value: "true"}, {Template: "tasks.failed.{queue}.{step}", Label: LabelRetrying, Value: "false"}},
	}
	DeadLettersMoved = Metric{
		Name: "stent_dead_letters_total", Kind: Counter, Unit: DeadLettered, Source: Event,
		Help:   "Tasks that were moved to the dead letters",
		Labels: []string{LabelQueue, LabelStep},
		OTel:   "stent.dead_letters", StatsD: []Path{{Template: "dlq.{queue}.{step}"}},
	}
	TasksPoisoned = Metric{
		Name: "stent_tasks_poisoned_total", Kind: Counter, Unit: Tasks, Source: Event,
		Help:   "Tasks that were moved to the dead letters because workers died of them too often",
		Labels: []string{LabelQueue, LabelStep},
		OTel:   "stent.tasks.poisoned", StatsD: []Path{{Template: "tasks.poisoned.{queue}.{step}"}},
	}
	ScheduleToStart = Metric{
		Name: "stent_task_schedule_to_start_seconds", Kind: Histogram, Unit: Seconds, Source: Event,
		Help:    "Time from when a task was due until a worker began with it",
		Labels:  []string{LabelQueue},
		Buckets: taskBuckets,
		OTel:    "stent.task.schedule_to_start", StatsD: []Path{{Template: "tasks.schedule_to_start.{queue}"}},
	}
)

// Leases and fencing.
var (
	LeaseRenewals = Metric{
		Name: "stent_lease_renewals_total", Kind: Counter, Unit: Leases, Source: Event,
		Help:   "Heartbeats of workers, by how they went: renewed, lost (the lease belongs to nobody or others), error (tried again)",
		Labels: []string{LabelResult},
		OTel:   "stent.lease.renewals", StatsD: []Path{{Template: "leases.renewed", Label: LabelResult, Value: "renewed"}, {Template: "leases.failed"}},
	}
	LeaseTakeovers = Metric{
		Name: "stent_lease_takeovers_total", Kind: Counter, Unit: Tasks, Source: Event,
		Help:   "Tasks that were taken over because their worker's lease ran out",
		Labels: []string{LabelQueue},
		OTel:   "stent.lease.takeovers", StatsD: []Path{{Template: "leases.takeovers.{queue}"}},
	}
	FencedWrites = Metric{
		Name: "stent_fenced_writes_total", Kind: Counter, Unit: Writes, Source: Event,
		Help: "Writes of a worker that changed nothing since their task was no longer its own",
		OTel: "stent.fenced_writes", StatsD: []Path{{Template: "fenced_writes"}},
	}
)

// Executions.
var (
	ExecutionsStarted = Metric{
		Name: "stent_executions_started_total", Kind: Counter, Unit: Executions, Source: Event,
		Help:   "Executions that were started by this process",
		Labels: []string{LabelWorkflow},
		OTel:   "stent.executions.started", StatsD: []Path{{Template: "executions.started.{workflow}"}},
	}
	ExecutionsFinished = Metric{
		Name: "stent_executions_finished_total", Kind: Counter, Unit: Executions, Source: Event,
		Help:   "Executions that this process ended, by state: completed, failed, cancelled, timed_out",
		Labels: []string{LabelWorkflow, LabelState},
		OTel:   "stent.executions.finished", StatsD: []Path{{Template: "executions.finished.{workflow}.{state}"}},
	}
	ExecutionDuration = Metric{
		Name: "stent_execution_duration_seconds", Kind: Histogram, Unit: Seconds, Source: Event,
		Help:    "Time from the start of an execution to its end, whatever the end",
		Labels:  []string{LabelWorkflow},
		Buckets: executionBuckets,
		OTel:    "stent.execution.duration", StatsD: []Path{{Template: "executions.duration.{workflow}"}},
	}
)

// The care for dead letters.
var (
	DeadLettersReplayed = Metric{
		Name: "stent_dead_letters_replayed_total", Kind: Counter, Unit: DeadLettered, Source: Event,
		Help:   "Dead letters that were put back to work by this process",
		Labels: []string{LabelQueue},
		OTel:   "stent.dead_letters.replayed", StatsD: []Path{{Template: "dlq_replayed.{queue}"}},
	}
	DeadLettersDiscarded = Metric{
		Name: "stent_dead_letters_discarded_total", Kind: Counter, Unit: DeadLettered, Source: Event,
		Help:   "Dead letters that were removed by this process",
		Labels: []string{LabelQueue},
		OTel:   "stent.dead_letters.discarded", StatsD: []Path{{Template: "dlq_discarded.{queue}"}},
	}
)

// The way to the database.
var (
	ClaimsMade = Metric{
		Name: "stent_claims_total", Kind: Counter, Unit: Claims, Source: Event,
		Help:   "Questions for work, by answer: tasks, empty, error",
		Labels: []string{LabelResult},
		OTel:   "stent.claims", StatsD: []Path{{Template: "claims.{result}"}},
	}
	ClaimDuration = Metric{
		Name: "stent_claim_duration_seconds", Kind: Histogram, Unit: Seconds, Source: Event,
		Help:    "Time from a question for work to its answer, the wait for the transaction before it included",
		Buckets: databaseBuckets,
		OTel:    "stent.claim.duration", StatsD: []Path{{Template: "claims.duration"}},
	}
	CommitDuration = Metric{
		Name: "stent_commit_duration_seconds", Kind: Histogram, Unit: Seconds, Source: Event,
		Help:    "Time that a transaction took that the engine wrote",
		Buckets: databaseBuckets,
		OTel:    "stent.commit.duration", StatsD: []Path{{Template: "commits.duration"}},
	}
	CommitBatchSize = Metric{
		Name: "stent_commit_batch_size", Kind: Histogram, Unit: Commands, Source: Event,
		Help:    "Commands that shared a transaction",
		Buckets: batchBuckets,
		OTel:    "stent.commit.batch_size", StatsD: []Path{{Template: "commits.batch_size"}},
	}
	BackendErrors = Metric{
		Name: "stent_backend_errors_total", Kind: Counter, Unit: Errors, Source: Event,
		Help:   "Errors of the database, by what it was asked to do and by why it could not",
		Labels: []string{LabelOperation, LabelReason},
		OTel:   "stent.backend.errors", StatsD: []Path{{Template: "backend_errors.{operation}.{reason}"}},
	}
)

// How this process stands.
var (
	WorkerSlots = Metric{
		Name: "stent_worker_slots", Kind: Gauge, Unit: Slots, Source: Process,
		Help: "Activities that the workers of this process may run at once",
		OTel: "stent.worker.slots", StatsD: []Path{{Template: "workers.{host}.slots"}},
	}
	WorkerSlotsUsed = Metric{
		Name: "stent_worker_slots_used", Kind: Gauge, Unit: Slots, Source: Process,
		Help: "Activities that the workers of this process run now",
		OTel: "stent.worker.slots_used", StatsD: []Path{{Template: "workers.{host}.slots_used"}},
	}
	WorkerReady = Metric{
		Name: "stent_worker_ready", Kind: Gauge, Unit: NoUnit, Source: Process,
		Help: "1 if a worker of this process takes work, 0 if none does: not yet, no longer, or draining",
		OTel: "stent.worker.ready", StatsD: []Path{{Template: "workers.{host}.ready"}},
	}
	WorkerLastProgress = Metric{
		Name: "stent_worker_last_progress_timestamp_seconds", Kind: Gauge, Unit: Seconds, Source: Process,
		Help: "When a worker of this process last began or ended a task, in Unix time",
		OTel: "stent.worker.last_progress.timestamp", StatsD: []Path{{Template: "workers.{host}.last_progress"}},
	}
	StepSLO = Metric{
		Name: "stent_step_slo_ratio", Kind: Gauge, Unit: NoUnit, Source: Process,
		Help:   "The share of tasks that are to complete without a final failure, of steps that declare one",
		Labels: []string{LabelQueue, LabelStep},
		OTel:   "stent.step.slo_ratio", StatsD: []Path{{Template: "slo.{queue}.{step}"}},
	}
)

// Queues, as the database has them.
var (
	QueueDepth = Metric{
		Name: "stent_queue_depth", Kind: Gauge, Unit: Tasks, Source: Sampled,
		Help:   "Tasks that are due and that no worker has; delayed, sleeping and backing-off ones are not in it",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.depth", StatsD: []Path{{Template: "queues.{queue}.depth"}},
	}
	QueueScheduled = Metric{
		Name: "stent_queue_scheduled", Kind: Gauge, Unit: Tasks, Source: Sampled,
		Help:   "Tasks that are due later: delayed, sleeping or backing off",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.scheduled", StatsD: []Path{{Template: "queues.{queue}.scheduled"}},
	}
	QueueRunning = Metric{
		Name: "stent_queue_running", Kind: Gauge, Unit: Tasks, Source: Sampled,
		Help:   "Tasks that workers have",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.running", StatsD: []Path{{Template: "queues.{queue}.running"}},
	}
	QueueWorkers = Metric{
		Name: "stent_queue_workers", Kind: Gauge, Unit: Workers, Source: Sampled,
		Help:   "Live workers that serve the queue",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.workers", StatsD: []Path{{Template: "queues.{queue}.workers"}},
	}
	QueuePaused = Metric{
		Name: "stent_queue_paused", Kind: Gauge, Unit: NoUnit, Source: Sampled,
		Help:   "1 if the queue is paused, else 0",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.paused", StatsD: []Path{{Template: "queues.{queue}.paused"}},
	}
	QueueOldestAge = Metric{
		Name: "stent_queue_oldest_age_seconds", Kind: Gauge, Unit: Seconds, Source: Sampled,
		Help:   "How long the task that is due and waits longest has been due; 0 where none waits",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.oldest_age", StatsD: []Path{{Template: "queues.{queue}.oldest_age"}},
	}
	QueueOldestRunningAge = Metric{
		Name: "stent_queue_oldest_running_age_seconds", Kind: Gauge, Unit: Seconds, Source: Sampled,
		Help:   "How long the activity that runs longest has been running; 0 where none runs",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.oldest_running_age", StatsD: []Path{{Template: "queues.{queue}.oldest_running_age"}},
	}
	QueueDeadLetters = Metric{
		Name: "stent_queue_dead_letters", Kind: Gauge, Unit: DeadLettered, Source: Sampled,
		Help:   "Dead letters that are there",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.dead_letters", StatsD: []Path{{Template: "queues.{queue}.dead_letters"}},
	}
	QueueDeadLettersOldestAge = Metric{
		Name: "stent_queue_dead_letters_oldest_age_seconds", Kind: Gauge, Unit: Seconds, Source: Sampled,
		Help:   "How long the oldest dead letter has been there; 0 where there is none",
		Labels: []string{LabelQueue},
		OTel:   "stent.queue.dead_letters_oldest_age", StatsD: []Path{{Template: "queues.{queue}.dead_letters_oldest_age"}},
	}
)

// Executions, workers and the database itself.
var (
	ExecutionsByState = Metric{
		Name: "stent_executions", Kind: Gauge, Unit: Executions, Source: Sampled,
		Help:   "Executions in the database, by state",
		Labels: []string{LabelState},
		OTel:   "stent.executions", StatsD: []Path{{Template: "executions.{state}"}},
	}
	WorkersByState = Metric{
		Name: "stent_workers", Kind: Gauge, Unit: Workers, Source: Sampled,
		Help:   "Workers that are registered, by state: starting, ready, draining, dead",
		Labels: []string{LabelState},
		OTel:   "stent.workers", StatsD: []Path{{Template: "workers_registered.{state}"}},
	}
	DatabaseClockSkew = Metric{
		Name: "stent_database_clock_skew_seconds", Kind: Gauge, Unit: Seconds, Source: Sampled,
		Help: "How far the clock of this process is ahead of the database's; negative if behind",
		OTel: "stent.database.clock_skew", StatsD: []Path{{Template: "database.clock_skew"}},
	}
	DatabaseDeadTuples = Metric{
		Name: "stent_database_dead_tuples", Kind: Gauge, Unit: Rows, Source: Sampled,
		Help: "Dead rows in Stent's tables that vacuum has not removed (PostgreSQL)",
		OTel: "stent.database.dead_tuples", StatsD: []Path{{Template: "database.dead_tuples"}},
	}
	DatabaseOldestTransactionAge = Metric{
		Name: "stent_database_oldest_transaction_age_seconds", Kind: Gauge, Unit: Seconds, Source: Sampled,
		Help: "Age of the oldest transaction on the server, which keeps vacuum from its work (PostgreSQL)",
		OTel: "stent.database.oldest_transaction_age", StatsD: []Path{{Template: "database.oldest_transaction_age"}},
	}
	DatabaseSize = Metric{
		Name: "stent_database_size_bytes", Kind: Gauge, Unit: Bytes, Source: Sampled,
		Help: "Size of Stent's tables and indexes, or of the SQLite file",
		OTel: "stent.database.size", StatsD: []Path{{Template: "database.size"}},
	}
	DatabaseWAL = Metric{
		Name: "stent_database_wal_bytes", Kind: Gauge, Unit: Bytes, Source: Sampled,
		Help: "Size of the write-ahead log beside the file (SQLite)",
		OTel: "stent.database.wal", StatsD: []Path{{Template: "database.wal"}},
	}
)

// The metrics themselves.
var (
	SamplerUp = Metric{
		Name: "stent_sampler_up", Kind: Gauge, Unit: NoUnit, Source: Process,
		Help: "1 if the last look at the database succeeded, else 0; sampled gauges are withheld while it is 0",
		OTel: "stent.sampler.up", StatsD: []Path{{Template: "sampler.{host}.up"}},
	}
	SampleTimestamp = Metric{
		Name: "stent_sample_timestamp_seconds", Kind: Gauge, Unit: Seconds, Source: Process,
		Help: "When the sampled gauges were read, in Unix time",
		OTel: "stent.sample.timestamp", StatsD: []Path{{Template: "sampler.{host}.timestamp"}},
	}
	SampleDuration = Metric{
		Name: "stent_sample_duration_seconds", Kind: Gauge, Unit: Seconds, Source: Process,
		Help: "Time that reading the sampled gauges took",
		OTel: "stent.sample.duration", StatsD: []Path{{Template: "sampler.{host}.duration"}},
	}
	EventsDropped = Metric{
		Name: "stent_recorder_events_dropped_total", Kind: Counter, Unit: Events, Source: Event,
		Help:   "Events that are missing in the metrics of this process because the recorder did not keep up (full) or panicked (panic)",
		Labels: []string{LabelReason},
		OTel:   "stent.recorder.events_dropped", StatsD: []Path{{Template: "recorder.events_dropped.{reason}"}},
	}
	LabelValuesFolded = Metric{
		Name: "stent_label_values_folded_total", Kind: Counter, Unit: Values, Source: Event,
		Help:   "Values of a label that are beyond its budget and were counted as other, each value once",
		Labels: []string{LabelLabel},
		OTel:   "stent.label_values_folded", StatsD: []Path{{Template: "label_values_folded.{label}"}},
	}
	BuildInfo = Metric{
		Name: "stent_build_info", Kind: Gauge, Unit: NoUnit, Source: Process,
		Help:   "1, with the version of Stent and the kind of database as labels",
		Labels: []string{LabelVersion, LabelBackend},
		OTel:   "stent.build_info", StatsD: []Path{{Template: "build_info.{version}.{backend}"}},
	}
)
