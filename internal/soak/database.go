//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/internal/pgtest"
)

// database is what the soak works on: a file or a server, on a disk of its own where that can be had.
type database struct {
	name   string
	path   string         // SQLite
	server *pgtest.Server // PostgreSQL
	dsn    string         // straight to it

	hostPort string
	disk     *disk // nil where none can be had
	dir      string
	report   *report
}

// The sizes of the small disk. PostgreSQL's log needs some room to go round in.
const (
	sqliteDisk   = 256 << 20
	postgresDisk = 1 << 30
)

func newDatabase(ctx context.Context, name string, r *report) (_ *database, err error) {
	d := &database{name: name, report: r}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	size := int64(sqliteDisk)
	if name == "postgres" {
		size = postgresDisk
	}
	if d.disk, err = newDisk(size); err != nil {
		r.skip(diskFull, err.Error())
		if d.dir, err = os.MkdirTemp("/tmp", "stent-soak-"); err != nil {
			return nil, err
		}
	} else {
		d.dir = d.disk.dir
	}
	if name != "postgres" {
		d.path = filepath.Join(d.dir, "stent.sqlite")
		return d, nil
	}
	if err := os.Chmod(d.dir, 0o777); err != nil { //nolint:gosec // the server's user makes its folder in it
		return nil, err
	}
	if err := os.Setenv("TMPDIR", d.dir); err != nil {
		return nil, err
	}
	if d.server, err = pgtest.Launch(ctx); err != nil {
		return nil, err
	}
	d.dsn = d.server.DSN()
	u, err := url.Parse(d.dsn)
	if err != nil {
		return nil, err
	}
	d.hostPort = u.Host
	for _, statement := range []string{"ALTER SYSTEM SET max_wal_size = '128MB'", "SELECT pg_reload_conf()"} {
		if err := d.exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// address is the database's as a process sees it through a proxy.
func (d *database) address(through *proxy) string {
	if through == nil {
		if d.server != nil {
			return d.dsn
		}
		return d.path
	}
	u, _ := url.Parse(d.dsn) // it has been read before
	u.Host = through.address()
	return u.String()
}

func (d *database) String() string {
	if d.server != nil {
		return d.server.String()
	}
	return "SQLite"
}

// exec runs a statement on a connection of its own.
func (d *database) exec(ctx context.Context, sql string, args ...any) error {
	conn, err := pgx.Connect(ctx, d.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func (d *database) close() error {
	var errs []error
	if d.server != nil {
		errs = append(errs, d.server.Close())
	}
	if d.disk != nil {
		errs = append(errs, d.disk.close())
	} else if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}
