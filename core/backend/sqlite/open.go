package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core/backend"

	driver "modernc.org/sqlite"
)

var (
	_ backend.Backend = (*DB)(nil)
	_ backend.Watcher = (*DB)(nil)
)

// DB is a handle on one file. It is safe for concurrent use.
type DB struct {
	path    string // absolute
	opts    options
	q       *queries
	driver  *driver.Driver
	writer  *pool
	readers *pool

	closing chan struct{} // closed by Close
	once    sync.Once

	taken atomic.Int64 // when a claim last found something, in ns since 1970

	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

// Open opens the file at path, and makes it if it is not there, or migrates it if an older program made it.
//
// It says backend.ErrSchemaMissing for a file that is not Stent's, backend.ErrSchemaNew for one that a newer program
// has migrated, and backend.ErrSchemaOld for an older one with [NoMigrate].
func Open(ctx context.Context, path string, opts ...Option) (*DB, error) {
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	if err := checkPath(path, o.mustExist); err != nil {
		return nil, fmt.Errorf("sqlite: open: %w", err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	q, err := loadQueries()
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	db := &DB{
		path: abs, opts: o, q: q, driver: &driver.Driver{},
		closing: make(chan struct{}), watchers: map[*watcher]struct{}{},
	}
	db.writer = newPool(1, db.closing, func(ctx context.Context) (*conn, error) { return db.connect(ctx, writing) })
	db.readers = newPool(o.readers, db.closing, func(ctx context.Context) (*conn, error) { return db.connect(ctx, reading) })

	err = db.writer.use(ctx, func(c *conn) error { return db.prepare(ctx, c) })
	if err != nil {
		db.Close()
		return nil, db.wrap(ended(ctx, err), "open")
	}
	return db, nil
}

// checkPath finds what is wrong with a path before SQLite says "unable to open database file".
func checkPath(path string, mustExist bool) error {
	if path == "" || path == ":memory:" {
		return fmt.Errorf("%q is not a file: several connections share the database, so give a path, in tests one in t.TempDir()", path)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: give the path of a file in it, for example %s", path, filepath.Join(path, "stent.db"))
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case mustExist:
		return fmt.Errorf("%s does not exist: check the path, or start the program that makes it: %w", path, backend.ErrSchemaMissing)
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%s: the folder %s does not exist: make it first", path, dir)
	} else if !info.IsDir() {
		return fmt.Errorf("%s: %s is not a folder", path, dir)
	}
	return nil
}

// Name is "sqlite".
func (db *DB) Name() string { return "sqlite" }

// Path is the file, as an absolute path.
func (db *DB) Path() string { return db.path }

// Close waits for what is under way and closes the file. What is called later says so.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.closing)
		err = errors.Join(db.readers.close(), db.writer.close())
	})
	return db.wrap(err, "close")
}

type role int

const (
	writing role = iota
	reading
)

// connect opens one connection. That reads the file, which another process may just be making.
func (db *DB) connect(ctx context.Context, r role) (c *conn, err error) {
	err = db.patiently(ctx, func() error {
		raw, err := db.driver.Open(db.dsn(r))
		if err == nil {
			c = &conn{raw: raw}
		}
		return err
	})
	return c, err
}

// patiently tries again while another process has the file for itself.
func (db *DB) patiently(ctx context.Context, try func() error) error {
	for began := time.Now(); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := try()
		waited := time.Since(began)
		if !isBusy(err) || waited > db.opts.busy {
			return err
		}
		again := time.NewTimer(min(max(waited/10, shortestWait), longestWait))
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
		}
	}
}

// Who waits for a lock looks again after a tenth of the time that it has waited, within these. SQLite's own waiting soon sleeps
// for ten milliseconds at a time, and finds the lock taken again by a process that writes one short transaction after another.
const (
	shortestWait = 200 * time.Microsecond
	longestWait  = 10 * time.Millisecond
)

func (db *DB) dsn(r role) string {
	mode := "rwc"
	if db.opts.mustExist {
		mode = "rw"
	}
	// The writer does its own waiting, see patiently.
	pragmas := url.Values{"mode": {mode}, "_error_rc": {"1"}, "_pragma": {"busy_timeout(0)"}}
	pragmas["_pragma"] = append(pragmas["_pragma"], "temp_store(memory)", "synchronous("+string(db.opts.synchronous)+")")
	if r == reading {
		pragmas["_pragma"] = []string{fmt.Sprintf("busy_timeout(%d)", db.opts.busy.Milliseconds()), "temp_store(memory)", "query_only(1)"}
	} else {
		pragmas["_pragma"] = append(pragmas["_pragma"], "cache_size(-65536)", "wal_autocheckpoint(4000)")
	}
	return (&url.URL{Scheme: "file", Path: db.path, RawQuery: pragmas.Encode()}).String()
}

// now is the database's clock.
func (db *DB) now() time.Time { return db.opts.clock().UTC().Truncate(time.Microsecond) }

// read runs fn on one snapshot of the database.
func (db *DB) read(ctx context.Context, fn func(c *conn) error) error {
	return ended(ctx, db.readers.use(ctx, func(c *conn) error {
		if err := c.script(context.Background(), "BEGIN"); err != nil {
			return err
		}
		err := fn(c)
		if end := c.script(context.Background(), "ROLLBACK"); err == nil {
			err = end
		}
		return err
	}))
}

// beginImmediate takes the write lock.
func (db *DB) beginImmediate(ctx context.Context, c *conn) error {
	return db.patiently(ctx, func() error { return c.script(context.Background(), "BEGIN IMMEDIATE") })
}

// write runs fn in a transaction. If fn fails, nothing happened.
func (db *DB) write(ctx context.Context, fn func(t *tx) error) error {
	return ended(ctx, db.writer.use(ctx, func(c *conn) error {
		if err := db.beginImmediate(ctx, c); err != nil {
			return err
		}
		t := &tx{conn: c, ctx: context.WithoutCancel(ctx), caller: ctx, q: db.q, time: db.now()}
		t.now = t.time.UnixMicro()
		t.nowArg = t.now
		err := fn(t)
		if err == nil {
			err = t.writeTallies()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = c.script(context.Background(), "COMMIT")
		}
		if err != nil {
			_ = c.script(context.Background(), "ROLLBACK") // says so if SQLite has done it already
		}
		return err
	}))
}
