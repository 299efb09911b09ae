package core

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/cron"
)

// Schedule begins executions of a workflow at times of its own. It is kept in the database, and any worker on it, whatever
// it has handlers for, begins what is due: each tick once, however many workers there are and whichever of them die.
//
// The execution of a tick has the schedule's name and the tick's time in UTC as its id, "nightly/2026-03-01T02:00:00Z".
type Schedule struct {
	// Name is the schedule's own, of at most 200 bytes.
	Name string
	// Cron is when it ticks: five fields as in "30 2 * * mon-fri", @daily and the like, or "@every 90s". What they mean, also
	// when clocks change, is told by package [github.com/stentgo/stent/core/cron].
	Cron string
	// Location is where the fields are meant, as "Europe/Berlin". Default "UTC".
	Location string
	// CatchUp is what becomes of ticks that no worker was there for. Default CatchUpOne.
	CatchUp CatchUp
	// CatchUpMost is the most ticks that CatchUpAll begins at once, the latest ones; older ones are left out. Default 100;
	// at most 1000.
	CatchUpMost int
	// Overlap is what becomes of a tick while the execution of the one before has not ended. Default OverlapAllow.
	Overlap Overlap
}

// CatchUp is what becomes of ticks that were missed since no worker ran, or the database could not be reached.
type CatchUp string

const (
	CatchUpOne  CatchUp = "one"  // the latest of them begins an execution, the others do not
	CatchUpAll  CatchUp = "all"  // each begins an execution, up to CatchUpMost
	CatchUpSkip CatchUp = "skip" // none does that is over a minute late
)

// Overlap is what becomes of a tick while the execution that the schedule began last has not ended.
type Overlap string

const (
	OverlapAllow Overlap = "allow" // it begins an execution all the same
	OverlapSkip  Overlap = "skip"  // it begins none, and is counted as skipped
)

const (
	scheduleName       = maxName - 55 // the most bytes of a schedule's name; a time or an id follows it
	defaultCatchUpMost = 100
	maxCatchUpMost     = 1000
	skipAfter          = time.Minute
)

// rule is a schedule as it is stored.
type rule struct {
	Cron     string  `json:"cron"`
	Location string  `json:"location,omitempty"`
	CatchUp  CatchUp `json:"catch_up"`
	Most     int     `json:"most,omitempty"`
	Overlap  Overlap `json:"overlap"`
}

// checked fills in what was left out, and refuses what cannot be.
func (s Schedule) checked() (Schedule, *cron.Schedule, error) {
	if err := checkName("schedule", s.Name); err != nil {
		return s, nil, err
	}
	if len(s.Name) > scheduleName {
		return s, nil, fmt.Errorf("schedule %.40q…: %d bytes, want at most %d", s.Name, len(s.Name), scheduleName)
	}
	s.CatchUp = orDefault(s.CatchUp, CatchUpOne)
	s.Overlap = orDefault(s.Overlap, OverlapAllow)
	switch {
	case !slices.Contains([]CatchUp{CatchUpOne, CatchUpAll, CatchUpSkip}, s.CatchUp):
		return s, nil, fmt.Errorf("catch up %q: want one, all or skip", s.CatchUp)
	case !slices.Contains([]Overlap{OverlapAllow, OverlapSkip}, s.Overlap):
		return s, nil, fmt.Errorf("overlap %q: want allow or skip", s.Overlap)
	case s.CatchUp == CatchUpAll && s.Overlap == OverlapSkip:
		return s, nil, errors.New("catch up all begins several executions at once, which overlap skip forbids: choose one of them")
	case s.CatchUpMost != 0 && s.CatchUp != CatchUpAll:
		return s, nil, fmt.Errorf("at most %d ticks at once: that is for catch up all", s.CatchUpMost)
	case s.CatchUpMost < 0 || s.CatchUpMost > maxCatchUpMost:
		return s, nil, fmt.Errorf("at most %d ticks at once: want 1 to %d", s.CatchUpMost, maxCatchUpMost)
	}
	if s.CatchUp == CatchUpAll {
		s.CatchUpMost = orDefault(s.CatchUpMost, defaultCatchUpMost)
	}
	times, err := cron.Parse(s.Cron, s.Location)
	return s, times, err
}

