package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// addLetter adds a dead letter. There may be an older one of the same task, if another task's was replayed.
func (s *store) addLetter(l *letter) {
	s.removeLetter(l.Task)
	l.N = s.next()
	s.letters = append(s.letters, l)
}

func (s *store) removeLetter(id backend.TaskID) {
	s.letters = slices.DeleteFunc(s.letters, func(l *letter) bool { return l.Task == id })
}

func (s *store) letter(id backend.TaskID) (int, error) {
	i := slices.IndexFunc(s.letters, func(l *letter) bool { return l.Task == id })
	if i < 0 {
		return 0, fmt.Errorf("dead letter %v: %w", id, backend.ErrNotFound)
	}
	return i, nil
}

// DeadLetters lists dead letters, newest first. The task of DeadLetterFilter.After must be one, or have been one.
func (db *DB) DeadLetters(ctx context.Context, f backend.DeadLetterFilter) (all []backend.DeadLetter, err error) {
	err = db.do(ctx, func(t *tx) error {
		before := f.Before
		if f.After != (backend.TaskID{}) {
			if before, err = t.letterNumber(f.After); err != nil {
				return err
			}
		}
		for _, l := range slices.Backward(t.letters) {
			if (before == 0 || l.N < before) && l.fits(&f) && len(all) < limit(f.Limit, 100) {
				all = append(all, l.record())
			}
		}
		return nil
	}, "list dead letters")
	return all, err
}

// letterNumber is the number of a dead letter, or of one that is gone.
func (s *store) letterNumber(id backend.TaskID) (int64, error) {
	i, err := s.letter(id)
	if err == nil {
		return s.letters[i].N, nil
	}
	if n, ok := s.gone[id]; ok {
		return n, nil
	}
	return 0, err
}

func (l *letter) fits(f *backend.DeadLetterFilter) bool {
	return (f.Execution == "" || f.Execution == l.Task.Execution) && (f.Workflow == "" || f.Workflow == l.Workflow) &&
		(f.Step == "" || f.Step == l.Step) && (f.Queue == "" || f.Queue == l.Queue) &&
		!l.Moved.Before(f.MovedSince) && (f.MovedBefore.IsZero() || l.Moved.Before(f.MovedBefore))
}

func (l *letter) record() backend.DeadLetter {
	d := l.DeadLetter
	d.Tags = slices.Clone(d.Tags)
	return d
}

// DeadLetter reads one with its attempts.
func (db *DB) DeadLetter(ctx context.Context, id backend.TaskID) (d backend.DeadLetter, err error) {
	err = db.do(ctx, func(t *tx) error {
		i, err := t.letter(id)
		if err != nil {
			return err
		}
		d = t.letters[i].record()
		d.Errors = slices.Clone(t.attempts[id])
		return nil
	}, "read dead letter %v", id)
	return d, err
}

// Discard removes the dead letter and changes nothing else.
func (db *DB) Discard(ctx context.Context, id backend.TaskID, actor string) error {
	return db.do(ctx, func(t *tx) error {
		i, err := t.letter(id)
		if err != nil {
			return err
		}
		t.gone[id] = t.letters[i].N
		t.removeLetter(id)
		if t.find(id.Execution) == nil {
			t.forgetAttempts(id)
		}
		t.note(backend.AuditEntry{Task: id, Actor: actor, Action: backend.ActionDiscard})
		return nil
	}, "discard %v", id)
}

// Replay puts the task back to its queue, and reopens its execution.
func (db *DB) Replay(ctx context.Context, id backend.TaskID, queue, actor string) error {
	return db.do(ctx, func(t *tx) error {
		i, err := t.letter(id)
		if err != nil {
			return err
		}
		l := t.letters[i]
		if err := t.replay(l, queue); err != nil {
			return err
		}
		detail := ""
		if queue != "" && queue != l.Queue {
			detail = fmt.Sprintf("queue %s -> %s", l.Queue, queue)
		}
		t.gone[id] = l.N
		t.removeLetter(id)
		t.note(backend.AuditEntry{Task: id, Actor: actor, Action: backend.ActionReplay, Detail: detail})
		t.wrote("")
		return nil
	}, "replay %v", id)
}

func (t *tx) replay(l *letter, queue string) error {
	e := t.find(l.Task.Execution)
	if e == nil {
		return fmt.Errorf("its execution has been deleted: %w", backend.ErrNotReplayable)
	}
	if !e.heals() {
		return fmt.Errorf("its execution is %s: %w", e.State, backend.ErrNotReplayable)
	}
	if !l.Task.IsRoot() {
		s := e.task(l.Task.Seq)
		if s == nil || s.State != backend.Failed && s.State != backend.TimedOut {
			return fmt.Errorf("the task is not where it was buried: %w", backend.ErrNotReplayable)
		}
		s.State, s.Attempt, s.Crashes, s.Failure, s.Result, s.Finished = backend.Pending, 1, 0, nil, nil, time.Time{}
		if queue != "" {
			s.Queue = queue
		}
		t.setDue(&s.claimable, t.now)
	}
	t.reopen(e, l.place)
	if l.Task.IsRoot() {
		e.Attempt, e.Crashes = 1, 0
		if queue != "" {
			e.Queue = queue
		}
		t.setDue(&e.claimable, t.now)
	}
	t.healParents(e)
	return nil
}

// reopened tells whether a replay has reopened the execution and nobody has run it since.
func (e *execution) reopened() bool {
	return e.State == backend.Running && e.TaskState == backend.Waiting && e.reopenedToken == e.Token
}

// heals tells whether the execution can be reopened.
func (e *execution) heals() bool {
	return e.State == backend.Failed || e.State == backend.TimedOut || e.reopened()
}

// reopen lets an execution go on whose failed task has been put back: tasks that were cancelled because it ended are as
// they were, and its orchestrator waits, at most until the first timer fires.
func (t *tx) reopen(e *execution, from int) {
	if e.reopened() {
		from = min(e.HealedFrom, from)
	}
	due := time.Time{}
	for _, s := range e.tasks {
		if s == nil {
			continue
		}
		if s.State == backend.Cancelled && s.before != "" {
			s.State, s.Finished = s.before, time.Time{}
			t.setDue(&s.claimable, s.beforeDue)
			s.before, s.beforeDue = "", time.Time{}
		}
		if t.desertedBefore(s) {
			s.Key, s.State, s.Finished = "", backend.Cancelled, t.now // the workflow makes the call anew
		}
		if s.State == backend.Waiting && !s.fires.IsZero() && (due.IsZero() || s.fires.Before(due)) {
			due = s.fires
		}
	}
	if e.State != backend.Running {
		t.setDue(&e.claimable, due)
	}
	if e.lasts > 0 {
		e.Deadline = t.in(e.lasts)
	}
	e.State, e.TaskState, e.Finished, e.Result, e.Failure, e.Cause = backend.Running, backend.Waiting, time.Time{}, nil, nil, nil
	if e.Started.IsZero() {
		e.State = backend.Pending
	}
	e.woken, e.reopenedToken, e.HealedFrom, e.HealedTo = false, e.Token, from, len(e.tasks)
	t.live[e] = true
}
