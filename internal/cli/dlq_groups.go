package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// letterGroup is the dead letters of a step that failed for one reason.
type letterGroup struct {
	fingerprint, step string
	count             int
	oldest            time.Time
	newest            backend.DeadLetter
}

// letterGroups counts dead letters, which come newest first.
type letterGroups map[[2]string]*letterGroup

func (g letterGroups) add(d backend.DeadLetter) {
	key := [2]string{core.Fingerprint(d.Failure), d.Step}
	if g[key] == nil {
		g[key] = &letterGroup{fingerprint: key[0], step: d.Step, newest: d}
	}
	g[key].count++
	g[key].oldest = d.Moved
}

// sorted has the largest group first.
func (g letterGroups) sorted() []*letterGroup {
	list := make([]*letterGroup, 0, len(g))
	for _, group := range g {
		list = append(list, group)
	}
	slices.SortFunc(list, func(a, b *letterGroup) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.step, b.step), cmp.Compare(a.fingerprint, b.fingerprint))
	})
	return list
}

func (a *app) dlqGroupsCommand() *cobra.Command {
	var filter letterFilter
	cmd := &cobra.Command{
		Use:   "groups",
		Short: "Count dead letters by step and reason",
		Long: `Count dead letters by step and reason, the most first.

Reasons that differ only in numbers and ids have the same fingerprint, by which "stent dlq list", "replay-all" and "discard-all" choose.`,
		Example: `  stent dlq groups
  stent dlq groups --since 1h --queue billing`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filter.chosen(a.now(), a.screen.zone)
			if err != nil {
				return err
			}
			return a.dlqGroups(cmd.Context(), f)
		},
	}
	filter.addTo(cmd.Flags())
	return cmd
}

func (a *app) dlqGroups(ctx context.Context, f core.DeadLetterFilter) error {
	db, err := a.open(ctx, toRead)
	if err != nil {
		return err
	}
	defer db.Close()
	engine, err := core.New(db)
	if err != nil {
		return err
	}
	groups := letterGroups{}
	// A dry run reads them all, in pages.
	if _, err := engine.DiscardAll(ctx, f, core.DryRun(), core.OnProgress(func(p core.BulkProgress) { groups.add(p.Letter) })); err != nil {
		return err
	}
	if a.json {
		shapes := []letterGroupShape{}
		for _, g := range groups.sorted() {
			shapes = append(shapes, letterGroupShape{
				Fingerprint: g.fingerprint, Step: g.step, Count: g.count, Reason: g.newest.Reason,
				OldestMovedAt: shapeTime(g.oldest), NewestMovedAt: shapeTime(g.newest.Moved),
			})
		}
		return a.printJSON(shapes)
	}
	if len(groups) == 0 {
		a.screen.printf("No dead letters.\n")
		return nil
	}
	a.screen.table(a.screen.groupTable(groups))
	return nil
}

func (s *screen) groupTable(groups letterGroups) *table {
	t := &table{columns: []column{{"Count", 5}, {"Fingerprint", 12}, {"Step", 15}, {"Newest", 19}, {"Reason", 0}}, rule: 5}
	for _, g := range groups.sorted() {
		t.add(plain(count(int64(g.count))), plain(g.fingerprint), plain(g.step), plain(s.date(g.newest.Moved)), plain(g.newest.Reason))
	}
	return t
}
