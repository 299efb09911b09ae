package budget

import "sync"

// Cache finds what a recorder has made for the values of up to three labels, so that it is made once and not with every
// event. Values beyond the budget share what was made for the value into which they are folded, so the cache is no larger
// than the budget allows. It is safe for concurrent use, and allocates nothing for what it has.
type Cache[T any] struct {
	budget *Budget
	labels [3]string
	build  func(x, y, z string) *T

	mu   sync.RWMutex
	made map[[3]string]*T
}

// NewCache makes a cache for these labels, of which those that are not needed are "". build is called once for each
// combination that the budget lets through.
func NewCache[T any](b *Budget, labels [3]string, build func(x, y, z string) *T) *Cache[T] {
	return &Cache[T]{budget: b, labels: labels, build: build, made: map[[3]string]*T{}}
}

// Get returns what belongs to the values.
func (c *Cache[T]) Get(x, y, z string) *T {
	key := [3]string{x, y, z}
	c.mu.RLock()
	t := c.made[key]
	c.mu.RUnlock()
	if t != nil {
		return t
	}
	for i, label := range c.labels {
		if label != "" {
			key[i] = c.budget.Fold(label, key[i])
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t = c.made[key]; t == nil {
		t = c.build(key[0], key[1], key[2])
		c.made[key] = t
	}
	return t
}
