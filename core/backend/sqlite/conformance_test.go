package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/backendtest"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func TestConformance(t *testing.T) {
	backendtest.Run(t, features(), func(t *testing.T) backend.Backend { return open(t, newPath(t)) })
}

func features() backendtest.Features {
	return backendtest.Features{
		Another: func(t *testing.T, b backend.Backend) backend.Backend { return open(t, b.(*sqlite.DB).Path()) },
	}
}

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "stent.db") }

func open(t *testing.T, path string, opts ...sqlite.Option) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), path, opts...)
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

// raw opens a file as another program would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, path, text string, args ...any) {
	t.Helper()
	if _, err := raw(t, path).ExecContext(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}
