package budget_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stentgo/stent/metrics"
	"github.com/stentgo/stent/recorder/budget"
)

func newBudget(t *testing.T, values int) *budget.Budget {
	t.Helper()
	b, err := budget.New(values)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func folded(b *budget.Budget) map[string]int64 {
	all := map[string]int64{}
	b.Folded(func(label string, values int64) { all[label] = values })
	return all
}

func TestFold(t *testing.T) {
	b := newBudget(t, 2)
	for _, step := range []struct{ label, value, want string }{
		{metrics.LabelStep, "a", "a"},
		{metrics.LabelStep, "b", "b"},
		{metrics.LabelStep, "c", metrics.Other}, // the first that come are kept
		{metrics.LabelStep, "c", metrics.Other}, // counted once
		{metrics.LabelStep, "d", metrics.Other},
		{metrics.LabelStep, "a", "a"},
		{metrics.LabelStep, metrics.Other, metrics.Other}, // what is called so is no value of its own
		{metrics.LabelQueue, "c", "c"},                    // each label has a budget of its own
		{metrics.LabelKind, "1", "1"},                     // which users do not choose
		{metrics.LabelKind, "2", "2"},
		{metrics.LabelKind, "3", "3"},
	} {
		if got := b.Fold(step.label, step.value); got != step.want {
			t.Errorf("the value %q of %s is folded into %q, want %q", step.value, step.label, got, step.want)
		}
	}
	if got := folded(b); got[metrics.LabelStep] != 2 || got[metrics.LabelQueue] != 0 || len(got) != len(metrics.Budgeted) {
		t.Errorf("folded %v, want 2 steps", got)
	}
}

func TestDefaultBudget(t *testing.T) {
	b := newBudget(t, 0)
	for n := range metrics.DefaultBudget + 10 {
		b.Fold(metrics.LabelWorkflow, fmt.Sprint(n))
	}
	if got := folded(b)[metrics.LabelWorkflow]; got != 10 {
		t.Errorf("%d values are folded, want 10", got)
	}
	if _, err := budget.New(-1); err == nil {
		t.Error("a negative budget is accepted")
	}
}

// What is folded is remembered by a hash, and only so much of it: names without end are no leak.
func TestFoldedAreCountedUpToALimit(t *testing.T) {
	b := newBudget(t, 1)
	for n := range 100_000 {
		b.Fold(metrics.LabelStep, fmt.Sprint(n))
	}
	if got := folded(b)[metrics.LabelStep]; got != 1<<16 {
		t.Errorf("%d values are counted, want %d", got, 1<<16)
	}
}

func TestCache(t *testing.T) {
	built := map[string]int{}
	c := budget.NewCache(newBudget(t, 2), [3]string{metrics.LabelQueue, metrics.LabelStep}, func(queue, step, kind string) *string {
		name := queue + "/" + step + "/" + kind
		built[name]++
		return &name
	})
	for range 3 {
		for _, want := range []struct{ queue, step, kind, name string }{
			{"q", "a", "activity", "q/a/activity"},
			{"q", "a", "orchestrator", "q/a/orchestrator"},
			{"q", "", "", "q//"},
			{"q", "c", "activity", "q/other/activity"},
			{"q", "d", "activity", "q/other/activity"},
			{"p", "a", "activity", "p/a/activity"},
			{"r", "a", "activity", "other/a/activity"},
			{"", "", "", "other//"},
		} {
			if got := *c.Get(want.queue, want.step, want.kind); got != want.name {
				t.Errorf("%+v finds %s", want, got)
			}
		}
	}
	if len(built) != 7 {
		t.Errorf("built %v, want 7", built)
	}
	for name, n := range built {
		if n != 1 {
			t.Errorf("%s is built %d times", name, n)
		}
	}
}

// Many names, more than what was seen last is kept of, asked for at once.
func TestCacheForManyAtOnce(t *testing.T) {
	c := budget.NewCache(newBudget(t, 1000), [3]string{metrics.LabelQueue, metrics.LabelStep}, func(queue, step, _ string) *[2]string {
		return &[2]string{queue, step}
	})
	var first sync.Map
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			for n := range 5000 {
				queue, step := fmt.Sprint("queue-", n%7), fmt.Sprint("step-", n%500)
				got := c.Get(queue, step, "")
				if *got != [2]string{queue, step} {
					t.Errorf("%s and %s find %v", queue, step, *got)
					return
				}
				if was, there := first.LoadOrStore(*got, got); there && was != got {
					t.Errorf("%v is made twice", *got)
					return
				}
			}
		})
	}
	done.Wait()
}

func BenchmarkCache(b *testing.B) {
	values, err := budget.New(0)
	if err != nil {
		b.Fatal(err)
	}
	c := budget.NewCache(values, [3]string{metrics.LabelQueue, metrics.LabelStep}, func(_, _, _ string) *int { return new(int) })
	for _, steps := range []int{1, 20, 200, 1000} { // the last are folded
		names := make([]string, steps)
		for n := range names {
			names[n] = fmt.Sprintf("step_number_%d", n)
		}
		b.Run(fmt.Sprintf("%d steps", steps), func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				c.Get("billing", names[n%steps], "activity")
			}
		})
	}
}
