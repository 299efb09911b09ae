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

// lanes are those in which a claim has left tasks. They are not changed once they are given to the engine.
type lanes []lane

// leaves tells where a claim has left tasks. found are the lanes of claim_take.sql, where they were when it began, which are those
// that it was given, if any; what it took of them is no longer there.
func leaves(c *backend.Claim, found []byte) error {
	if len(found) == 0 {
		return nil
	}
	var left lanes
	if from, ok := c.From.(lanes); ok {
		left = slices.Clone(from)
	} else if err := json.Unmarshal(found, &left); err != nil {
		return err
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

// args are the parameters of claim_known.sql.
func (l lanes) args(worker int32, most int) []any {
	return []any{
		worker,
		column(l, func(l lane) string { return l.Queue }),
		column(l, func(l lane) string { return l.Step }),
		column(l, func(l lane) string { return l.Tags }),
		int32(max(most, 0)), //nolint:gosec // slots are few
		column(l, func(l lane) int32 { return l.Rank }),
		column(l, func(l lane) time.Time { return l.Since }),
		column(l, func(l lane) bool { return l.Root }),
	}
}
