package budget

import (
	"sync"
	"sync/atomic"
)

// Cache finds what a recorder has made for the values of up to three labels, so that it is made once and not with every
// event. Values beyond the budget share what was made for the value into which they are folded, so the cache is no larger
// than the budget allows. It is safe for concurrent use, and allocates nothing for what it has.
type Cache[T any] struct {
	budget *Budget
	labels [3]string
	build  func(x, y, z string) *T

	recent [512]atomic.Pointer[entry[T]]

	mu   sync.RWMutex
	made map[[3]string]*entry[T]
}

// entry is what was made for the values in key, which may be folded.
type entry[T any] struct {
	key  [3]string
	made *T
}

// NewCache makes a cache for these labels, of which those that are not needed are "". build is called once for each
// combination that the budget lets through.
func NewCache[T any](b *Budget, labels [3]string, build func(x, y, z string) *T) *Cache[T] {
	return &Cache[T]{budget: b, labels: labels, build: build, made: map[[3]string]*entry[T]{}}
}

// Get returns what belongs to the values.
func (c *Cache[T]) Get(x, y, z string) *T {
	// To hash three strings would be most of what an event costs; a program has few steps, and tells of them over and over.
	slot := &c.recent[(mark(x)+3*mark(y)+7*mark(z))*0x9E3779B97F4A7C15>>55] // Fibonacci hashing, to 9 bits
	if e := slot.Load(); e != nil && e.key[0] == x && e.key[1] == y && e.key[2] == z {
		return e.made
	}
	e := c.find([3]string{x, y, z})
	slot.Store(e)
	return e.made
}

// mark differs for names that differ in their first or last eight bytes, which costs less than a hash of all.
func mark(s string) (m uint64) {
	if len(s) < 8 {
		for i := range len(s) {
			m = m<<8 | uint64(s[i])
		}
		return m
	}
	return eight(s) + 5*eight(s[len(s)-8:])
}

func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func (c *Cache[T]) find(key [3]string) *entry[T] {
	c.mu.RLock()
	e := c.made[key]
	c.mu.RUnlock()
	if e != nil {
		return e
	}
	folded := key
	for i, label := range c.labels {
		if label != "" {
			folded[i] = c.budget.Fold(label, key[i])
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.made[folded]; e == nil {
		e = &entry[T]{folded, c.build(folded[0], folded[1], folded[2])}
		c.made[folded] = e
	}
	return e
}
