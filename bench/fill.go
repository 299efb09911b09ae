package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// fill copies the execution that has ended, with its tasks, n times, by the database's own means.
func fill(ctx context.Context, t target, n int) error {
	driver, address := "pgx", t.address
	if t.kind == "sqlite" {
		driver, address = "sqlite", t.address+"?_pragma=busy_timeout(60000)&_pragma=synchronous(off)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	f := filler{db, t.kind}
	for _, statement := range f.statements(ctx, n) {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%w: %s", err, statement)
		}
	}
	if err := f.err(ctx); err != nil || t.kind != "sqlite" {
		return err
	}
	return flush(t.address)
}

// flush has the disk write what was filled in, or what is measured next would wait for it with each of its own flushes.
func flush(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

type filler struct {
	db   *sql.DB
	kind string
}

// columns of a table, but for some.
func (f filler) columns(ctx context.Context, table string, without ...string) string {
	query := "SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_schema = 'stent' AND table_name = $1 ORDER BY ordinal_position"
	if f.kind == "sqlite" {
		query = "SELECT name FROM pragma_table_info(?)" // without virtual ones
	}
	rows, err := f.db.QueryContext(ctx, query, table)
	if err != nil {
		return err.Error() // which the statement then shows
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err.Error()
		}
		if !slices.Contains(without, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func (f filler) statements(ctx context.Context, n int) []string {
	if f.kind == "sqlite" {
		series := fmt.Sprintf("WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < %d) ", n)
		executions, inputs, tasks := f.columns(ctx, "executions", "n", "id"), f.columns(ctx, "inputs", "n"), f.columns(ctx, "tasks", "id")
		return []string{
			series + fmt.Sprintf("INSERT INTO executions (n, id, %[1]s) SELECT i + 1000, 'copy-' || i, %[1]s FROM series, (SELECT * FROM executions LIMIT 1)", executions),
			series + fmt.Sprintf("INSERT INTO inputs (n, %[1]s) SELECT i + 1000, %[1]s FROM series, (SELECT * FROM inputs LIMIT 1)", inputs),
			series + fmt.Sprintf("INSERT INTO tasks (id, %[1]s) SELECT (i + 1000) << 20 | place, %[1]s FROM series, (SELECT *, id & 1048575 AS place FROM tasks WHERE id < 2 << 20)", tasks),
			fmt.Sprintf("UPDATE tallies SET n = n + %d WHERE state = 'completed'", n),
			"PRAGMA wal_checkpoint(TRUNCATE)",
		}
	}
	const id = "lpad(to_hex(i), 32, '0')::uuid" // ascending, as the engine's
	executions, tasks := f.columns(ctx, "executions", "id"), f.columns(ctx, "tasks", "execution_id")
	return []string{
		fmt.Sprintf("INSERT INTO stent.executions (id, %[1]s) SELECT %[2]s, %[1]s FROM generate_series(1, %[3]d) AS i, (SELECT * FROM stent.executions LIMIT 1) AS e", executions, id, n),
		fmt.Sprintf("INSERT INTO stent.tasks (execution_id, %[1]s) SELECT %[2]s, %[1]s FROM generate_series(1, %[3]d) AS i, (SELECT * FROM stent.tasks LIMIT 5) AS t", tasks, id, n),
		"VACUUM ANALYZE stent.executions", "VACUUM ANALYZE stent.tasks", "CHECKPOINT",
	}
}

// err tells whether the copies are there.
func (f filler) err(ctx context.Context) error {
	var n int
	table := "stent.tasks"
	if f.kind == "sqlite" {
		table = "tasks"
	}
	if err := f.db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+table+" LIMIT 100) AS t").Scan(&n); err != nil {
		return err
	}
	if n < 100 {
		return fmt.Errorf("only %d tasks are there", n)
	}
	return nil
}
