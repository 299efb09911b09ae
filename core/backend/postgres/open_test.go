package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

func TestTwentyProgramsMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	dsn := pgtest.DSN(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			db, err := postgres.Open(context.Background(), dsn)
			if err != nil {
				t.Error(err)
				return
			}
			_ = db.Close()
		})
	}
	wg.Wait()
	var applied int
	query(t, dsn, &applied, "SELECT count(*) FROM stent.migrations")
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || applied != len(files) {
		t.Errorf("%d migrations were noted, there are %d: %v", applied, len(files), err)
	}
}

// newest and a number make a schema of another version of Stent.
const newest = "DELETE FROM stent.migrations WHERE version > 1; UPDATE stent.migrations SET version = "

func TestSchemasThatCannotBeUsedAreRefusedAndLeftAlone(t *testing.T) {
	for _, x := range []struct {
		name string
		sql  string // what is there
		opts []postgres.Option
		want error
		says []string
	}{
		{"an empty database, to be looked at", "", []postgres.Option{postgres.MustExist()}, backend.ErrSchemaMissing, []string{`"stent"`}},
		{"a schema of something else", "CREATE SCHEMA stent; CREATE TABLE stent.orders (id int)", nil, backend.ErrSchemaMissing, []string{"orders", "of its own"}},
		{"a schema of something else that also migrates", "CREATE SCHEMA stent; CREATE TABLE stent.migrations (at text)", nil, backend.ErrSchemaMissing, []string{"migrations"}},
		{"a newer schema", newest + "9000", nil, backend.ErrSchemaNew, []string{"9000", "up to"}},
		{"part of a schema", "DROP TABLE stent.signals", nil, backend.ErrSchemaMissing, []string{"lacks signals:"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			dsn := pgtest.DSN(t)
			if strings.Contains(x.sql, "migrations SET") || strings.Contains(x.sql, "DROP") {
				_ = open(t, dsn).Close()
			}
			execute(t, dsn, x.sql)
			before := tables(t, dsn)
			db, err := postgres.Open(t.Context(), dsn, x.opts...)
			if err == nil {
				_ = db.Close()
			}
			if !errors.Is(err, x.want) {
				t.Fatalf("error is %v, want %v", err, x.want)
			}
			for _, s := range x.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if after := tables(t, dsn); after != before {
				t.Errorf("tables before: %s; after: %s", before, after)
			}
		})
	}
}

func tables(t *testing.T, dsn string) (names string) {
	t.Helper()
	query(t, dsn, &names, "SELECT coalesce(string_agg(schemaname || '.' || tablename, ' ' ORDER BY 1), '') FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%' AND schemaname <> 'information_schema'")
	return names
}

func TestNoMigrateRefusesAnOlderSchema(t *testing.T) {
	dsn := pgtest.DSN(t)
	_ = open(t, dsn).Close()
	execute(t, dsn, newest+"-1")
	_, err := postgres.Open(t.Context(), dsn, postgres.NoMigrate())
	var old *backend.SchemaOldError
	if !errors.Is(err, backend.ErrSchemaOld) || !errors.As(err, &old) {
		t.Fatalf("error is %v", err)
	}
	if first := old.Pending[0]; old.Version != -1 || first != (backend.Migration{Version: 1, Name: "initial"}) {
		t.Errorf("version %d, pending %+v", old.Version, old.Pending)
	}
}

