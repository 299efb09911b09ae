package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// DB is a handle on a database in memory. It is safe for concurrent use. Several handles on one database, made with
// [DB.Another], behave as several processes on one database would.
type DB struct {
	*store

	mu     sync.Mutex
	closed bool
	over   chan struct{} // closed by Close
}

var (
	_ backend.Backend = (*DB)(nil)
	_ backend.Watcher = (*DB)(nil)
)

// Option is a choice at [Open].
type Option func(*store)

// Clock is the database's clock; nil means [time.Now].
func Clock(now func() time.Time) Option {
	return func(s *store) {
		if now != nil {
			s.clock = now
		}
	}
}

// Open makes a new and empty database.
func Open(opts ...Option) *DB {
	s := newStore()
	for _, opt := range opts {
		opt(s)
	}
	return s.handle()
}

func (s *store) handle() *DB { return &DB{store: s, over: make(chan struct{})} }

// Another opens one more handle on the same database.
func (db *DB) Another() *DB { return db.handle() }

// Name is "memory".
func (db *DB) Name() string { return "memory" }

// Close closes this handle. The database lives on in the others.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if !db.closed {
		db.closed = true
		close(db.over)
	}
	return nil
}

var errClosed = errors.New("the database handle is closed")

// TellsAll says that Watch misses nothing, so that nobody need ask from time to time what has changed.
func (db *DB) TellsAll() bool { return true }

// tx is what a method does while it has the database for itself.
type tx struct {
	*store
	now time.Time

	// Of Commit.
	worker string
	alive  bool // the worker may write
}

// do runs one method with the database for itself. fn changes nothing where it returns an error.
func (db *DB) do(ctx context.Context, fn func(t *tx) error, format string, args ...any) error {
	err := ctx.Err()
	if err == nil {
		err = db.locked(fn)
	}
	if err != nil {
		return fmt.Errorf("memory: "+format+": %w", append(args, err)...)
	}
	return nil
}

func (db *DB) locked(fn func(t *tx) error) error {
	db.mu.Lock()
	closed := db.closed
	db.mu.Unlock()
	if closed {
		return errClosed
	}
	db.store.mu.Lock()
	defer db.store.mu.Unlock()
	return fn(&tx{store: db.store, now: db.time()})
}

// in is the time so long from now; a time before now is now.
func (t *tx) in(d time.Duration) time.Time { return t.now.Add(max(d.Truncate(time.Microsecond), 0)) }
