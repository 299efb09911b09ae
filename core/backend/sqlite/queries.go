package sqlite

// queries are the files of the folder sql, with the order in which the program gives their parameters.
type queries struct {
	start, startInput, startExisting                             *query
	startChunk, inputChunk, startedIDs                           *query
	findExecution, signal, signalKnown, wake                     *query
	turn, turnKnown, taskKnown, turned                           *query
	complete, retry, bury, release, releaseExecution             *query
	keepAttempt, keepAttemptExecution                            *query
	deadLetter, deadLetterExecution                              *query
	settle, add, consume, forget, forgetAll, setAside            *query
	forgetRecall, forgetAllRecall                                *query
	cancel, cancelLook, cancelRecall, cancelTasks                *query
	beat, recalled, recallRoot, recallNone                       *query
	expireLook, expireExecutions, expire, expireTasks            *query
	count, setCustom                                             *query
	startChild, addChild, settleParent, openChildren             *query
	replayChild, replayChildren                                  *query
	continueRun, continueInput                                   *query
	trim, trimAll, trimFailures, trimSignals                     *query
	closeExecution, yield, again, standAlone                     *query
	tally                                                        *query
	claimExecutions, claimTasks                                  *query
	claimUnstarted, claimRunning, claimPaused, claimWoken        *query
	lanesOfExecutions, lanesOfTasks                              laneQueries
	workerState, claimQueues                                     *query
	readExecutions, readTasks, historyTasks, historySignals      *query
	news                                                         *query
	heldExecutions, heldTasks                                    *query
	register, renew, renewNext, retire                           *query
	reapLook, reapWorkers, reapForget                            *query
	giveBack, giveBackExecution, crash, crashExecution           *query
	listExecutions, listLive, listUnsuccessful, listPrefix       *query
	created                                                      *query
	listTasks, listTasksOf, listTasksRunning, workerLeases       *query
	counters, customState, workers, statsExecutions, statsQueues *query
	statsWorkers                                                 *query
	deadLetters, findDeadLetter, letterNumber, attempts, discard *query
	replayLook, replay, replayExecution, replayRestore, reopen   *query
	attemptsExecution                                            *query
	audit, listAudit                                             *query
	pauseQueue, resumeQueue, pausedQueues                        *query
	cleanStretch, cleanLook, cleanCheck, cleanLetter             *query
	cleanFailures, cleanTasks, cleanSignals, cleanCounters       *query
	cleanCustomState, cleanInputs, cleanExecutions               *query
	takeChore, endChore, cleanResultsUsed                        *query
	reserveResult, findResult, useResult, unuseResult            *query
	keepResult, freeResult, forgetResults, resultsOf             *query
	schedules, nextTick, putSchedule, deleteSchedule, tick       *query
	migrated, dataVersion                                        *query
}

// laneQueries find what is due in one of the two tables.
type laneQueries struct{ lane, due, later *query }

func loadQueries() (*queries, error) {
	l := &loader{seen: map[string]bool{}}
	q := &queries{}
	l.loadAll(q)
	return q, l.err
}

func (l *loader) loadAll(q *queries) {
	l.loadCommands(q)
	l.loadChildren(q)
	l.loadClaims(q)
	l.loadReads(q)
	l.loadLeases(q)
	l.loadCancels(q)
	l.loadLists(q)
	l.loadDeadLetters(q)
	l.loadOperations(q)
	l.loadCleaning(q)
	l.loadResults(q)
	l.loadSchedules(q)
	q.migrated = l.load("migrated", "version name now")
}

