package logctx

import "sync/atomic"

// recentSize is the most loggers for which a task keeps what was derived.
const recentSize = 8

// Recent keeps what was derived for the few keys last seen, so that a task which makes a new logger for every record does
// not fill the memory. An injector keeps loggers in it that are bound to a task. The zero value is empty; it is safe for
// concurrent use.
type Recent[K comparable, V any] struct {
	slots [recentSize]atomic.Pointer[pair[K, V]]
	next  atomic.Uint32
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

// Get returns what was put for the key, unless it has been displaced.
func (r *Recent[K, V]) Get(key K) (value V, ok bool) {
	for i := range r.slots {
		p := r.slots[i].Load()
		if p == nil {
			break // they are filled in order
		}
		if p.key == key {
			return p.value, true
		}
	}
	return value, false
}

// Put displaces what was put the longest time ago.
func (r *Recent[K, V]) Put(key K, value V) {
	r.slots[(r.next.Add(1)-1)%recentSize].Store(&pair[K, V]{key, value})
}
