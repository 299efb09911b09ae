package core

import (
	"context"
	"sync"

	"github.com/stentgo/stent/core/backend"
)

// waits are the callers in this process that wait for executions.
type waits struct {
	mu sync.Mutex
	by map[string][]chan ending
}

func (w *waits) add(id string) chan ending {
	told := make(chan ending, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[string][]chan ending{}
	}
	w.by[id] = append(w.by[id], told)
	return told
}

func (w *waits) remove(id string, told chan ending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.by[id]
	for i, c := range list {
		if c == told {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(w.by, id)
	} else {
		w.by[id] = list
	}
}

// ended tells everyone who waits for the execution.
func (w *waits) ended(id string, end ending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, told := range w.by[id] {
		told <- end // buffered, and told once: an execution ends once, and then the list is forgotten
	}
	delete(w.by, id)
}

// watch is the engine's one watcher of the database, which runs while anybody needs it. Those who need it are told of
// every change; they know themselves what to look for.
type watch struct {
	db backend.Backend

	mu     sync.Mutex
	users  int
	stop   context.CancelFunc
	done   chan struct{}
	change chan struct{} // closed at the next change
}

// enter keeps the watcher running until leave, which goes with it, is called.
func (w *watch) enter() {
	watcher, ok := w.db.(backend.Watcher)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users++
	if w.users == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		before, done := w.done, make(chan struct{})
		w.stop, w.done = cancel, done
		go func() {
			defer close(done)
			if before != nil {
				<-before // the last one's connection
			}
			// An error means that this backend cannot watch here; then everybody polls, as they do anyway.
			_ = watcher.Watch(ctx, "", nil, func(backend.News) { w.changed() })
		}()
	}
}

func (w *watch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users == 0 {
		return // this backend cannot watch
	}
	if w.users--; w.users == 0 {
		w.stop()
	}
}

// wait blocks until the watcher has ended, for those who close the database next.
func (w *watch) wait() {
	w.mu.Lock()
	done, users := w.done, w.users
	w.mu.Unlock()
	if done != nil && users == 0 {
		<-done
	}
}

// next is closed when something changes after this call.
func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change == nil {
		w.change = make(chan struct{})
	}
	return w.change
}

// changed is called when anything was written.
func (w *watch) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.change != nil {
		close(w.change)
		w.change = nil
	}
}
