package sqlite

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// watcher is one Watch under way.
type watcher struct {
	worker string
	wrote  chan struct{}
}

// Watch calls changed at its beginning, as something may have been written just before, and soon after another handle's or
// another worker's commit. SQLite has no notifications: it asks the connection that writes, every WatchInterval, whether
// another one has written since, which costs a few microseconds and reads no table. Where one has, and claims here have just
// found something, it asks again after an eighth of that, and then after twice as long each time: more is to come.
func (db *DB) Watch(ctx context.Context, worker string, _ []string, changed func(backend.News)) error {
	w := &watcher{worker: worker, wrote: make(chan struct{}, 1)}
	db.mu.Lock()
	db.watchers[w] = struct{}{}
	db.mu.Unlock()
	defer func() {
		db.mu.Lock()
		delete(db.watchers, w)
		db.mu.Unlock()
	}()

	pause := db.opts.poll
	look := time.NewTimer(pause)
	defer look.Stop()
	var seen int64
	unsure := true // what was written before the first look, or while looks failed, is told too
	for {
		version, err := db.dataVersion(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			unsure = true
		case version != seen || unsure:
			changed(backend.News{Woken: true, Due: true})
			if db.finds() {
				pause = max(db.opts.poll/16, 1)
			}
			seen, unsure = version, false
		}
		pause = min(2*pause, db.opts.poll)
		look.Reset(pause)
		select {
		case <-ctx.Done():
			return nil
		case <-db.closing:
			return db.wrap(errClosed, "watch")
		case <-w.wrote:
			changed(backend.News{Woken: true, Due: true})
		case <-look.C:
		}
	}
}

// lately is how long after a claim that found something the next change is taken to be of that kind, and not a heartbeat.
const lately = 250 * time.Millisecond

func (db *DB) finds() bool { return time.Since(time.Unix(0, db.taken.Load())) < lately }

// dataVersion changes when another connection than the writer commits.
func (db *DB) dataVersion(ctx context.Context) (v int64, err error) {
	err = db.writer.use(ctx, func(c *conn) error {
		_, err := c.one(context.Background(), db.q.dataVersion, func(r *row) { v = r.int() })
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