// readRule is what a stored schedule means.
func readRule(s *backend.Schedule) (Schedule, *cron.Schedule, error) {
	var r rule
	if err := json.Unmarshal(s.Rule, &r); err != nil {
		return Schedule{}, nil, fmt.Errorf("its rule: %w", err)
	}
	return Schedule{s.Name, r.Cron, r.Location, r.CatchUp, r.Most, r.Overlap}.checked()
}

// PutSchedule makes a schedule for this workflow, or changes the one of that name, and returns when that is durable. in and
// the options are those of each execution; [ID], [Delay] and [At] are refused, as a tick has an id and a time. A program
// calls it each time that it begins: where nothing has changed nothing is written, and ticks that were missed are caught up.
//
// A change of Cron or Location begins with the next tick after now; those that were missed are dropped. A schedule that is
// paused stays so. Workers of other programs learn of a change within a second where the database tells them of what others
// write, and otherwise with the next renewal of their lease.
func (w *Workflow[I, O]) PutSchedule(ctx context.Context, e *Engine, s Schedule, in I, opts ...StartOption) error {
	err := w.refuseTimes(opts)
	if err == nil {
		var cmd *backend.Start
		if cmd, err = e.newStart(&w.callee, in, opts); err == nil {
			err = e.putSchedule(ctx, s, func(*backend.Schedule) (backend.Start, error) { return *cmd, nil }, "")
		}
	}
	if err != nil {
		return fmt.Errorf("schedule %s for %s: %w", s.Name, w.name, err)
	}
	return nil
}

func (w *Workflow[I, O]) refuseTimes(opts []StartOption) error {
	var s settings
	for _, opt := range opts {
		opt.toStart(&s)
	}
	if s.id != "" || s.delay != 0 || !s.at.IsZero() {
		return errors.New("the options ID, Delay and At are for single executions: those of a schedule have the tick's")
	}
	return nil
}

// ScheduledStart is what each tick of a schedule begins.
type ScheduledStart struct {
	Workflow    string
	Queue       string // default "default"
	Priority    int
	Tags        []string
	Input       []byte // as the codec writes it: JSON by default
	MaxDuration time.Duration
	Metadata    map[string]string
}

// PutSchedule makes or changes a schedule as [Workflow.PutSchedule] does, without the program that has the workflow: for
// tools. The workflow's own options are not known here, so that a new schedule has a single attempt for each execution; one
// that is changed keeps what it had. [By] tells who wants it.
func (e *Engine) PutSchedule(ctx context.Context, s Schedule, start ScheduledStart, opts ...ActOption) error {
	cmd := backend.Start{
		Workflow: start.Workflow, Queue: orDefault(start.Queue, DefaultQueue), Priority: start.Priority, Tags: start.Tags,
		Input: start.Input, InputHash: hash(start.Input), MaxDuration: start.MaxDuration, Metadata: start.Metadata,
	}
	err := e.checkScheduled(start, cmd.Queue)
	if err == nil {
		err = e.putSchedule(ctx, s, func(before *backend.Schedule) (backend.Start, error) {
			if before != nil && before.Start.Workflow == cmd.Workflow {
				cmd.Policy = before.Start.Policy
				if bytes.Equal(before.Start.Input, cmd.Input) {
					cmd.InputHash = before.Start.InputHash // which a codec of the program's own may have taken elsewhere
				}
			}
			return cmd, nil
		}, act(opts).actor)
	}
	if err != nil {
		return fmt.Errorf("schedule %s for %s: %w", s.Name, start.Workflow, err)
	}
	return nil
}

func (e *Engine) checkScheduled(start ScheduledStart, queue string) error {
	var s settings
	Priority(start.Priority)(&s)
	Tags(start.Tags...)(&s)
	MaxDuration(start.MaxDuration)(&s)
	if s.err != nil {
		return s.err
	}
	if err := errors.Join(checkName("workflow", start.Workflow), checkName("queue", queue)); err != nil {
		return err
	}
	if len(start.Input) > e.payloads.limit {
		return fmt.Errorf("the input: %d bytes are more than the limit of %d", len(start.Input), e.payloads.limit)
	}
	return nil
}

