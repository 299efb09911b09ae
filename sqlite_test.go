package stent_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
)

// sqliteTable is a table of the user's own in Stent's file, through the user's own handle of database/sql.
type sqliteTable struct {
	t  *testing.T
	db *sql.DB
}

func openSQLiteTable(t *testing.T, w *world) usersTable {
	db, err := sql.Open("sqlite", "file:"+w.address+"?_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(w.ctx(), "CREATE TABLE shop_orders (id text PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	return sqliteTable{t, db}
}

func (s sqliteTable) inTx(ctx context.Context, commit bool, fn func(tx any, exec func(sql string) error) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = fn(tx, func(sql string) error { _, err := tx.ExecContext(ctx, sql); return err })
	if err != nil || !commit {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (s sqliteTable) count(ctx context.Context) (n int) {
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM shop_orders").Scan(&n); err != nil {
		s.t.Error(err)
	}
	return n
}
