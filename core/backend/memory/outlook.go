package memory

import (
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Outlook is what is to come in a database at one moment, as a test wants to know that waits for something.
type Outlook struct {
	Now     time.Time
	Next    time.Time        // when the next task is due, or timer fires, later than now; zero if nothing waits for a time
	Tick    time.Time        // when the next schedule ticks, later than now; zero if none does
	Running []backend.TaskID // activities with a lease
	Due     []backend.TaskID // due, and claimed by nobody
	Waiting []backend.Task   // waits without a timeout, of executions that have not ended
}

// Outlook tells what is to come.
func (db *DB) Outlook() Outlook {
	db.store.mu.Lock()
	defer db.store.mu.Unlock()
	o := Outlook{Now: db.time()}
	later := func(at time.Time) {
		if at.After(o.Now) && (o.Next.IsZero() || at.Before(o.Next)) {
			o.Next = at
		}
	}
	for x := range db.due {
		if later(x.at); !x.at.After(o.Now) {
			o.Due = append(o.Due, x.record().ID)
		}
	}
	for e := range db.live {
		for _, s := range e.tasks {
			switch {
			case s == nil:
			case s.State == backend.Running:
				o.Running = append(o.Running, s.ID)
			case s.State == backend.Waiting && s.fires.IsZero():
				o.Waiting = append(o.Waiting, s.record())
			case s.State == backend.Waiting:
				later(s.fires)
			}
		}
	}
	if t := (tx{store: db.store, now: o.Now}); t.nextExpiry() > 0 {
		later(o.Now.Add(t.nextExpiry()))
	}
	if t := (tx{store: db.store, now: o.Now}); t.nextTick() > 0 {
		o.Tick = o.Now.Add(t.nextTick())
	}
	slices.SortFunc(o.Running, compareTasks)
	slices.SortFunc(o.Due, compareTasks)
	slices.SortFunc(o.Waiting, func(a, b backend.Task) int { return compareTasks(a.ID, b.ID) })
	return o
}