func TestRolesWithoutRightsAreToldWhatToGrant(t *testing.T) {
	server := pgtest.NewServer(t)
	dsn := server.Database(t)
	execute(t, dsn, "CREATE ROLE weak LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("weak")
	weak := u.String()

	_, err = postgres.Open(t.Context(), weak)
	refuse(t, err, "permission denied", "GRANT CREATE ON DATABASE", `TO "weak"`)
	if got := tables(t, dsn); got != "" {
		t.Errorf("it left %s", got)
	}
	_ = open(t, dsn).Close()
	_, err = postgres.Open(t.Context(), weak)
	refuse(t, err, "permission denied", "GRANT USAGE ON SCHEMA", `TO "weak"`)
	execute(t, dsn, "GRANT USAGE ON SCHEMA stent TO weak; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA stent TO weak")
	newMill(t, weak).workflows(3, 2)
}

func refuse(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}

func TestBadAddressesAreErrorsWithoutThePassword(t *testing.T) {
	const secret = "hunter2/#"
	for _, dsn := range []string{
		"postgres://app:" + secret + "@127.0.0.1:1/orders",
		"postgres://app:" + url.QueryEscape(secret) + "@127.0.0.1:1/orders",
		"postgres://app:hunter2@127.0.0.1:port/orders",
		"host=127.0.0.1 port=1 user=app password='" + secret + "' dbname=orders sslmode=disable",
		"host=127.0.0.1 port=1 user=app password=hunter2 sslmode=nonsense",
		"nonsense password=hunter2",
		"postgres://app:hunter2@127.0.0.1:1/orders?pool_max_conns=many",
	} {
		db, err := postgres.Open(t.Context(), dsn)
		if err == nil {
			_ = db.Close()
			t.Errorf("%s was opened", dsn)
			continue
		}
		if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, url.QueryEscape(secret)) || !strings.HasPrefix(text, "postgres: open") {
			t.Errorf("error is %q", text)
		}
	}
	for _, name := range []string{"", "pg_mine", strings.Repeat("x", 64), "a\nb", "\xff"} {
		if _, err := postgres.Open(t.Context(), pgtest.DSN(t), postgres.Schema(name)); err == nil || !strings.Contains(err.Error(), "schema") {
			t.Errorf("schema %q: error is %v", name, err)
		}
	}
}

func TestAPoolOfTheProgramsOwnStaysOpen(t *testing.T) {
	pool, err := pgxpool.New(t.Context(), pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	db, err := postgres.New(t.Context(), pool, postgres.Schema("mine"))
	if err != nil {
		t.Fatal(err)
	}
	start := newStart("a")
	if err := db.Commit(t.Context(), &backend.Batch{Commands: []backend.Command{start}}); err != nil || start.Err != nil {
		t.Fatal(err, start.Err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := pool.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := db.Execution(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("reading from a closed handle: %v", err)
	}
	if _, err := postgres.New(t.Context(), nil); err == nil {
		t.Error("no pool is no error")
	}
}

func TestOneConnectionIsEnough(t *testing.T) {
	dsn, err := url.Parse(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	q := dsn.Query()
	q.Set("pool_max_conns", "1")
	dsn.RawQuery = q.Encode()
	m := newMill(t, dsn.String())
	m.workflows(3, 2)
	if _, err := m.db.Stats(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSchemasOfOneDatabaseDoNotKnowOfEachOther(t *testing.T) {
	dsn := pgtest.DSN(t)
	one, two := newMill(t, dsn, postgres.Schema("one")), newMill(t, dsn, postgres.Schema("two"))
	one.commit(newStart("a"))
	if n := len(two.claim(5)); n != 0 {
		t.Errorf("claimed %d tasks of the other schema", n)
	}
	if n := len(one.claim(5)); n != 1 {
		t.Errorf("claimed %d tasks", n)
	}
}

func TestAnEndedContextIsHonoured(t *testing.T) {
	m := newMill(t, pgtest.DSN(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"commit":  func() error { return m.db.Commit(ctx, &backend.Batch{Commands: []backend.Command{newStart("a")}}) },
		"history": func() error { _, err := m.db.History(ctx, []string{"a"}); return err },
		"stats":   func() error { _, err := m.db.Stats(ctx); return err },
		"open":    func() error { _, err := postgres.Open(ctx, m.dsn); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) || !strings.HasPrefix(fmt.Sprint(err), "postgres: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
