//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// What the database's rows have to tell, together with the ledger and with what the client was told.
//
//   - Every execution that was accepted is there, and has ended as its kind says, or waits for what its kind waits for,
//     and Stent names that reason.
//   - The result of every activity is that of an attempt which the ledger knows, the same that the workflow saw.
//   - Nothing of an execution that has ended is unfinished, and it has as many entries as its plan says.
//   - Signals were received once each, in the order in which they were accepted.
//   - Counters are what was counted. Counts by state and by queue are those of the rows.
//   - Metrics tell no more than the rows; and of the calm at the end, exactly as much.
//   - The file, or the indexes, are sound.
type judge struct {
	*soak
	chronicle *chronicle
	rows      map[string]*backend.Execution
	tasks     map[string][]backend.Task // by execution, without orchestrators
}

func (s *soak) judge(ctx context.Context) error {
	entries, err := readLedger(s.ledger.file.Name())
	if err != nil {
		return err
	}
	j := &judge{soak: s, rows: map[string]*backend.Execution{}, tasks: map[string][]backend.Task{}}
	if s.before != "" {
		s.upgraded(entries)
	}
	j.chronicle = readChronicle(entries, map[string]int{narrow.Name(): narrowLimit}, s.report)
	if err := j.read(ctx); err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(s.client.started))
	accepted := 0
	for _, id := range ids {
		st, x := s.client.started[id], j.rows[id]
		if !st.accepted {
			s.report.violate("%s cannot be started, though all is well again: %v", id, st.last)
			continue
		}
		accepted++
		if x == nil {
			s.report.violate("%s was accepted and is not there", id)
			continue
		}
		j.execution(ctx, x, st)
	}
	for id, x := range j.rows {
		if s.client.started[id] == nil && x.Parent == nil {
			s.report.violate("nobody started %s", id)
		}
		j.results(x)
	}
	s.report.check("executions that were accepted", accepted)
	s.report.check("executions that are there", len(j.rows))
	s.report.note("client      %d executions, %d of them without an answer at first; %d signals, %d of them without one; %d replays",
		len(ids), s.client.unanswered, s.client.sends, s.client.unsure, s.client.replays)
	j.census()
	if err := j.stats(ctx); err != nil {
		return err
	}
	j.metrics()
	return s.sound(ctx)
}

// upgraded tells what workers of the older version did after the migration. Those that were started again then were
// refused, so they are the first ones.
func (s *soak) upgraded(entries []entry) {
	n, since := 0, false
	for _, e := range entries {
		since = since || e.What == migrated
		if since && e.What == did && e.Process <= older {
			n++
		}
	}
	s.report.check("effects of older workers after the migration", n)
	if n == 0 {
		s.report.violate("no worker of the older version did anything after the migration")
	}
}

// read reads all executions and tasks.
func (j *judge) read(ctx context.Context) error {
	f := backend.ExecutionFilter{Limit: 1000}
	for {
		list, err := j.store.Executions(ctx, f)
		if err != nil {
			return err
		}
		for i := range list {
			j.rows[list[i].ID] = &list[i]
		}
		if len(list) < f.Limit {
			break
		}
		f.After = list[len(list)-1].ID
	}
	for t := (backend.TaskFilter{Limit: 1000}); ; {
		list, err := j.store.Tasks(ctx, t)
		if err != nil {
			return err
		}
		for _, task := range list {
			if !task.ID.IsRoot() {
				j.tasks[task.ID.Execution] = append(j.tasks[task.ID.Execution], task)
			}
		}
		if len(list) < t.Limit {
			return nil
		}
		t.After = list[len(list)-1].ID
	}
}

// ends is how an execution of a kind ends.
func ends(kind string) backend.State {
	switch kind {
	case "stopper":
		return backend.Cancelled
	case "late":
		return backend.TimedOut
	}
	return backend.Completed
}

func (j *judge) execution(ctx context.Context, x *backend.Execution, st *started) {
	want := ends(st.kind)
	if st.kind == "patient" {
		j.report.check("executions that wait, and for what", 1)
		if why, err := j.client.engine.Why(ctx, x.ID); err != nil || why.Reason != core.ReasonSignal && why.Reason != core.ReasonNoWorker {
			j.report.violate("%s is %s because of %q (%s), %v: want that it waits for a signal", x.ID, x.State, why.Reason, why.Detail, err)
		}
		return
	}
	j.report.check("executions that have ended as they should", 1)
	if x.State != want {
		why, err := j.client.engine.Why(ctx, x.ID)
		j.report.violate("%s is %s (%s), want %s: Stent says %s %s %s, %v", x.ID, x.State, x.TaskState, want, why.Reason, why.Step, why.Detail, err)
		return
	}
	if x.State != backend.Completed {
		return
	}
	var out outcome
	if err := json.Unmarshal(x.Result, &out); err != nil {
		j.report.violate("%s has the result %q: %v", x.ID, x.Result, err)
		return
	}
	j.marks(x, out.Marks, marksOf(st.kind, st.plan))
	j.counter(ctx, x, len(out.Marks), st.kind)
	if st.kind == "mailbox" {
		j.letters(x.ID, st.letters, out.Letters)
	}
}

