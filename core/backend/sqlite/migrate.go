package sqlite

import (
	"context"
	"embed"
	"fmt"
	"strconv"
	"strings"

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
	version, empty, err := db.snapshotVersion(ctx, c)
	if err != nil {
		return err
	}
	// SQLite itself says so only at the first write. Who may not migrate may just want to read.
	readOnly, err := c.readOnly()
	if err != nil {
		return err
	}
	if readOnly && !db.opts.noMigrate {
		fault, says := explain(sqlite3.SQLITE_READONLY, db.path, db.opts)
		return &backend.FaultError{Fault: fault, Says: says}
	}
	switch {
	case version > newest:
		return fmt.Errorf("%s has schema %d, this program knows %d: %w", db.path, version, newest, backend.ErrSchemaNew)
	case empty && db.opts.mustExist:
		return fmt.Errorf("%s is an empty database: check the path: %w", db.path, backend.ErrSchemaMissing)
	case version < newest && db.opts.noMigrate:
		return fmt.Errorf("%s: %w", db.path, pending(version, all))
	}
	if err := db.useWAL(ctx, c); err != nil || version == newest {
		return err
	}
	return db.migrate(ctx, c, all)
}

// pending says what an older schema lacks.
func pending(version int64, all []migration) error {
	old := &backend.SchemaOldError{Version: int(version)}
	for _, m := range all {
		if m.version > version {
			_, name, _ := strings.Cut(strings.TrimSuffix(m.name, ".sql"), "_")
			old.Pending = append(old.Pending, backend.Migration{Version: int(m.version), Name: name})
		}
	}
	return old
}

// snapshotVersion is version on one snapshot, also while another process makes the database.
func (db *DB) snapshotVersion(ctx context.Context, c *conn) (version int64, empty bool, err error) {
	err = db.patiently(ctx, func() error {
		if err := c.script(context.Background(), "BEGIN"); err != nil {
			return err
		}
		version, empty, err = db.version(c)
		if end := c.script(context.Background(), "ROLLBACK"); err == nil {
			err = end
		}
		return err
	})
	return version, empty, err
}

// version is the number of the newest migration that was applied. A database of another program is an error, and
// nothing in it is touched.
func (db *DB) version(c *conn) (version int64, empty bool, err error) {
	id, err := c.scalar(context.Background(), "PRAGMA application_id")
	if err != nil {
		return 0, false, err
	}
	tables, err := c.scalar(context.Background(), "SELECT count(*) FROM sqlite_master")
	if err != nil {
		return 0, false, err
	}
	known, err := c.scalar(context.Background(),
		"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('migrations', 'executions', 'tasks', 'workers')")
	if err != nil {
		return 0, false, err
	}
	switch {
	case id == applicationID && known < 4:
		return 0, false, fmt.Errorf("%s lacks tables that Stent has made: restore a backup, or choose another path: %w", db.path, backend.ErrSchemaMissing)
	case id == applicationID:
		version, err = c.scalar(context.Background(), "SELECT max(version) FROM migrations")
		return version, false, err
	case id == 0 && tables == 0:
		return 0, true, nil
	}
	return 0, false, fmt.Errorf("%s is a database of another program: give Stent a file of its own: %w", db.path, backend.ErrSchemaMissing)
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
	err := db.applyMissing(c, all)
	if err == nil {
		err = c.script(context.Background(), "COMMIT")
	}
	if err != nil {
		_ = c.script(context.Background(), "ROLLBACK")
	}
	return err
}

func (db *DB) applyMissing(c *conn, all []migration) error {
	version, _, err := db.version(c)
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
