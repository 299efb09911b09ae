package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"

	"github.com/stentgo/stent/core/backend"

	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// applicationID marks a file as Stent's; it reads "Stnt".
const applicationID = 0x53746e74

// migration is one file of the folder migrations, 0001_initial.sql.
type migration struct {
	version int64
	name    string
	text    string
}

func migrations() ([]migration, error) {
	entries, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, e := range entries {
		text, err := migrationFiles.ReadFile("migrations/" + e.Name())
		if err != nil {
			return nil, err
		}
		version, err := strconv.ParseInt(e.Name()[:4], 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, e.Name(), string(text)})
	}
	return all, nil
}

// prepare finds out what the file is, and makes it what this program needs.
func (db *DB) prepare(ctx context.Context, c *conn) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	newest := all[len(all)-1].version
	version, empty, err := db.version(ctx, c)
	if err != nil {
		return err
	}
	// SQLite itself says so only at the first write. Who may not migrate may just want to read.
	readOnly, err := c.readOnly()
	if err != nil {
		return err
	}
	if readOnly && !db.opts.noMigrate {
		return errors.New(explain(sqlite3.SQLITE_READONLY, db.path, db.opts))
	}
	switch {
	case version > newest:
		return fmt.Errorf("%s has schema %d, this program knows %d: %w", db.path, version, newest, backend.ErrSchemaNew)
	case empty && db.opts.mustExist:
		return fmt.Errorf("%s is an empty database: check the path: %w", db.path, backend.ErrSchemaMissing)
	case version < newest && db.opts.noMigrate:
		return fmt.Errorf("%s has schema %d, this program needs %d: %w", db.path, version, newest, backend.ErrSchemaOld)
	}
	if err := db.useWAL(ctx, c); err != nil || version == newest {
		return err
	}
	return db.migrate(ctx, c, all)
}

// version is the number of the newest migration that was applied. A database of another program is an error, and
// nothing in it is touched.
func (db *DB) version(ctx context.Context, c *conn) (version int64, empty bool, err error) {
	id, err := db.pragma(ctx, c, "PRAGMA application_id")
	if err != nil {
		return 0, false, err
	}
	tables, err := db.pragma(ctx, c, "SELECT count(*) FROM sqlite_master")
	if err != nil {
		return 0, false, err
	}
	switch {
	case id == applicationID && tables > 0:
		version, err = db.pragma(ctx, c, "SELECT max(version) FROM migrations")
		return version, false, err
	case id == 0 && tables == 0:
		return 0, true, nil
	}
	return 0, false, fmt.Errorf("%s is a database of another program: give Stent a file of its own: %w", db.path, backend.ErrSchemaMissing)
}

// pragma reads one number, also while another process has the file for itself.
func (db *DB) pragma(ctx context.Context, c *conn, text string) (n int64, err error) {
	err = db.patiently(ctx, func() error {
		n, err = c.scalar(context.Background(), text)
		return err
	})
	return n, err
}

func (db *DB) useWAL(ctx context.Context, c *conn) error {
	return db.patiently(ctx, func() error { return c.script(context.Background(), "PRAGMA journal_mode = WAL") })
}

// migrate applies what is missing, in one transaction. Of several processes the first does it, and the others find it
// done.
func (db *DB) migrate(ctx context.Context, c *conn, all []migration) error {
	if err := db.beginImmediate(ctx, c); err != nil {
		return err
	}
	err := db.applyMissing(ctx, c, all)
	if err == nil {
		err = c.script(context.Background(), "COMMIT")
	}
	if err != nil {
		c.script(context.Background(), "ROLLBACK")
	}
	return err
}

func (db *DB) applyMissing(ctx context.Context, c *conn, all []migration) error {
	version, _, err := db.version(ctx, c)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.version <= version {
			continue
		}
		if err := c.script(context.Background(), m.text); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		if _, err := c.exec(db.q.migrated, m.version, m.name, db.now().UnixMicro()); err != nil {
			return err
		}
	}
	return c.script(context.Background(), fmt.Sprintf("PRAGMA application_id = %d", applicationID))
}
