package postgres

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// lane is where tasks stand that are alike to a claim: of one queue, name, set of tags and priority.
type lane struct {
	Queue string    `json:"queue"`
	Step  string    `json:"step"`
	Tags  string    `json:"tags"`
	Rank  int32     `json:"rank"`
	Root  bool      `json:"root"`  // of executions
	Since time.Time `json:"since"` // none that claims may take is due before
}

// lanes are those in which a claim has left tasks, or in which news tell of some. They are not changed once they are given to
// the engine.
type lanes []lane

// leaves tells where a claim has left tasks: in the lanes that it went on from or, where these are nil, in those that it found,
// as they were when it began; what it took of them is no longer there. Nothing is found where it left none.
func leaves(c *backend.Claim, from lanes, found []byte) error {
	if len(found) == 0 {
		return nil
	}
	left := slices.Clone(from)
	if from == nil {
		if err := json.Unmarshal(found, &left); err != nil {
			return err
		}
	}
	for i := range c.Tasks {
		for j := range left {
			if l := &left[j]; l.has(&c.Tasks[i]) && c.Tasks[i].Due.After(l.Since) {
				l.Since = c.Tasks[i].Due
			}
		}
	}
	c.Left = left
	return nil
}

func (l *lane) has(t *backend.Claimed) bool {
	return l.Root == (t.Kind == backend.Orchestrator) && l.Rank == rankOf(t.Priority) && l.Step == t.Step && l.Queue == t.Queue && l.Tags == array(t.Tags)
}

// limited tells whether some of the lanes are of activities with a limit, which only claim.sql minds.
func (l lanes) limited(c *backend.Claim) bool {
	return slices.ContainsFunc(l, func(l lane) bool { return c.Limits[l.Step] > 0 })
}

// of gives those of the lanes that the worker has handlers for.
func (l lanes) of(c *backend.Claim) lanes {
	foreign := func(l lane) bool { return !slices.Contains(c.Steps, l.Step) }
	if !slices.ContainsFunc(l, foreign) {
		return l
	}
	return slices.DeleteFunc(slices.Clone(l), foreign)
}

// claim is the statement that claims from lanes, and its parameters.
func (l lanes) claim(worker int32, most int) (name string, args []any) {
	most = max(most, 0)
	if len(l) == 1 {
		name = "claim_lane_tasks"
		if l[0].Root {
			name = "claim_lane_executions"
		}
		return name, []any{worker, l[0].Queue, l[0].Step, l[0].Tags, number(most), l[0].Rank, l[0].Since}
	}
	return "claim_known", []any{
		worker,
		column(l, func(l lane) string { return l.Queue }),
		column(l, func(l lane) string { return l.Step }),
		column(l, func(l lane) string { return l.Tags }),
		number(most),
		column(l, func(l lane) int32 { return l.Rank }),
		column(l, func(l lane) time.Time { return l.Since }),
		column(l, func(l lane) bool { return l.Root }),
	}
}
