package stent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// A program sees all that there is on the database: executions by pages and filters, counts, and the workers of others.
func TestAProgramListsExecutionsWorkersAndCounts(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		even := core.NewWorkflow[int, int]("even", core.Tags("red"))
		odd := core.NewWorkflow[int, int]("odd")
		same := func(_ *core.Flow, n int) (int, error) { return n, nil }
		w.program(even.Handle(same), odd.Handle(same)).serve(core.WorkerConfig{Tags: []string{"red"}, Name: "other"})
		p := w.program()
		const n = 25
		for i := range n {
			wf := []*core.Workflow[int, int]{even, odd}[i%2]
			wait(p, start(p, wf, i, core.ID(fmt.Sprintf("x-%02d", i))))
		}
		page := func(f backend.ExecutionFilter) (ids []string) {
			t.Helper()
			list, err := p.ListExecutions(w.ctx(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				ids = append(ids, x.ID)
			}
			return ids
		}
		var all []string
		for f := (backend.ExecutionFilter{Limit: 10}); ; f.After = all[len(all)-1] {
			ids := page(f)
			if all = append(all, ids...); len(ids) < 10 {
				break
			}
		}
		if len(all) != n || all[0] != "x-24" || all[n-1] != "x-00" || !slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("by pages: %q", all)
		}
		if ids := page(backend.ExecutionFilter{}); len(ids) != 20 {
			t.Errorf("%d without a limit", len(ids))
		}
		if ids := page(backend.ExecutionFilter{Workflow: "odd", Limit: 2}); !slices.Equal(ids, []string{"x-23", "x-21"}) {
			t.Errorf("of a workflow: %q", ids)
		}
		if ids := page(backend.ExecutionFilter{Tag: "red", States: []backend.State{backend.Completed}, Limit: 1}); !slices.Equal(ids, []string{"x-24"}) {
			t.Errorf("of a tag: %q", ids)
		}
		if ids := page(backend.ExecutionFilter{States: []backend.State{backend.Failed}}); len(ids) != 0 {
			t.Errorf("that failed: %q", ids)
		}
		workers, err := p.Workers(context.Background())
		if err != nil || len(workers) != 1 || workers[0].State != backend.WorkerReady || !slices.Equal(workers[0].Tags, []string{"red"}) {
			t.Errorf("workers %+v, %v", workers, err)
		}
		stats, err := p.Stats(w.ctx())
		if err != nil || stats.Executions[backend.Completed] != n || stats.Workers[backend.WorkerReady] != 1 {
			t.Errorf("stats %+v, %v", stats, err)
		}
	})
}
