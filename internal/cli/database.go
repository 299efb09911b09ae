package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

// database is an address that was understood but not opened yet.
type database struct {
	kind string // "sqlite" or "postgres"
	dsn  string // a path, or what the PostgreSQL driver takes
	name string // fit to be printed: no secret in it
}

// purpose says what may be done to a database while it is opened.
type purpose int

const (
	toRead    purpose = iota // it must be there, and its schema this program's
	toMigrate                // it must be there; an older schema is migrated
	toCreate                 // it is made where it is missing
)

// address is the database that the flag, the environment or the demo's file names.
func (a *app) address() (database, error) {
	for _, dsn := range []string{a.db, os.Getenv("STENT_DB")} {
		if dsn != "" {
			return parseDSN(dsn)
		}
	}
	if info, err := os.Stat(demoFile); err == nil && info.Mode().IsRegular() {
		return parseDSN(demoFile)
	}
	return database{}, usagef("no database: name one with --db PATH or STENT_DB, or make one to look at with `%s demo`", a.program)
}

// open opens the database that is to be looked at.
func (a *app) open(ctx context.Context, p purpose) (backend.Backend, error) {
	d, err := a.address()
	if err != nil {
		return nil, err
	}
	return a.openDatabase(ctx, d, p)
}

// keywords are the beginnings of a DSN in PostgreSQL's other form: "host=db user=stent password=secret".
var keywords = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|port|user|dbname|database|password|service|servicefile|passfile|sslmode)\s*=`)

func parseDSN(dsn string) (database, error) {
	scheme, rest, _ := strings.Cut(dsn, ":")
	switch strings.ToLower(scheme) {
	case "sqlite":
		path := strings.TrimPrefix(rest, "//")
		if path == "" || path == ":memory:" {
			return database{}, usagef("--db %s: want the path of a file, as in sqlite:orders.db", dsn)
		}
		return database{kind: "sqlite", dsn: path, name: path}, nil
	case "postgres", "postgresql":
		return parsePostgres(dsn)
	}
	switch {
	case keywords.MatchString(dsn):
		return database{kind: "postgres", dsn: dsn, name: "the PostgreSQL database"}, nil
	case strings.HasPrefix(rest, "//"), strings.EqualFold(scheme, "file") && rest != "":
		return database{}, usagef("--db: unknown kind of database %q: want sqlite:PATH, a path, or postgres://user@host/database", scheme)
	case dsn == ":memory:":
		return database{}, usagef("--db :memory:: a database in memory belongs to one program: want the path of a file")
	}
	return database{kind: "sqlite", dsn: dsn, name: dsn}, nil
}

// parsePostgres refuses an address that cannot be read without repeating any of it: what looks like a host may be half
// of a password.
func parsePostgres(dsn string) (database, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Opaque != "" || u.User == nil && strings.Contains(dsn, "@") {
		return database{}, usagef("--db: this PostgreSQL address cannot be read: want postgres://user@host:5432/database; if it has a password, " +
			"percent-encode its special characters (@ is %%40, / is %%2F, # is %%23), or put it into PGPASSWORD")
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return database{kind: "postgres", dsn: dsn, name: shown.String()}, nil
}

func (a *app) openDatabase(ctx context.Context, d database, p purpose) (backend.Backend, error) {
	if d.kind == "postgres" {
		return a.openPostgres(ctx, d, p)
	}
	return a.openSQLite(ctx, d, p)
}

func (a *app) openSQLite(ctx context.Context, d database, p purpose) (backend.Backend, error) {
	opts := []sqlite.Option{sqlite.Clock(a.now)}
	if p != toCreate {
		if _, err := os.Stat(d.dsn); os.IsNotExist(err) {
			return nil, fmt.Errorf("there is no file %s: check the path, or start the program that makes it", d.dsn)
		}
		opts = append(opts, sqlite.MustExist())
	}
	if p == toRead {
		opts = append(opts, sqlite.NoMigrate())
	}
	db, err := sqlite.Open(ctx, d.dsn, opts...)
	if err != nil {
		return nil, err
	}
	return db, nil
}
