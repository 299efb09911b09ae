// Package budget keeps the number of a metric's series within bounds: it lets so many values of each label through and
// folds the rest into one. Every recorder uses it, so that all say the same.
//
// A label is worth what one can do with its values, and nobody looks at ten thousand of them; but each is memory in the
// program, in the agent and in the monitoring system. What a program names by mistake after an id (an activity
// "mail-customer-4711") would otherwise take all three down.
package budget

import (
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/stentgo/stent/metrics"
)

// Budget is what a recorder lets through. It is safe for concurrent use.
type Budget struct{ labels map[string]*Label }

// New makes a budget of so many values for each label whose values users choose ([metrics.Budgeted]). 0 means
// [metrics.DefaultBudget]; a negative number is an error.
func New(values int) (*Budget, error) {
	if values < 0 {
		return nil, fmt.Errorf("a budget of %d values a label: want 0 (for %d) or more", values, metrics.DefaultBudget)
	}
	if values == 0 {
		values = metrics.DefaultBudget
	}
	b := &Budget{labels: map[string]*Label{}}
	for _, name := range metrics.Budgeted {
		b.labels[name] = &Label{limit: values, kept: map[string]struct{}{}, seed: maphash.MakeSeed()}
	}
	return b, nil
}

// Label is the budget of one label; nil for a label that has none.
func (b *Budget) Label(name string) *Label { return b.labels[name] }

// Fold returns the value, or [metrics.Other] if it is beyond the label's budget. Labels without one keep all values.
func (b *Budget) Fold(label, value string) string {
	if l := b.labels[label]; l != nil {
		return l.Fold(value)
	}
	return value
}

// Label is the budget of one label.
type Label struct {
	limit int
	seed  maphash.Seed

	mu     sync.RWMutex
	kept   map[string]struct{}
	seen   map[uint64]struct{} // of the folded values
	folded atomic.Int64
}

// maxSeen bounds the memory of how many values were folded, to about a megabyte.
const maxSeen = 1 << 16

// Fold returns the value, or [metrics.Other] if it is beyond the budget: the first values that come are kept. It
// allocates nothing for a value that it has seen.
func (l *Label) Fold(value string) string {
	l.mu.RLock()
	_, kept := l.kept[value]
	full := len(l.kept) >= l.limit
	l.mu.RUnlock()
	if kept || value == metrics.Other {
		return value
	}
	if full && l.isSeen(value) {
		return metrics.Other
	}
	return l.admit(value)
}

func (l *Label) isSeen(value string) bool {
	sum := maphash.String(l.seed, value)
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, seen := l.seen[sum]
	return seen || len(l.seen) >= maxSeen
}

func (l *Label) admit(value string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, kept := l.kept[value]; kept {
		return value
	}
	if len(l.kept) < l.limit {
		l.kept[value] = struct{}{}
		return value
	}
	sum := maphash.String(l.seed, value)
	if _, seen := l.seen[sum]; !seen && len(l.seen) < maxSeen {
		if l.seen == nil {
			l.seen = map[uint64]struct{}{}
		}
		l.seen[sum] = struct{}{}
		l.folded.Add(1)
	}
	return metrics.Other
}

// Folded is how many different values were folded; it stops counting at 65,536.
func (l *Label) Folded() int64 { return l.folded.Load() }

// Folded calls f for each label that has a budget, with how many different values of it were folded.
func (b *Budget) Folded(f func(label string, values int64)) {
	for _, name := range metrics.Budgeted {
		f(name, b.labels[name].Folded())
	}
}
