// Package crashtest tells the story of a crash at every commit on each kind of database.
package crashtest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/postgres"
	"github.com/stentgo/stent/core/backend/sqlite"
	"github.com/stentgo/stent/core/stenttest"
	"github.com/stentgo/stent/internal/pgtest"
)

// Everywhere runs a scenario of stenttest.Crashes in memory, on SQLite and on PostgreSQL. On the latter two time is real,
// so that a workflow should wait for milliseconds there; inMemory tells which it is. least is how many crashes there have
// to be at least.
func Everywhere(t *testing.T, least int, scenario func(env *stenttest.Env, inMemory bool)) {
	t.Helper()
	run := func(name string, inMemory bool, options func(t *testing.T) []stenttest.CrashOption) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crashes := stenttest.Crashes(t, func(env *stenttest.Env) { scenario(env, inMemory) }, options(t)...)
			if crashes < least {
				t.Errorf("%d crashes, want %d or more: the scenario has lost its commits", crashes, least)
			}
			t.Logf("%d crashes", crashes)
		})
	}
	run("memory", true, func(*testing.T) []stenttest.CrashOption { return nil })
	run("sqlite", false, func(t *testing.T) []stenttest.CrashOption {
		db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "stent.sqlite"))
		return on(t, db, err)
	})
	run("postgres", false, func(t *testing.T) []stenttest.CrashOption {
		db, err := postgres.Open(context.Background(), pgtest.DSN(t))
		return on(t, db, err)
	})
}

func on(t *testing.T, db backend.Backend, err error) []stenttest.CrashOption {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return []stenttest.CrashOption{stenttest.On(db)}
}
