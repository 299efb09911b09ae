package alerts

import (
	"time"

	"github.com/stentgo/stent/metrics"
)

// queueAlerts are about what waits and what is dead.
func (m *maker) queueAlerts() []Alert {
	const queue = metrics.LabelQueue
	depth := m.record("queue:stent_queue_depth:max", m.of(metrics.QueueDepth).MaxBy(queue), queue)
	age := m.record("queue:stent_queue_oldest_age_seconds:max", m.of(metrics.QueueOldestAge).MaxBy(queue), queue)
	workers := m.record("queue:stent_queue_workers:max", m.of(metrics.QueueWorkers).MaxBy(queue), queue)
	paused := m.record("queue:stent_queue_paused:max", m.of(metrics.QueuePaused).MaxBy(queue), queue).Is(1)
	dead := m.record("queue:stent_queue_dead_letters:max", m.of(metrics.QueueDeadLetters).MaxBy(queue), queue)
	t, w := m.Thresholds, m.Windows

	return []Alert{
		m.alert(rule{
			name: "StentQueueGrowing", severity: Warning, hold: 10 * time.Minute, dashboard: "queue", labels: []string{queue},
			expr: depth.Above(float64(t.QueueDepth)).
				And(age.Above(m.seconds(t.QueueAge)), m.of(metrics.QueueDepth).MaxOf("deriv", m.window(w.Growth), queue).Above(0)).
				Unless(paused),
			summary: say("Queue ", label(queue), " grows faster than it is worked off."),
			description: say(asNumber, " tasks wait in queue ", label(queue), ", more and more of them, the oldest for longer than ",
				m.window(t.QueueAge), "."),
		}),
		m.alert(rule{
			name: "StentQueueStalled", severity: Critical, hold: 5 * time.Minute, dashboard: "queue", labels: []string{queue},
			expr: depth.Above(0).And(age.Above(m.seconds(w.Stalled)), workers.Above(0)).
				Unless(m.of(metrics.TasksCompleted).Rate(m.window(w.Stalled)).SumBy(queue).Above(0)).
				Unless(paused),
			summary: say("Queue ", label(queue), " has workers, and nothing gets done."),
			description: say(asNumber, " tasks wait in queue ", label(queue), ", and none was completed for ", m.window(w.Stalled),
				", although workers serve it."),
		}),
		m.alert(rule{
			name: "StentQueueWithoutWorkers", severity: Critical, hold: 2 * time.Minute, dashboard: "queue", labels: []string{queue},
			expr:        depth.Above(0).And(workers.Is(0)).Unless(paused),
			summary:     say("No worker serves queue ", label(queue), "."),
			description: say(asNumber, " tasks wait in queue ", label(queue), ", which no live worker serves."),
		}),
		m.alert(rule{
			name: "StentTasksWaitLong", severity: Warning, hold: 5 * time.Minute, dashboard: "queue", labels: []string{queue},
			expr:    age.Above(m.seconds(t.WaitLong)).And(workers.Above(0)).Unless(paused),
			summary: say("A task waits too long in queue ", label(queue), "."),
			description: say("The oldest task of queue ", label(queue), " has been due for ", asDuration,
				" and no worker took it, although workers serve the queue."),
		}),
		m.alert(rule{
			name: "StentDeadLettersGrowing", severity: Warning, hold: time.Minute, dashboard: "workflow", labels: []string{queue, metrics.LabelStep},
			expr:    m.of(metrics.DeadLettersMoved).Grown(m.window(w.Events)).SumBy(queue, metrics.LabelStep).Above(float64(t.DeadLettersNew)),
			summary: say("Tasks of step ", label(metrics.LabelStep), " become dead letters."),
			description: say(asNumber, " tasks of step ", label(metrics.LabelStep), " in queue ", label(queue), " became dead letters within ",
				m.window(w.Events), ": they will not be tried again by themselves."),
		}),
		m.alert(rule{
			name: "StentDeadLettersPending", severity: Warning, hold: 15 * time.Minute, dashboard: "queue", labels: []string{queue},
			expr:        dead.Above(float64(t.DeadLetters)),
			summary:     say("Dead letters of queue ", label(queue), " wait for a person."),
			description: say(asNumber, " dead letters are in queue ", label(queue), ". Each is an execution that failed or waits."),
		}),
	}
}
