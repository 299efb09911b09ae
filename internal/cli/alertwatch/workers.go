package alertwatch

import (
	"time"

	"github.com/stentgo/stent/core/backend"
)

// crew is what the evaluator remembers of workers.
type crew struct {
	full   map[string]time.Time // since when all slots of a worker have been taken at every look, by the database's clock
	used   map[string]int       // activities that a live worker said it was running
	deaths []death
}

// death is a worker that died with tasks in a queue.
type death struct {
	at    time.Time
	queue string
	tasks int
}

func newCrew() crew { return crew{full: map[string]time.Time{}, used: map[string]int{}} }

// suspects are the workers that have been full for so long that it is worth looking at what they run.
func (e *Evaluator) suspects(r Reading) map[string]bool {
	found := map[string]bool{}
	for _, w := range r.Workers {
		if since, ok := e.crew.full[w.ID]; ok && isFull(w, r.Stats.Now) && r.Stats.Now.Sub(since) > e.options.Thresholds.Wedged {
			found[w.ID] = true
		}
	}
	return found
}

func isFull(w backend.Worker, now time.Time) bool {
	return w.Slots > 0 && w.Used >= w.Slots && w.LeaseEnd.After(now) && (w.State == backend.WorkerReady || w.State == backend.WorkerDraining)
}

// workers looks for those that hang and those that died.
func (e *Evaluator) workers(r Reading, found map[string]Active) {
	now := r.Stats.Now
	was := e.crew
	e.crew = newCrew()
	for _, w := range r.Workers {
		if isFull(w, now) {
			since, ok := was.full[w.ID]
			if !ok {
				since = now
			}
			e.crew.full[w.ID] = since
		}
		switch {
		case w.State != backend.WorkerDead && w.State != backend.WorkerStopped:
			e.crew.used[w.ID] = w.Used
		case w.State == backend.WorkerDead && was.used[w.ID] > 0:
			for _, queue := range w.Queues {
				e.crew.deaths = append(e.crew.deaths, death{now, queue, was.used[w.ID]})
			}
		}
	}
	lost := map[string]int{}
	for _, d := range was.deaths {
		if now.Sub(d.at) <= e.options.Windows.Events {
			e.crew.deaths = append(e.crew.deaths, d)
		}
	}
	for _, d := range e.crew.deaths {
		lost[d.queue] += d.tasks
	}
	for queue, tasks := range lost {
		e.add(found, "StentTasksTakenOver", float64(tasks), map[string]string{"queue": queue})
	}
	for worker, last := range r.Began {
		if idle := now.Sub(last); idle > e.options.Thresholds.Wedged {
			e.add(found, "StentWorkerWedged", idle.Seconds(), map[string]string{"instance": worker})
		}
	}
}