func (l *loader) loadCommands(q *queries) {
	q.start = l.load("start", "execution_id workflow queue priority tags due_at input_hash now deadline_at")
	q.startInput = l.load("start_input", "n policy metadata carrier input")
	q.startExisting = l.load("start_existing", "execution_id")
	q.startChunk = l.repeat("start", "execution_id workflow queue priority tags due_at input_hash now deadline_at", startsAtOnce)
	q.inputChunk = l.repeat("start_input", "n policy metadata carrier input", startsAtOnce)
	q.startedIDs = l.load("started_ids", "first last")
	q.findExecution = l.load("find_execution", "execution_id")
	q.signal = l.load("signal", "n signal_id name payload now")
	q.signalKnown = l.load("signal_known", "n signal_id")
	q.wake = l.load("wake", "n now")

	q.turn = l.load("turn", "turns")
	q.turnKnown = l.load("turn_known", "execution_id")
	q.taskKnown = l.load("task_known", "n seq")
	q.turned = l.load("turned", "n token crashes effects")
	q.settle = l.load("settle", "n seq state result now")
	q.add = l.load("add", "n seq key kind step queue priority tags state due_at fires_at worker_id token input_hash now "+
		"started_at finished_at policy input result start_within start_by")
	q.consume = l.load("consume", "n seq signal")
	q.forget = l.load("forget", "n seq now")
	q.forgetRecall = l.load("forget_recall", "n seq now worker_id")
	q.forgetAll = l.load("forget_all", "n now")
	q.forgetAllRecall = l.load("forget_all_recall", "n now")
	q.setAside = l.load("set_aside", "n seq")
	q.count = l.load("count", "n name delta")
	q.setCustom = l.load("set_custom", "n name value")
	q.closeExecution = l.load("close", "n token state result failure cause now")
	q.yield = l.load("yield", "n token seen due_at now")
	q.again = l.load("again", "n token due_at now")
	q.standAlone = l.load("stand_alone", "n")

	q.complete = l.load("complete", "n seq token result now")
	q.retry = l.load("retry", "n seq token failure due_at detail")
	q.bury = l.load("bury", "n seq token state failure now from")
	q.release = l.load("release", "n seq token now detail")
	q.releaseExecution = l.load("release_execution", "n token now")
	q.keepAttempt = l.load("keep_attempt", "n execution_id seq failure now retried")
	q.keepAttemptExecution = l.load("keep_attempt_execution", "n failure now retried")
	q.deadLetter = l.load("dead_letter", "n seq reason failure now")
	q.deadLetterExecution = l.load("dead_letter_execution", "n reason failure now")
	q.tally = l.load("tally", "state delta")
}

func (l *loader) loadChildren(q *queries) {
	q.startChild = l.load("start_child", "execution_id workflow queue priority tags due_at input_hash now deadline_at parent")
	q.addChild = l.load("add_child", "n seq key step queue priority tags state input_hash now finished_at failure child detached")
	q.settleParent = l.load("settle_parent", "n seq child state result failure now")
	q.openChildren = l.load("open_children", "n")
	q.replayChildren = l.load("replay_children", "n now")
	q.replayChild = l.load("replay_child", "n seq child")
	q.continueRun = l.load("continue", "n token run base")
	q.continueInput = l.load("continue_input", "n input")
	q.trim = l.load("trim", "n most")
	q.trimAll = l.load("trim_all", "n")
	q.trimFailures = l.load("trim_failures", "n execution_id most")
	q.trimSignals = l.load("trim_signals", "n before most")
}

func (l *loader) loadClaims(q *queries) {
	q.claimExecutions = l.load("claim_executions", "keys worker_id now")
	q.claimTasks = l.load("claim_tasks", "keys worker_id now")
	q.claimUnstarted = l.load("claim_unstarted", "keys")
	q.claimRunning = l.load("claim_running", "step")
	q.claimPaused = l.load("claim_paused", "")
	q.claimQueues = l.load("claim_queues", "")
	q.claimWoken = l.load("claim_woken", "worker_id")
	q.lanesOfExecutions = l.lanes("executions")
	q.lanesOfTasks = l.lanes("tasks")
	q.workerState = l.load("worker_state", "worker_id")
}

func (l *loader) lanes(table string) laneQueries {
	return laneQueries{
		lane:  l.load("claim_lane_"+table, "queue step tags rank"),
		due:   l.load("claim_due_"+table, "queue step tags rank now most"),
		later: l.load("claim_later_"+table, "queue step tags rank now"),
	}
}

func (l *loader) loadReads(q *queries) {
	q.readExecutions = l.load("read_executions", "keys")
	q.readTasks = l.load("read_tasks", "keys")
	q.historyTasks = l.load("history_tasks", "n")
	q.historySignals = l.load("history_signals", "n")
	q.news = l.load("news", "known execution_id")
	q.heldExecutions = l.load("held_executions", "worker_id")
	q.heldTasks = l.load("held_tasks", "worker_id")
}

func (l *loader) loadLeases(q *queries) {
	q.register = l.load("register", "worker_id host pid queues tags steps limits slots used state version now lease_until")
	q.renew = l.load("renew", "worker_id state used now lease_until")
	q.renewNext = l.load("renew_next", "worker_id")
	q.retire = l.load("retire", "worker_id state now")
	q.reapLook = l.load("reap_look", "now forget_before")
	q.reapWorkers = l.load("reap_workers", "now")
	q.reapForget = l.load("reap_forget", "forget_before")
	q.giveBack = l.load("give_back", "n seq token crashes now")
	q.giveBackExecution = l.load("give_back_execution", "n token crashes now")
	q.crash = l.load("crash", "n seq")
	q.crashExecution = l.load("crash_execution", "n")
}

func (l *loader) loadCancels(q *queries) {
	q.cancel = l.load("cancel", "n state now")
	q.cancelLook = l.load("cancel_look", "execution_id")
	q.cancelRecall = l.load("cancel_recall", "n now")
	q.cancelTasks = l.load("cancel_tasks", "n now")
	q.beat = l.load("beat", "n seq token detail")
	q.recalled = l.load("recalled", "worker_id")
	q.recallRoot = l.load("recall_root", "n now")
	q.recallNone = l.load("recall_none", "worker_id before")
	q.expireLook = l.load("expire_look", "")
	q.expireExecutions = l.load("expire_executions", "now most")
	q.expire = l.load("expire", "n failure now")
	q.expireTasks = l.load("expire_tasks", "now most")
}

