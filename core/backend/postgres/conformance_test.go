package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/internal/pgtest"
)

func TestConformance(t *testing.T) {
	for _, variant := range []struct {
		name string
		opts []postgres.Option
	}{
		{"plain", nil},
		{"in another schema", []postgres.Option{postgres.Schema(`odd "schema"`)}},
		{"as behind PgBouncer", []postgres.Option{postgres.PgBouncer()}},
	} {
		t.Run(variant.name, func(t *testing.T) { conform(t, variant.opts) })
	}
}

func conform(t *testing.T, opts []postgres.Option) {
	dsns := map[backend.Backend]string{}
	open := func(t *testing.T, dsn string) backend.Backend {
		db, err := postgres.Open(t.Context(), dsn, opts...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		dsns[db] = dsn
		return db
	}
	change := func(t *testing.T, b backend.Backend, sql string, args ...any) {
		conn, err := pgx.Connect(t.Context(), dsns[b])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), b.(*postgres.DB).InSchema(sql), args...); err != nil {
			t.Fatal(err)
		}
	}
	backendtest.Run(t, backendtest.Features{
		Another: func(t *testing.T, b backend.Backend) backend.Backend { return open(t, dsns[b]) },
		PauseQueue: func(t *testing.T, b backend.Backend, queue string) {
			change(t, b, "INSERT INTO stent.queues (name, paused) VALUES ($1, true)", queue)
		},
		RequestCancel: func(t *testing.T, b backend.Backend, execution string) {
			change(t, b, "UPDATE stent.executions SET cancel_requested_at = now() WHERE coalesce(alias, id::text) = $1", execution)
		},
		Actions: func(t *testing.T, b backend.Backend, id backend.TaskID, actor, action string) (n int) {
			conn, err := pgx.Connect(t.Context(), dsns[b])
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(context.Background())
			err = conn.QueryRow(t.Context(), b.(*postgres.DB).InSchema(
				"SELECT count(*) FROM stent.audit WHERE execution_id = $1 AND seq = $2 AND actor = $3 AND action = $4"),
				id.Execution, id.Seq, actor, action).Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
	}, func(t *testing.T) backend.Backend { return open(t, pgtest.DSN(t)) })
}
