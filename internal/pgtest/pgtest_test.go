package pgtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestDSN(t *testing.T) {
	first, second := DSN(t), DSN(t)
	if first == second {
		t.Fatalf("both tests got %s", first)
	}
	query(t, first, "CREATE TABLE mine (n int)")
	query(t, second, "CREATE TABLE mine (n int)")
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	var gone string
	t.Run("owner", func(t *testing.T) {
		gone = DSN(t)
		conn, err := pgx.Connect(t.Context(), gone) // a connection that is left open does not keep the database
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn })
	})
	if conn, err := pgx.Connect(t.Context(), gone); err == nil {
		conn.Close(t.Context())
		t.Errorf("%s is still there", gone)
	}
}

func TestServerStopsCrashesAndComesBack(t *testing.T) {
	server := NewServer(t)
	dsn := server.Database(t)
	query(t, dsn, "CREATE TABLE kept (n int)")

	for name, end := range map[string]func(context.Context) error{"stop": server.Stop, "crash": server.Crash} {
		t.Run(name, func(t *testing.T) {
			query(t, dsn, "INSERT INTO kept VALUES (1)")
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
			if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
				conn.Close(t.Context())
				t.Error("it still takes connections")
			}
			if err := server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			query(t, dsn, "SELECT 1/count(*) FROM kept") // what was committed is there
		})
	}
}

// query runs a statement, and fails the test where it fails.
func query(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
