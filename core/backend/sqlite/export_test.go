package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
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

// TakeNoWrites makes the file read-only, as far as connections for writing can see: those that are open, and those that are
// opened from now on.
func (db *DB) TakeNoWrites(on bool) error {
	open := db.writer.open
	if !on {
		open = func(ctx context.Context) (*conn, error) { return db.connect(ctx, writing) }
	}
	return db.writer.use(context.Background(), func(c *conn) error {
		db.writer.open = open
		if !on {
			return c.script(context.Background(), "PRAGMA query_only = 0")
		}
		db.writer.open = func(ctx context.Context) (*conn, error) {
			c, err := open(ctx)
			if err == nil {
				err = c.script(ctx, "PRAGMA query_only = 1")
			}
			return c, err
		}
		return c.script(context.Background(), "PRAGMA query_only = 1")
	})
}

// FirstSince is the number from which on executions are looked at that were created since a time.
func (db *DB) FirstSince(since time.Time) (first int64) {
	_ = db.read(context.Background(), func(c *conn) (err error) {
		first, err = db.firstSince(context.Background(), c, since)
		return err
	})
	return first
}

// Plan is how SQLite carries out a query of the folder sql, as it is in its file, with NULL for all parameters.
func (db *DB) Plan(name string) (steps []string, err error) {
	text := "EXPLAIN QUERY PLAN " + Text(name+".sql")
	var args []driver.NamedValue
	for i, p := range regexp.MustCompile(`:(\w+)`).FindAllStringSubmatch(text, -1) {
		args = append(args, driver.NamedValue{Ordinal: i + 1, Name: p[1]})
	}
	err = db.read(context.Background(), func(c *conn) error {
		rows, err := c.raw.(driver.QueryerContext).QueryContext(context.Background(), text, args)
		if err != nil {
			return err
		}
		defer rows.Close()
		for dest := make([]driver.Value, 4); ; {
			if err := rows.Next(dest); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			steps = append(steps, dest[3].(string))
		}
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
