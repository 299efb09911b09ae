package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

func TestConformance(t *testing.T) {
	s := &schemas{t: t, dsn: pgtest.DSN(t), name: "stent_%d"}
	backendtest.Run(t, s.features(), s.open)
}

func TestConformanceAsBehindPgBouncer(t *testing.T) {
	s := &schemas{t: t, dsn: pgtest.DSN(t), name: `odd "schema" %d`, opts: []postgres.Option{postgres.PgBouncer()}}
	backendtest.Run(t, s.features(), s.open)
}

// schemas gives each behaviour a schema of its own, which is much faster than a database.
type schemas struct {
	t    *testing.T
	dsn  string
	name string
	opts []postgres.Option
	n    atomic.Int64
}

// silent hides that a backend can watch, where notifications are switched off.
type silent struct{ backend.Backend }

func (s *schemas) open(t *testing.T) backend.Backend {
	return s.openSchema(t, fmt.Sprintf(s.name, s.n.Add(1)))
}

func (s *schemas) openSchema(t *testing.T, schema string) backend.Backend {
	db := open(t, s.dsn, append(s.opts, postgres.Schema(schema))...)
	if len(s.opts) > 0 {
		return silent{db}
	}
	return db
}

func handle(b backend.Backend) *postgres.DB {
	if s, ok := b.(silent); ok {
		b = s.Backend
	}
	return b.(*postgres.DB)
}

func (s *schemas) features() backendtest.Features {
	return backendtest.Features{
		Another: func(t *testing.T, b backend.Backend) backend.Backend { return s.openSchema(t, handle(b).Schema()) },
	}
}

func open(t testing.TB, dsn string, opts ...postgres.Option) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), dsn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// connect opens a connection as another program would.
func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t testing.TB, dsn, text string, args ...any) {
	t.Helper()
	if _, err := connect(t, dsn).Exec(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

func query(t testing.TB, dsn string, to any, text string, args ...any) {
	t.Helper()
	if err := connect(t, dsn).QueryRow(t.Context(), text, args...).Scan(to); err != nil {
		t.Fatal(err)
	}
}
