package stent_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/internal/pgtest"
)

// Where outages happen: real files, disks and servers.

// Leases that no outage outlasts, and that some do.
const (
	steady   = time.Minute
	fleeting = 3 * time.Second
)

func outagesOf(w *world) map[string]func(t *testing.T) (*world, outage) {
	if w.backend == "sqlite" {
		return map[string]func(t *testing.T) (*world, outage){"locked": lockedFile, "disk full": fullDiskOfAFile}
	}
	server := pgtest.NewServer(w.T)
	return map[string]func(t *testing.T) (*world, outage){
		"disk full":            func(t *testing.T) (*world, outage) { return fullServer(t) },
		"read-only":            func(t *testing.T) (*world, outage) { return readOnlyServer(t, server) },
		"too many connections": func(t *testing.T) (*world, outage) { return crowdedServer(t, server) },
		"lost":                 lostServer,
	}
}

// fileIn is a world whose file is in a folder.
func fileIn(t *testing.T, dir string) *world {
	return &world{
		T: t, backend: "sqlite", address: filepath.Join(dir, "stent.sqlite"),
		dial: func(ctx context.Context, path string) (backend.Backend, error) {
			return sqlite.Open(ctx, path, sqlite.BusyTimeout(20*time.Millisecond))
		},
	}
}

// lockedFile is held by another program for longer than a lease.
func lockedFile(t *testing.T) (*world, outage) {
	w := fileIn(t, t.TempDir())
	var tx *sql.Tx
	return w, outage{
		fault: backend.FaultLocked, says: []string{"stent.sqlite is locked: another process has been writing for 20ms", "raise BusyTimeout", "database is locked"},
		lease: fleeting, longer: true,
		strike: func(w *world) {
			db, err := sql.Open("sqlite", "file:"+w.address+"?_txlock=immediate&_pragma=busy_timeout(10000)")
			if err == nil {
				w.Cleanup(func() { _ = db.Close() })
				tx, err = db.BeginTx(context.Background(), nil)
			}
			if err != nil {
				w.Fatal(err)
			}
		},
		heal: func(w *world) {
			if err := tx.Rollback(); err != nil {
				w.Error(err)
			}
		},
	}
}

// fullDiskOfAFile needs a disk that can be filled. Who may not mount one has the same story from core/backend/sqlite, where
// SQLite is told how large the file may become.
func fullDiskOfAFile(t *testing.T) (*world, outage) {
	d := newDisk(t, 8<<20)
	if d == nil {
		return lockedFile(t)
	}
	return fileIn(t, d.dir), outage{
		fault: backend.FaultDiskFull, says: []string{"the disk that holds " + d.dir, "is full: free some space, the engine goes on by itself", "database or disk is full"},
		lease: steady, strike: d.fill, heal: d.free,
	}
}

// disk is a small one in memory.
type disk struct{ dir string }

// newDisk is nil where none can be mounted, which takes the rights of root.
func newDisk(t *testing.T, size int) *disk {
	dir, err := os.MkdirTemp("", "stent-disk-") //nolint:usetesting // the user of a server has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=1777", size), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Logf("no small disk: %v: %s", err, out)
		return nil
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return &disk{dir}
}