// putSchedule writes a schedule. starts gives what its ticks begin, where it knows what the schedule was before, nil for a
// new one.
func (e *Engine) putSchedule(ctx context.Context, s Schedule, starts func(before *backend.Schedule) (backend.Start, error), actor string) error {
	s, times, err := s.checked()
	if err != nil {
		return err
	}
	text, err := json.Marshal(rule{s.Cron, s.Location, s.CatchUp, s.CatchUpMost, s.Overlap})
	if err != nil {
		return err
	}
	return e.changeSchedule(ctx, s.Name, func(record *backend.Schedule, now time.Time) (*backend.AuditEntry, error) {
		var before *backend.Schedule
		if record.Revision > 0 {
			before = record
		}
		start, err := starts(before)
		if err != nil || before != nil && bytes.Equal(before.Rule, text) && sameStart(&before.Start, &start) {
			return nil, err
		}
		was, _, bad := readRule(record)
		if record.PausedAt.IsZero() && (before == nil || bad != nil || was.Cron != s.Cron || was.Location != s.Location) {
			record.Next = times.Next(now)
		}
		record.Rule, record.Start = text, start
		return &backend.AuditEntry{Actor: actor, Action: backend.ActionPutSchedule, Detail: s.Cron + " " + start.Workflow}, nil
	}, true)
}

func sameStart(a, b *backend.Start) bool {
	return a.Workflow == b.Workflow && a.Queue == b.Queue && a.Priority == b.Priority && slices.Equal(a.Tags, b.Tags) &&
		bytes.Equal(a.Policy, b.Policy) && a.InputHash == b.InputHash && (a.InputHash != 0 || bytes.Equal(a.Input, b.Input)) &&
		a.MaxDuration.Truncate(time.Microsecond) == b.MaxDuration.Truncate(time.Microsecond) && maps.Equal(a.Metadata, b.Metadata)
}

// changeSchedule reads a schedule, has it changed, and writes it, again where somebody else was faster. change returns nil
// where nothing is to be written. Without make an unknown one is ErrNotFound.
func (e *Engine) changeSchedule(ctx context.Context, name string, change func(*backend.Schedule, time.Time) (*backend.AuditEntry, error), make bool) error {
	for {
		list, err := e.db.Schedules(ctx, backend.ScheduleFilter{Name: name})
		if err != nil {
			return err
		}
		record := backend.Schedule{Name: name}
		if len(list.Schedules) > 0 {
			record = list.Schedules[0]
		} else if !make {
			return ErrNotFound
		}
		entry, err := change(&record, list.Now)
		if err != nil || entry == nil {
			return err
		}
		entry.Subject = name
		written, err := e.db.PutSchedule(ctx, record, *entry)
		if err != nil {
			return err
		}
		if written {
			if !record.Next.IsZero() {
				e.ticksIn(record.Next.Sub(list.Now))
			}
			return nil
		}
	}
}

// PauseSchedule keeps a schedule from ticking until [Engine.ResumeSchedule]. What it began goes on. To pause one that is
// paused changes nothing. It says ErrNotFound.
func (e *Engine) PauseSchedule(ctx context.Context, name string, opts ...ActOption) error {
	actor := act(opts).actor
	err := e.changeSchedule(ctx, name, func(s *backend.Schedule, now time.Time) (*backend.AuditEntry, error) {
		if !s.PausedAt.IsZero() {
			return nil, nil //nolint:nilnil // nothing is to be written
		}
		s.Next, s.PausedAt, s.PausedBy = time.Time{}, now, actor
		return &backend.AuditEntry{Actor: actor, Action: backend.ActionPauseSchedule}, nil
	}, false)
	if err != nil {
		return fmt.Errorf("pause schedule %s: %w", name, err)
	}
	return nil
}

// ResumeSchedule lets a schedule tick again, from the next tick after now: those of the pause are not caught up. To resume
// one that is not paused changes nothing. It says ErrNotFound.
func (e *Engine) ResumeSchedule(ctx context.Context, name string, opts ...ActOption) error {
	actor := act(opts).actor
	err := e.changeSchedule(ctx, name, func(s *backend.Schedule, now time.Time) (*backend.AuditEntry, error) {
		if s.PausedAt.IsZero() {
			return nil, nil //nolint:nilnil // nothing is to be written
		}
		_, times, err := readRule(s)
		if err != nil {
			return nil, err
		}
		s.Next, s.PausedAt, s.PausedBy = times.Next(now), time.Time{}, ""
		return &backend.AuditEntry{Actor: actor, Action: backend.ActionResumeSchedule}, nil
	}, false)
	if err != nil {
		return fmt.Errorf("resume schedule %s: %w", name, err)
	}
	return nil
}

