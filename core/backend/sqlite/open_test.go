package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/backend/sqlite"
)

func TestWhatCannotBeOpenedSaysWhyAndWhatToDo(t *testing.T) {
	for _, x := range []struct {
		name string
		make func(t *testing.T, path string)
		opts []sqlite.Option
		says []string // besides the path
		is   error

		unprivileged bool // root would be let through
	}{
		{"a folder that is not there", func(t *testing.T, path string) { must(t, os.Remove(filepath.Dir(path))) }, nil, []string{"does not exist", "make it first"}, nil, false},
		{"a folder", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o755)) }, nil, []string{"is a folder", "give the path of a file"}, nil, false},
		{"a text", text("hello, this is no database, and longer than a page header is: " + strings.Repeat("x", 1000)), nil, []string{"is not an SQLite database", "another path"}, nil, false},
		{"a short text", text("hello"), nil, []string{"is not an SQLite database"}, nil, false},
		{"another program's database", foreign, nil, []string{"another program", "a file of its own"}, backend.ErrSchemaMissing, false},
		{"another program's marked database", marked, nil, []string{"another program"}, backend.ErrSchemaMissing, false},
		{"a database that has lost a table", broken, nil, []string{"lacks tables", "restore a backup"}, backend.ErrSchemaMissing, false},
		{"a newer schema", version("999"), nil, []string{"has schema 999, this program knows ", "upgrade the program"}, backend.ErrSchemaNew, false},
		{"an older schema", version("0"), []sqlite.Option{sqlite.NoMigrate()}, []string{"the schema is at version 0, this program needs version ", "(pending: 1 initial", "stent migrate up"}, backend.ErrSchemaOld, false},
		{"no file that must exist", nil, []sqlite.Option{sqlite.MustExist()}, []string{"does not exist", "check the path"}, backend.ErrSchemaMissing, false},
		{"no file, and no permission to migrate", nil, []sqlite.Option{sqlite.NoMigrate()}, []string{"does not exist"}, backend.ErrSchemaMissing, false},
		{"an empty file that must exist", text(""), []sqlite.Option{sqlite.MustExist()}, []string{"is an empty database", "check the path"}, backend.ErrSchemaMissing, false},
		{"a file that may not be written", readOnly, nil, []string{"is read-only", "writable"}, nil, true},
		{"a folder that may not be written", readOnlyFolder, nil, []string{"cannot be opened", "writable"}, nil, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			if x.unprivileged && !unprivileged(t) {
				return
			}
			dir := filepath.Join(t.TempDir(), "folder")
			must(t, os.Mkdir(dir, 0o755))
			path := filepath.Join(dir, "it.db")
			if x.make != nil {
				x.make(t, path)
			}
			before, _ := os.ReadFile(path)
			db, err := sqlite.Open(context.Background(), path, x.opts...)
			if err == nil {
				db.Close()
				t.Fatal("it was opened")
			}
			for _, part := range append(x.says, "sqlite: open", path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if x.is != nil && !errors.Is(err, x.is) {
				t.Errorf("%v is not %v", err, x.is)
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func text(s string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func foreign(t *testing.T, path string) { execute(t, path, "CREATE TABLE notes (text TEXT)") }

func marked(t *testing.T, path string) { execute(t, path, "PRAGMA application_id = 5") }

func broken(t *testing.T, path string) {
	must(t, open(t, path).Close())
	execute(t, path, "DROP TABLE tasks")
}

// version makes a database of another version of Stent.
func version(v string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		must(t, open(t, path).Close())
		execute(t, path, "DELETE FROM migrations WHERE version > 1; UPDATE migrations SET version = "+v)
	}
}

func readOnly(t *testing.T, path string) {
	must(t, open(t, path).Close())
	must(t, os.Chmod(path, 0o444))
}

func readOnlyFolder(t *testing.T, path string) {
	must(t, os.Chmod(filepath.Dir(path), 0o555))
	t.Cleanup(func() { must(t, os.Chmod(filepath.Dir(path), 0o755)) })
}

func TestAPathThatIsNoFileIsRefused(t *testing.T) {
	for _, path := range []string{"", ":memory:"} {
		if _, err := sqlite.Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), "t.TempDir()") {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestAPathMayHoldAnyCharacter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=d&e#f%20ü'.db")
	must(t, open(t, path).Close())
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	open(t, path, sqlite.MustExist(), sqlite.NoMigrate())
}

func TestAFullDiskIsSaidAndNothingIsLost(t *testing.T) {
	db := open(t, newPath(t))
	if err := db.LimitPages(3); err != nil {
		t.Fatal(err)
	}
	small := &backend.Start{ID: "small", Workflow: "wf", Queue: "default"}
	large := &backend.Start{ID: "large", Workflow: "wf", Queue: "default", Input: make([]byte, 1<<20)}
	err := db.Commit(context.Background(), &backend.Batch{Commands: []backend.Command{small, large}})
	says(t, err, "sqlite: commit 2 commands: the disk that holds", db.Path(), "is full")
	if _, err := db.Execution(context.Background(), "small"); !errors.Is(err, backend.ErrNotFound) {
		t.Errorf("part of the batch was applied: %v", err)
	}
	if err := db.LimitPages(1000); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(context.Background(), &backend.Batch{Commands: []backend.Command{small, large}}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestADamagedFileIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it.db")
	db, err := sqlite.Open(t.Context(), path)
	must(t, err)
	for i := range 500 {
		must(t, db.Commit(t.Context(), &backend.Batch{Commands: []backend.Command{
			&backend.Start{ID: fmt.Sprint("e-", i), Workflow: "w", Queue: "q", Input: make([]byte, 500)},
		}}))
	}
	must(t, db.Close())
	data, err := os.ReadFile(path)
	must(t, err)
	for i := len(data) / 4; i < len(data); i++ {
		data[i] = 0xff
	}
	must(t, os.WriteFile(path, data, 0o600))
	db, err = sqlite.Open(t.Context(), path)
	if err == nil {
		_, err = db.Executions(t.Context(), backend.ExecutionFilter{Limit: 500})
		must(t, db.Close())
	}
	if err == nil || !strings.Contains(err.Error(), path+" is damaged: restore a backup") {
		t.Errorf("it says %v", err)
	}
}

func TestALockedFileIsSaidAfterAWhile(t *testing.T) {
	db := open(t, newPath(t), sqlite.BusyTimeout(50*time.Millisecond))
	other := raw(t, db.Path())
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	b := &backend.Batch{Commands: []backend.Command{&backend.Start{ID: "a", Workflow: "wf", Queue: "default"}}}
	err := db.Commit(context.Background(), b)
	says(t, err, db.Path(), "is locked", "50ms", "BusyTimeout")
	if _, err := db.Executions(context.Background(), backend.ExecutionFilter{}); err != nil {
		t.Errorf("reading is held up by a writer: %v", err)
	}
	if _, err := other.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(context.Background(), b); err != nil {
		t.Errorf("when it is free again: %v", err)
	}
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	db := open(t, newPath(t), sqlite.BusyTimeout(time.Hour))
	other := raw(t, db.Path())
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := db.Commit(ctx, &backend.Batch{Commands: []backend.Command{&backend.Start{ID: "a"}}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("commit: %v", err)
	}
	if _, err := sqlite.Open(ctx, db.Path()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open: %v", err)
	}
}

func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not say %q", err, part)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