// fill takes all room that is left.
func (d *disk) fill(w *world) {
	f, err := os.OpenFile(filepath.Join(d.dir, "filler"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	for piece := make([]byte, 1<<20); len(piece) > 0; {
		if _, err := f.Write(piece); errors.Is(err, syscall.ENOSPC) {
			piece = piece[:len(piece)/2]
		} else if err != nil {
			w.Fatal(err)
		}
	}
}

func (d *disk) free(w *world) {
	if err := os.Remove(filepath.Join(d.dir, "filler")); err != nil {
		w.Error(err)
	}
}

// databaseOf is a world on a database of a server, for a role that is not its superuser, who is spared some of what follows.
func databaseOf(t *testing.T, server *pgtest.Server, name, options string) *world {
	for _, statement := range []string{
		"CREATE ROLE " + name + " LOGIN", "CREATE DATABASE " + name + " OWNER " + name + " TEMPLATE template0 " + options,
	} {
		execute(t, server.DSN(), statement)
	}
	u, err := url.Parse(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Path = url.User(name), "/"+name
	return &world{
		T: t, backend: "postgres", address: u.String(),
		dial: func(ctx context.Context, dsn string) (backend.Backend, error) { return postgres.Open(ctx, dsn) },
	}
}

func execute(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// fullServer has its tables on a small disk; where none can be mounted, a trigger says what the server would. It serves
// nothing else: no checkpoint ends while the disk is full or after it is gone, and up to version 14 a new database of
// another story asks for one.
func fullServer(t *testing.T) (*world, outage) {
	o := outage{
		fault: backend.FaultDiskFull,
		says:  []string{"the disk of PostgreSQL at 127.0.0.1:", `database "cramped" is full: free some space there, the engine goes on by itself`, "No space left on device", "53100"},
		lease: steady,
	}
	d := newDisk(t, 32<<20)
	server := pgtest.NewServer(t) // it is stopped before the disk goes
	if d != nil {
		// The server's own user makes the directory, and reads the row first: to one that has ended, COPY cannot write it.
		execute(t, server.DSN(), "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null && mkdir -m 700 "+d.dir+"/tables'", "CREATE TABLESPACE small LOCATION '"+d.dir+"/tables'")
		o.strike, o.heal = d.fill, d.free
		return databaseOf(t, server, "cramped", "TABLESPACE small"), o
	}
	o.strike = func(w *world) {
		execute(t, w.address, `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE EXCEPTION 'could not extend file "base/16385/16391": No space left on device' USING ERRCODE = '53100', HINT = 'Check free disk space.';
		END $$`,
			"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON stent.executions EXECUTE FUNCTION no_room()",
			"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON stent.tasks EXECUTE FUNCTION no_room()")
	}
	o.heal = func(w *world) { execute(t, w.address, "DROP FUNCTION no_room CASCADE") }
	return databaseOf(t, server, "cramped", ""), o
}

// readOnlyServer takes no writes, as after a failover, or where an administrator wants it so. Sessions keep what was
// said when they began.
func readOnlyServer(t *testing.T, server *pgtest.Server) (*world, outage) {
	return databaseOf(t, server, "fixed", ""), outage{
		fault: backend.FaultReadOnly,
		says:  []string{"PostgreSQL at 127.0.0.1:", `database "fixed" takes no writes: it is a standby, or default_transaction_read_only is on`, "read-only transaction", "25006"},
		lease: fleeting, longer: true,
		strike: func(*world) {
			execute(t, server.DSN(), "ALTER DATABASE fixed SET default_transaction_read_only = on", sessionsEnd("fixed"))
		},
		heal: func(*world) {
			execute(t, server.DSN(), "ALTER DATABASE fixed RESET default_transaction_read_only")
		},
	}
}

// sessionsEnd ends the sessions of a role.
func sessionsEnd(role string) string {
	return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + role + "'"
}

func crowdedServer(t *testing.T, server *pgtest.Server) (*world, outage) {
	return databaseOf(t, server, "crowded", ""), outage{
		fault: backend.FaultConnections,
		says:  []string{"PostgreSQL at 127.0.0.1:", "takes no more connections: raise max_connections, or lower pool_max_conns", "too many connections", "53300"},
		lease: steady,
		strike: func(*world) {
			execute(t, server.DSN(), "ALTER ROLE crowded CONNECTION LIMIT 0", sessionsEnd("crowded"))
		},
		heal: func(*world) { execute(t, server.DSN(), "ALTER ROLE crowded CONNECTION LIMIT -1") },
	}
}

// lostServer is killed, and gone for longer than a lease.
func lostServer(t *testing.T) (*world, outage) {
	server := pgtest.NewServer(t)
	return databaseOf(t, server, "lost", ""), outage{
		fault: backend.FaultUnreachable,
		says:  []string{"PostgreSQL at 127.0.0.1:", "cannot be reached, or has closed the connection", "see whether it runs; the engine goes on by itself when it does", "refused"},
		lease: fleeting, longer: true,
		strike: func(w *world) {
			if err := server.Crash(w.ctx()); err != nil {
				w.Fatal(err)
			}
		},
		heal: func(w *world) {
			if err := server.Start(w.ctx()); err != nil {
				w.Fatal(err)
			}
		},
	}
}

// isSound has the database's own tools look for damage.
func (w *world) isSound() {
	w.Helper()
	if w.backend == "sqlite" {
		db, err := sql.Open("sqlite", "file:"+w.address)
		if err != nil {
			w.Fatal(err)
		}
		defer db.Close()
		var verdict string
		if err := db.QueryRowContext(w.ctx(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			w.Errorf("the file is damaged: %s, %v", verdict, err)
		}
		return
	}
	superuser, err := url.Parse(w.address)
	if err != nil {
		w.Fatal(err)
	}
	superuser.User = url.User("postgres")
	conn, err := pgx.Connect(w.ctx(), superuser.String())
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close(context.Background())
	check := "bt_index_parent_check(c.oid, true)" // every row of the table has its entry in the index, in order
	if _, err := conn.Exec(w.ctx(), "CREATE EXTENSION amcheck"); err != nil {
		check = "pg_relation_size(c.oid)"
		w.Logf("indexes are not checked: %v", err)
	}
	indexes, err := conn.Exec(w.ctx(), "SELECT "+check+` FROM pg_class c JOIN pg_am a ON a.oid = c.relam
		WHERE c.relnamespace = 'stent'::regnamespace AND c.relkind = 'i' AND a.amname = 'btree'`)
	if err != nil || indexes.RowsAffected() == 0 {
		w.Errorf("%d indexes: %v", indexes.RowsAffected(), err)
	}
}
