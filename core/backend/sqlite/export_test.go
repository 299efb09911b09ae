package sqlite

import (
	"context"
	"fmt"
)

// LimitPages makes the disk full, as far as the writing connection can see: it may add n pages to the file.
func (db *DB) LimitPages(n int) error {
	return db.writer.use(context.Background(), func(c *conn) error {
		pages, err := c.scalar(context.Background(), "PRAGMA page_count")
		if err != nil {
			return err
		}
		return c.script(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+int64(n)))
	})
}

// Plan is how SQLite carries out a query of the folder sql.
func (db *DB) Plan(name string) (steps []string, err error) {
	text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil {
		return nil, err
	}
	q := &query{index: 500, name: name, text: "EXPLAIN QUERY PLAN " + string(text)}
	err = db.read(context.Background(), func(c *conn) error {
		s, err := c.prepared(q)
		if err != nil {
			return err
		}
		defer func() { s.Close(); c.stmts[q.index] = nil }()
		return c.each(context.Background(), q, func(r *row) error {
			r.at = 3
			steps = append(steps, r.text())
			return nil
		})
	})
	return steps, err
}

// Files are the names in the folder sql, and which of them the program uses.
func Files() (all []string, used map[string]bool, err error) {
	entries, err := sqlFiles.ReadDir("sql")
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	l := &loader{seen: map[string]bool{}}
	q := &queries{}
	l.loadAll(q)
	return all, l.seen, l.err
}

// Text is a file of the folder sql.
func Text(file string) string {
	text, _ := sqlFiles.ReadFile("sql/" + file)
	return string(text)
}