// marksOf is how many activities a workflow does.
func marksOf(kind string, p plan) int {
	switch kind {
	case "mailbox":
		return p.N / 2
	case "family":
		return p.N * (p.N + 1) / 2
	}
	return p.N
}

// marks checks that the results a workflow saw are those that its rows have now.
func (j *judge) marks(x *backend.Execution, saw []string, want int) {
	if len(saw) != want {
		j.report.violate("%s saw %d results of activities, want %d", x.ID, len(saw), want)
	}
	stored := map[string]bool{}
	for id := range j.rows {
		if id != x.ID && (j.rows[id].Parent == nil || j.rows[id].Parent.Execution != x.ID) {
			continue
		}
		for _, t := range j.tasks[id] {
			if t.Kind == backend.Activity && t.State == backend.Completed {
				stored[markOf(t.Result)] = true
			}
		}
	}
	for _, mark := range saw {
		j.report.check("results that a workflow saw", 1)
		if a := j.chronicle.attempts[mark]; a == nil || a.how != did {
			j.report.violate("%s saw the mark %s, which no attempt gave", x.ID, mark)
		} else if !stored[mark] && x.Run <= 1 { // a run that began anew has deleted those before
			j.report.violate("%s saw the result %s of %s, whose row has another one now", x.ID, mark, a.Task)
		}
	}
}

func markOf(result []byte) string {
	var e effect
	_ = json.Unmarshal(result, &e) // what is no effect has no mark
	return e.Mark
}

// counter checks an execution's own sum.
func (j *judge) counter(ctx context.Context, x *backend.Execution, want int, kind string) {
	if kind == "family" || kind == "late" {
		return
	}
	p, err := j.store.Progress(ctx, x.ID)
	got := 0.0
	for _, c := range p.Counters {
		got += c.Value
	}
	j.report.check("counters of executions", 1)
	if err != nil || int(got) != want {
		j.report.violate("%s has counted %v steps, want %d (%v)", x.ID, got, want, err)
	}
}

// letters checks what a workflow received against what was sent.
func (j *judge) letters(id string, sent []posted, got []letter) {
	j.report.check("signals that were received", len(got))
	accepted := map[letter]bool{}
	place := map[letter]int{}
	for i, p := range sent {
		place[p.letter], accepted[p.letter] = i, p.accepted
	}
	seen, last := map[letter]bool{}, -1
	for _, l := range got {
		at, ok := place[l]
		switch {
		case !ok:
			j.report.violate("%s received %+v, which nobody sent", id, l)
		case seen[l]:
			j.report.violate("%s received %+v twice", id, l)
		case accepted[l] && at < last:
			j.report.violate("%s received signals out of order: %+v", id, got)
		case accepted[l]:
			last = at
		}
		seen[l] = true
	}
	for _, p := range sent {
		// The last may have been sent once more after its workflow had got it and ended.
		if p.accepted && !seen[p.letter] && p.N < got[len(got)-1].N {
			j.report.violate("%s never received %+v, which was accepted", id, p.letter)
		}
	}
}

// results checks what is true of every execution, children too.
func (j *judge) results(x *backend.Execution) {
	for _, t := range j.tasks[x.ID] {
		if t.Kind == backend.Activity && t.State == backend.Completed {
			j.report.check("results of activities that the ledger knows", 1)
			a := j.chronicle.attempts[markOf(t.Result)]
			if a == nil || a.how != did || a.Task != t.ID.String() {
				j.report.violate("%s has a result that no attempt at it gave: %s", t.ID, t.Result)
			} else if a.Attempt != t.Attempt {
				j.report.violate("%s has the result of attempt %d and says attempt %d", t.ID, a.Attempt, t.Attempt)
			}
		}
		if x.State.Final() && !t.State.Final() {
			j.report.violate("%s is %s, its execution %s", t.ID, t.State, x.State)
		}
	}
	if x.Parent != nil && !x.State.Final() && j.rows[x.Parent.Execution] != nil && j.rows[x.Parent.Execution].State.Final() {
		j.report.violate("%s is %s, its parent %s", x.ID, x.State, j.rows[x.Parent.Execution].State)
	}
}

// census notes what there is.
func (j *judge) census() {
	n := map[string]int{}
	for _, x := range j.rows {
		n[fmt.Sprintf("%s %s", x.Workflow, x.State)]++
	}
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(n)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, n[k]))
	}
	j.report.note("executions  %s", strings.Join(kinds, ", "))
}
