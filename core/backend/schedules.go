package backend

import (
	"context"
	"time"
)

// Schedules is what begins executions at times of its own. A backend keeps when the next tick of a schedule is and what
// each begins; which times these are is the engine's to know.
type Schedules interface {
	// Schedules lists schedules by name, and tells the time.
	Schedules(ctx context.Context, f ScheduleFilter) (ScheduleList, error)

	// PutSchedule writes a schedule as it is given, but for Revision, which grows by one, Created, Changed and Running, and
	// notes in the audit what e says, at once. It does so only if Revision is what the database holds, 0 where there is no
	// schedule of that name, and otherwise tells false: somebody was faster.
	PutSchedule(ctx context.Context, s Schedule, e AuditEntry) (bool, error)

	// DeleteSchedule deletes one, and notes in the audit what e says, or says ErrNotFound. What it began goes on.
	DeleteSchedule(ctx context.Context, name string, e AuditEntry) error

	// Tick begins executions and sets when the next tick is, in one transaction, if the schedule's Revision is still that
	// of the tick, and otherwise does nothing and tells false. So of all workers that see a tick one begins it. Starts set
	// what Commit sets of them; one that is refused does not hold up the schedule.
	Tick(ctx context.Context, t *Tick) (bool, error)
}

// Schedule begins executions at times of its own.
type Schedule struct {
	Name string
	Rule []byte // when it ticks and what happens to ticks that were missed, as the engine writes it; JSON
	// Start is what each tick begins. Its ID, Delay, At and Carrier are not kept.
	Start Start
	// Next is the tick that is to come, or is due; zero for a schedule that is paused.
	Next time.Time

	PausedAt time.Time // zero for one that is not
	PausedBy string

	LastTick      time.Time // that began something; zero before the first
	LastExecution string    // what it began
	Skipped       int64     // ticks that began nothing, since the execution before had not ended

	// Set by the backend.
	Revision int64 // grows with every write
	Created  time.Time
	Changed  time.Time // when it was put last; a tick is no change
	Running  bool      // LastExecution is there and has not ended
}

// ScheduleFilter chooses schedules. Zero fields choose all.
type ScheduleFilter struct {
	Name string
	Due  bool // whose Next has come; the earliest first, and at most 100 of them
}

// ScheduleList is an answer of Schedules.
type ScheduleList struct {
	Schedules []Schedule
	Now       time.Time     // the database's clock
	Next      time.Duration // until the earliest Next that has not come; negative if there is none
}

// Tick is one or more ticks of a schedule, which are handled at once.
type Tick struct {
	Schedule string
	Revision int64
	Starts   []*Start
	Next     time.Time // the tick after these

	// What becomes of the schedule's fields of the same name; LastTick zero leaves it and LastExecution as they are.
	LastTick      time.Time
	LastExecution string
	Skipped       int64 // is added

	// Set by Tick.
	Now time.Time // the database's clock in this transaction
}