// DeleteSchedule deletes a schedule. What it began goes on. It says ErrNotFound.
func (e *Engine) DeleteSchedule(ctx context.Context, name string, opts ...ActOption) error {
	entry := backend.AuditEntry{Actor: act(opts).actor, Action: backend.ActionDeleteSchedule, Subject: name}
	if err := e.db.DeleteSchedule(ctx, name, entry); err != nil {
		return fmt.Errorf("delete schedule %s: %w", name, err)
	}
	return nil
}

// TriggerSchedule begins an execution as the schedule's ticks do, now, also if it is paused, and gives its id. The schedule
// itself is left as it is: the next tick comes when it would have come. It says ErrNotFound.
func (e *Engine) TriggerSchedule(ctx context.Context, name string, opts ...ActOption) (id string, err error) {
	list, err := e.db.Schedules(ctx, backend.ScheduleFilter{Name: name})
	if err == nil && len(list.Schedules) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("trigger schedule %s: %w", name, err)
	}
	cmd := scheduled(&list.Schedules[0], list.Now, name+"/"+newID(e.clock.Now()))
	err = e.starting(ctx, nil, cmd)
	if err != nil {
		return "", fmt.Errorf("trigger schedule %s as %s: %w", name, cmd.ID, err)
	}
	e.begun(cmd)
	entry := backend.AuditEntry{Actor: act(opts).actor, Action: backend.ActionTriggerSchedule, Subject: name, Detail: cmd.ID}
	if err := e.db.Note(ctx, entry); err != nil {
		return cmd.ID, fmt.Errorf("trigger schedule %s: execution %s has begun, and the audit does not tell: %w", name, cmd.ID, err)
	}
	return cmd.ID, nil
}

// ScheduleStatus is a schedule at one moment.
type ScheduleStatus struct {
	Schedule
	Start ScheduledStart

	Next          time.Time // the tick to come, or the earliest that is due; zero while it is paused
	Overdue       bool      // Next came over a minute ago, and no worker has begun it
	PausedAt      time.Time // zero if it is not paused
	PausedBy      string
	LastTick      time.Time // that began something; zero before the first
	LastExecution string    // what it began
	Running       bool      // that has not ended
	Skipped       int64     // ticks that began nothing, by OverlapSkip
	Created       time.Time
	Changed       time.Time // when it was put, paused or resumed last

	// Invalid is why no worker like this program can make it tick, such as a Location that is not known here; nil if one can.
	Invalid error
}

// Upcoming are the next ticks after now, at most so many; none of a schedule that is paused.
func (s *ScheduleStatus) Upcoming(most int) (ticks []time.Time) {
	_, times, err := s.checked()
	if err != nil || s.Next.IsZero() {
		return nil
	}
	for t := s.Next; len(ticks) < most && !t.IsZero(); t = times.Next(t) {
		ticks = append(ticks, t)
	}
	return ticks
}

// Schedules lists all schedules, by name.
func (e *Engine) Schedules(ctx context.Context) ([]ScheduleStatus, error) {
	return e.schedules(ctx, backend.ScheduleFilter{})
}

// ScheduleStatus reads one schedule, or says ErrNotFound.
func (e *Engine) ScheduleStatus(ctx context.Context, name string) (ScheduleStatus, error) {
	all, err := e.schedules(ctx, backend.ScheduleFilter{Name: name})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("schedule %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return ScheduleStatus{}, err
	}
	return all[0], nil
}

func (e *Engine) schedules(ctx context.Context, f backend.ScheduleFilter) ([]ScheduleStatus, error) {
	list, err := e.db.Schedules(ctx, f)
	if err != nil {
		return nil, err
	}
	all := make([]ScheduleStatus, len(list.Schedules))
	for i := range list.Schedules {
		s := &list.Schedules[i]
		b := &s.Start
		all[i] = ScheduleStatus{
			Start: ScheduledStart{b.Workflow, b.Queue, b.Priority, b.Tags, b.Input, b.MaxDuration, b.Metadata},
			Next:  s.Next, Overdue: !s.Next.IsZero() && list.Now.Sub(s.Next) > skipAfter, PausedAt: s.PausedAt, PausedBy: s.PausedBy,
			LastTick: s.LastTick, LastExecution: s.LastExecution, Running: s.Running, Skipped: s.Skipped, Created: s.Created, Changed: s.Changed,
		}
		all[i].Schedule, _, all[i].Invalid = readRule(s)
		all[i].Name = s.Name
	}
	return all, nil
}