func (l *loader) loadLists(q *queries) {
	const filter = "before states workflow queue tag since id_prefix first most"
	q.listExecutions = l.load("list_executions", filter)
	q.listLive = l.load("list_executions_live", filter)
	q.listUnsuccessful = l.load("list_executions_unsuccessful", filter)
	q.listPrefix = l.load("list_executions_prefix", filter+" id_end")
	q.created = l.load("created", "n")
	q.listTasks = l.load("list_tasks", "after_execution after_seq states kinds most")
	q.listTasksOf = l.load("list_tasks_of", "execution_id after_seq states kinds most")
	q.listTasksRunning = l.load("list_tasks_running", "after_execution after_seq kinds most")
	q.workerLeases = l.load("worker_leases", "")
	q.counters = l.load("counters", "n")
	q.customState = l.load("custom_state", "n")
	q.workers = l.load("workers", "")
	q.statsExecutions = l.load("stats_executions", "")
	q.statsQueues = l.load("stats_queues", "now")
	q.statsWorkers = l.load("stats_workers", "now")
}

func (l *loader) loadDeadLetters(q *queries) {
	q.deadLetters = l.load("dead_letters", "before execution_id workflow step queue since until most")
	q.findDeadLetter = l.load("find_dead_letter", "execution_id seq")
	q.letterNumber = l.load("dead_letter_number", "execution_id seq")
	q.attempts = l.load("attempts", "execution_id seq")
	q.attemptsExecution = l.load("attempts_execution", "execution_id")
	q.discard = l.load("discard", "execution_id seq")
	q.replayLook = l.load("replay_look", "execution_id")
	q.replay = l.load("replay", "n seq queue now")
	q.replayExecution = l.load("replay_execution", "n queue now")
	q.replayRestore = l.load("replay_restore", "n now")
	q.reopen = l.load("reopen", "n healed_from now")
}

func (l *loader) loadOperations(q *queries) {
	q.audit = l.load("audit", "now actor action execution_id seq subject detail letter")
	q.listAudit = l.load("list_audit", "before actor action execution_id seq subject since most")
	q.pauseQueue = l.load("pause_queue", "queue now actor")
	q.resumeQueue = l.load("resume_queue", "queue")
	q.pausedQueues = l.load("paused_queues", "")
}

func (l *loader) loadCleaning(q *queries) {
	const cuts = "completed failed timed_out cancelled"
	q.cleanStretch = l.load("clean_stretch", "after most")
	q.cleanLook = l.load("clean_look", "after until "+cuts+" most")
	q.cleanCheck = l.load("clean_check", "keys "+cuts)
	q.cleanFailures = l.load("clean_failures", "keys")
	q.cleanTasks = l.load("clean_tasks", "keys")
	q.cleanSignals = l.load("clean_signals", "keys")
	q.cleanCounters = l.load("clean_counters", "keys")
	q.cleanCustomState = l.load("clean_custom_state", "keys")
	q.cleanInputs = l.load("clean_inputs", "keys")
	q.cleanExecutions = l.load("clean_executions", "keys")
	q.cleanLetter = l.load("clean_letter", "execution_id seq")
	q.cleanResultsUsed = l.load("clean_results_used", "keys")
	q.takeChore = l.load("take_chore", "name worker_id now")
	q.endChore = l.load("end_chore", "name worker_id due_at")
}

func (l *loader) loadResults(q *queries) {
	q.reserveResult = l.load("reserve_result", "key worker_id task token now")
	q.findResult = l.load("find_result", "key")
	q.useResult = l.load("use_result", "execution_id seq task")
	q.unuseResult = l.load("unuse_result", "execution_id seq")
	q.keepResult = l.load("keep_result", "key worker_id task token result expires_at")
	q.freeResult = l.load("free_result", "key worker_id task token")
	q.forgetResults = l.load("forget_results", "now most")
	q.resultsOf = l.load("results_of", "execution_id")
}

func (l *loader) loadSchedules(q *queries) {
	q.schedules = l.load("schedules", "name due now")
	q.nextTick = l.load("next_tick", "after")
	q.putSchedule = l.load("put_schedule", "name rule next_at paused_at paused_by last_tick last_execution skipped revision now "+
		"workflow queue priority tags policy input input_hash max_duration metadata")
	q.deleteSchedule = l.load("delete_schedule", "name")
	q.dataVersion = l.load("data_version", "")
	q.tick = l.load("tick", "name revision next_at last_tick last_execution skipped")
}
