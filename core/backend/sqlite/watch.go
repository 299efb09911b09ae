package sqlite

import (
	"context"
	"time"
)

// watcher is one Watch under way.
type watcher struct {
	worker string
	wrote  chan struct{}
}

// Watch calls changed soon after another handle's or another worker's commit. SQLite has no notifications: it asks
// the connection that writes, every WatchInterval, whether another one has written since, which costs a few
// microseconds and no query.
func (db *DB) Watch(ctx context.Context, worker string, _ []string, changed func(woken bool)) error {
	w := &watcher{worker: worker, wrote: make(chan struct{}, 1)}
	db.mu.Lock()
	db.watchers[w] = struct{}{}
	db.mu.Unlock()
	defer func() {
		db.mu.Lock()
		delete(db.watchers, w)
		db.mu.Unlock()
	}()

	tick := time.NewTicker(db.opts.poll)
	defer tick.Stop()
	seen, failed := int64(-1), false
	for {
		version, err := db.dataVersion(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			failed = true
		case version != seen || failed:
			if seen >= 0 || failed {
				changed(true)
			}
			seen, failed = version, false
		}
		select {
		case <-ctx.Done():
			return nil
		case <-db.closing:
			return db.wrap(errClosed, "watch")
		case <-w.wrote:
			changed(true)
		case <-tick.C:
		}
	}
}

// dataVersion changes when another connection than the writer commits.
func (db *DB) dataVersion(ctx context.Context) (v int64, err error) {
	err = db.writer.use(ctx, func(c *conn) error {
		v, err = c.scalar(context.Background(), "PRAGMA data_version")
		return err
	})
	return v, err
}

// wrote tells the other watchers of this handle that something was committed for a worker, "" for none.
func (db *DB) wrote(worker string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for w := range db.watchers {
		if worker == "" || w.worker != worker {
			select {
			case w.wrote <- struct{}{}:
			default:
			}
		}
	}
}
