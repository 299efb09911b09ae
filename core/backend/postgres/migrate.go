package postgres

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

type migration struct {
	version int
	name    string
	text    string
}

// migrations are the files of the folder migrations, in their order.
func migrations() ([]migration, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name := path.Base(file)
		version, err := strconv.Atoi(strings.SplitN(name, "_", 2)[0])
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, name, string(text)})
	}
	return all, nil
}

// tables are what a schema of Stent's must have.
var tables = []string{
	"migrations", "executions", "tasks", "failures", "held", "dead_letters", "signals", "counters", "custom_state", "workers", "queues", "tallies", "audit",
}

// prepare finds out what the schema is, and makes it what this program needs.
func (db *DB) prepare(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	version, err := db.version(ctx, db.pool)
	if err != nil {
		return err
	}
	newest := all[len(all)-1].version
	switch {
	case version > newest:
		return fmt.Errorf("the schema is at version %d, this program knows versions up to %d: %w", version, newest, backend.ErrSchemaNew)
	case version == 0 && db.opts.mustExist:
		return fmt.Errorf("there is no such schema, or it is empty: check the DSN and the schema's name: %w", backend.ErrSchemaMissing)
	case version < newest && version != 0 && db.opts.noMigrate:
		return pending(version, all)
	case version == newest:
		return nil
	}
	return db.migrate(ctx, all)
}

// pending says what an older schema lacks.
func pending(version int, all []migration) error {
	old := &backend.SchemaOldError{Version: version}
	for _, m := range all {
		if m.version > version {
			_, name, _ := strings.Cut(strings.TrimSuffix(m.name, ".sql"), "_")
			old.Pending = append(old.Pending, backend.Migration{Version: m.version, Name: name})
		}
	}
	return old
}

type rower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version is the number of the newest migration that was applied, and 0 where there is no schema or an empty one. A schema
// of something else is an error.
func (db *DB) version(ctx context.Context, in rower) (version int, err error) {
	var there, others []string
	err = in.QueryRow(ctx, `
		SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname) FILTER (WHERE c.relname = ANY ($2)), '{}'),
		       coalesce(array_agg(c.relname::text ORDER BY c.relname) FILTER (WHERE c.relname <> ALL ($2)), '{}')
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`, db.opts.schema, tables).Scan(&there, &others)
	switch {
	case err != nil:
		return 0, err
	case len(there)+len(others) == 0:
		return 0, nil
	case len(there) < len(tables):
		missing := slices.DeleteFunc(slices.Clone(tables), func(name string) bool { return slices.Contains(there, name) })
		return 0, fmt.Errorf("the schema holds something else (%s) and lacks %s: give Stent a schema of its own: %w",
			some(append(others, there...)), some(missing), backend.ErrSchemaMissing)
	}
	err = in.QueryRow(ctx, inSchema("SELECT coalesce(max(version), 0) FROM stent.migrations", db.opts.schema)).Scan(&version)
	switch {
	case sqlState(err) == stateNoRight:
		return 0, fmt.Errorf("%w; %s", err, db.grant("USAGE ON SCHEMA "+pgx.Identifier{db.opts.schema}.Sanitize()+
			", and SELECT, INSERT, UPDATE and DELETE ON ALL TABLES in it,"))
	case err != nil:
		return 0, err
	case version == 0:
		return 0, fmt.Errorf("the schema has no version: %w", backend.ErrSchemaMissing)
	}
	return version, nil
}

// some shortens a list for an error.
func some(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}

// migrate applies what is missing, in one transaction. Of several programs the first does it, and the others wait for it
// and find it done.
func (db *DB) migrate(ctx context.Context, all []migration) error {
	lock := fnv.New64a()
	_, _ = lock.Write([]byte("stent migrate " + db.opts.schema))
	return db.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lock.Sum64())); err != nil {
			return err
		}
		version, err := db.version(ctx, tx)
		if err != nil {
			return err
		}
		if version == 0 {
			if err := db.createSchema(ctx, tx); err != nil {
				return err
			}
		}
		for _, m := range all {
			if m.version <= version {
				continue
			}
			if err := db.apply(ctx, tx, m); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
		}
		return nil
	})
}

func (db *DB) createSchema(ctx context.Context, tx pgx.Tx) error {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", db.opts.schema).Scan(&there); err != nil || there {
		return err
	}
	_, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{db.opts.schema}.Sanitize())
	if sqlState(err) == stateNoRight {
		return fmt.Errorf("%w; %s", err, db.grant("CREATE ON DATABASE "+pgx.Identifier{db.pool.Config().ConnConfig.Database}.Sanitize()))
	}
	return err
}

func (db *DB) apply(ctx context.Context, tx pgx.Tx, m migration) error {
	if _, err := tx.Exec(ctx, inSchema(m.text, db.opts.schema), pgx.QueryExecModeSimpleProtocol); err != nil {
		if sqlState(err) == stateNoRight {
			return fmt.Errorf("%w; %s", err, db.grant("CREATE, USAGE ON SCHEMA "+pgx.Identifier{db.opts.schema}.Sanitize()))
		}
		return err
	}
	_, err := tx.Exec(ctx, db.q.get("migrated"), m.version, m.name)
	return err
}

// grant tells what an administrator has to do.
func (db *DB) grant(what string) string {
	return fmt.Sprintf("have an administrator say GRANT %s TO %s", what, pgx.Identifier{db.pool.Config().ConnConfig.User}.Sanitize())
}
