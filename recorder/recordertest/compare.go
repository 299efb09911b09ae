package recordertest

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/metrics"
)

// facts are what the recorder has to say, from what the database holds.
type facts map[string]*fact

type fact struct {
	metric metrics.Metric
	labels map[string]string
	value  float64
}

func (f facts) add(m metrics.Metric, n float64, values ...string) {
	labels := map[string]string{}
	for i, label := range m.Labels {
		labels[label] = values[i]
	}
	key := fmt.Sprint(m.Name, values)
	if f[key] == nil {
		f[key] = &fact{metric: m, labels: labels}
	}
	f[key].value += n
}

func (i *incident) compare(target Target) {
	i.t.Helper()
	all := facts{}
	i.tasks(all, target.NoKinds)
	i.executions(all)
	i.gauges(all)
	i.operations(all)
	for _, f := range all {
		got, told := target.Value(i.t, f.metric, f.labels)
		if got != f.value || !told && f.value != 0 {
			i.t.Errorf("%s%v is %v, and in the database %v", f.metric.Name, f.labels, got, f.value)
		}
	}
	// What has no count in the database has at least happened.
	for _, m := range []metrics.Metric{metrics.CommitDuration, metrics.CommitBatchSize, metrics.ClaimDuration} {
		if got, _ := target.Value(i.t, m, map[string]string{}); got == 0 {
			i.t.Errorf("%s was never observed", m.Name)
		}
	}
	if got, _ := target.Value(i.t, metrics.LeaseRenewals, map[string]string{metrics.LabelResult: "renewed"}); got < 2 {
		i.t.Errorf("%s says %v for two workers", metrics.LeaseRenewals.Name, got)
	}
}

// tasks counts by rows: a fencing token is how often a task was claimed, and the attempts are how often one failed.
func (i *incident) tasks(all facts, noKinds bool) {
	i.t.Helper()
	tasks, err := i.db[0].Tasks(i.ctx(), backend.TaskFilter{})
	i.ok(err)
	for _, t := range tasks {
		kind := string(t.Kind)
		if noKinds {
			kind = ""
		}
		for _, m := range []metrics.Metric{metrics.TasksClaimed, metrics.TasksCompleted} {
			all.add(m, 0, t.Queue, t.Step, kind)
		}
		for _, m := range []metrics.Metric{metrics.TaskDuration, metrics.DeadLettersMoved, metrics.TasksPoisoned} {
			all.add(m, 0, t.Queue, t.Step)
		}
		all.add(metrics.TasksFailed, 0, t.Queue, t.Step, "true")
		all.add(metrics.TasksFailed, 0, t.Queue, t.Step, "false")
		all.add(metrics.LeaseTakeovers, 0, t.Queue)
		foreign := i.foreign[t.ID]
		claims := float64(t.Token - foreign)
		if foreign > 0 && claims > 0 {
			all.add(metrics.LeaseTakeovers, 1, t.Queue)
		}
		if claims > 0 {
			all.add(metrics.TasksClaimed, claims, t.Queue, t.Step, kind)
			all.add(metrics.ScheduleToStart, claims, t.Queue)
		}
		if t.State == backend.Completed {
			all.add(metrics.TasksCompleted, 1, t.Queue, t.Step, kind)
			all.add(metrics.TaskDuration, 1, t.Queue, t.Step)
		}
		if t.Kind != backend.Activity {
			continue
		}
		attempts, err := i.db[0].Attempts(i.ctx(), t.ID.Execution)
		i.ok(err)
		for _, a := range attempts {
			if a.Task == t.ID {
				all.add(metrics.TasksFailed, 1, t.Queue, t.Step, fmt.Sprint(a.Retried))
				if !a.Retried {
					all.add(metrics.DeadLettersMoved, 1, t.Queue, t.Step)
				}
			}
		}
	}
}

// executions counts by state. One that a replay has healed has ended twice.
func (i *incident) executions(all facts) {
	i.t.Helper()
	list, err := i.db[0].Executions(i.ctx(), backend.ExecutionFilter{Limit: 1000})
	i.ok(err)
	for _, x := range list {
		for _, state := range backend.States {
			if state.Final() {
				all.add(metrics.ExecutionsFinished, 0, x.Workflow, string(state))
			}
		}
		if x.ID != "taken-over" { // which another program has started
			all.add(metrics.ExecutionsStarted, 1, x.Workflow)
		}
		if x.State.Final() {
			all.add(metrics.ExecutionsFinished, 1, x.Workflow, string(x.State))
			all.add(metrics.ExecutionDuration, 1, x.Workflow)
		}
		if x.State == backend.Failed {
			all.add(metrics.TasksFailed, 1, x.Queue, x.Workflow, "false")
		}
		if x.HealedTo > 0 || x.ID == "dead" {
			all.add(metrics.ExecutionsFinished, 1, x.Workflow, string(backend.Failed))
			all.add(metrics.ExecutionDuration, 1, x.Workflow)
			all.add(metrics.TasksFailed, 1, x.Queue, x.Workflow, "false")
		}
	}
}

// operations counts what people did, by the audit.
func (i *incident) operations(all facts) {
	i.t.Helper()
	tasks, err := i.db[0].Tasks(i.ctx(), backend.TaskFilter{})
	i.ok(err)
	queues := map[backend.TaskID]string{}
	for _, t := range tasks {
		queues[t.ID] = t.Queue
		all.add(metrics.DeadLettersReplayed, 0, t.Queue)
		all.add(metrics.DeadLettersDiscarded, 0, t.Queue)
	}
	audit, err := i.db[0].Audit(i.ctx(), backend.AuditFilter{})
	i.ok(err)
	for _, entry := range audit {
		switch entry.Action {
		case backend.ActionReplay:
			all.add(metrics.DeadLettersReplayed, 1, queues[entry.Task])
		case backend.ActionDiscard:
			all.add(metrics.DeadLettersDiscarded, 1, queues[entry.Task])
		}
	}
}

func (i *incident) gauges(all facts) {
	i.t.Helper()
	for _, q := range i.stats.Queues {
		paused := 0.0
		if q.Paused {
			paused = 1
		}
		all.add(metrics.QueueDepth, float64(q.Depth), q.Queue)
		all.add(metrics.QueueScheduled, float64(q.Scheduled), q.Queue)
		all.add(metrics.QueueRunning, float64(q.Running), q.Queue)
		all.add(metrics.QueueWorkers, float64(q.Workers), q.Queue)
		all.add(metrics.QueuePaused, paused, q.Queue)
		all.add(metrics.QueueDeadLetters, float64(q.Dead), q.Queue)
	}
	for state, n := range i.stats.Executions {
		all.add(metrics.ExecutionsByState, float64(n), string(state))
	}
	for state, n := range i.stats.Workers {
		all.add(metrics.WorkersByState, float64(n), string(state))
	}
	all.add(metrics.SamplerUp, 1)
}
