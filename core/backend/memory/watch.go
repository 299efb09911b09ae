package memory

import (
	"context"
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

// watcher is one Watch under way.
type watcher struct {
	worker string
	news   chan struct{}
}

// Watch calls changed at its beginning, as something may have been written just before, and after each commit of another
// worker, or of a program without one.
func (db *DB) Watch(ctx context.Context, worker string, _ []string, changed func(backend.News)) error {
	w := &watcher{worker: worker, news: make(chan struct{}, 1)}
	db.store.mu.Lock()
	db.watchers[w] = true
	db.store.mu.Unlock()
	defer func() {
		db.store.mu.Lock()
		delete(db.watchers, w)
		db.store.mu.Unlock()
	}()
	if ctx.Err() == nil {
		changed(backend.News{Woken: true, Due: true})
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-db.over:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("memory: watch: %w", errClosed)
		case <-w.news:
			changed(backend.News{Woken: true, Due: true})
		}
	}
}

// wrote tells the watchers that something was committed for a worker, "" for none.
func (s *store) wrote(worker string) {
	for w := range s.watchers {
		if worker == "" || w.worker != worker {
			select {
			case w.news <- struct{}{}:
			default:
			}
		}
	}
}
