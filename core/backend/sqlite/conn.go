package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/stentgo/stent/core/backend"
)

// conn is one connection with its prepared statements. It speaks to the driver without database/sql in between, which
// would take a third of the time of a small statement. One goroutine at a time uses it.
type conn struct {
	raw   driver.Conn
	stmts []driver.Stmt // by query.index
	args  []driver.NamedValue
	texts map[string]driver.Value // see text
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		if s != nil {
			s.Close()
		}
	}
	return c.raw.Close()
}

// readOnly tells whether the file could only be opened for reading.
func (c *conn) readOnly() (bool, error) {
	return c.raw.(interface{ IsReadOnly(string) (bool, error) }).IsReadOnly("main")
}

// script runs SQL that takes no parameters.
func (c *conn) script(ctx context.Context, text string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(ctx, text, nil)
	return err
}

// scalar reads one number by SQL that takes no parameters.
func (c *conn) scalar(ctx context.Context, text string) (int64, error) {
	rows, err := c.raw.(driver.QueryerContext).QueryContext(ctx, text, nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	dest := make([]driver.Value, 1)
	if err := rows.Next(dest); err != nil {
		return 0, err
	}
	n, _ := dest[0].(int64)
	return n, nil
}

func (c *conn) prepared(q *query) (driver.Stmt, error) {
	for len(c.stmts) <= q.index {
		c.stmts = append(c.stmts, nil)
	}
	if c.stmts[q.index] == nil {
		s, err := c.raw.Prepare(q.text)
		if err != nil {
			return nil, fmt.Errorf("sql/%s.sql: %w", q.name, err)
		}
		c.stmts[q.index] = s
	}
	return c.stmts[q.index], nil
}

// bind puts the arguments in the order of the question marks. The result is valid until the next call.
func (c *conn) bind(q *query, args []any) ([]driver.NamedValue, error) {
	c.args = c.args[:0]
	for i, at := range q.order {
		v, err := value(args[at])
		if err != nil {
			return nil, fmt.Errorf("sql/%s.sql: %w", q.name, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.args, nil
}

// text is a string as the driver takes it. Those that come again and again, such as states and the names of steps, are put
// into that form once.
func (c *conn) text(s string) driver.Value {
	v, ok := c.texts[s]
	if !ok {
		if v = s; len(c.texts) < maxTexts {
			if c.texts == nil {
				c.texts = map[string]driver.Value{}
			}
			c.texts[s] = v
		}
	}
	return v
}

// maxTexts is more than the states, kinds, steps and queues of most programs.
const maxTexts = 1000

// value turns what the program has into what the driver takes.
func value(a any) (driver.Value, error) {
	switch v := a.(type) {
	case nil, int64, float64, string:
		return v, nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return a, nil // v would be another allocation
	case int:
		return int64(v), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case backend.State:
		return string(v), nil
	case backend.Kind:
		return string(v), nil
	case backend.WorkerState:
		return string(v), nil
	default:
		return nil, fmt.Errorf("no SQL value for a %T", a)
	}
}

// exec runs a statement to its end and tells how many rows it changed. It is not interrupted: a writer's statements
// are short, and the context is looked at between them.
func (c *conn) exec(q *query, args ...any) (int64, error) {
	res, err := c.run(q, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert is exec, and tells the number of the last row that was inserted, if any was.
func (c *conn) insert(q *query, args ...any) (last, inserted int64, err error) {
	res, err := c.run(q, args)
	if err != nil {
		return 0, 0, err
	}
	last, err = res.LastInsertId()
	if err != nil {
		return 0, 0, err
	}
	inserted, err = res.RowsAffected()
	return last, inserted, err
}

func (c *conn) run(q *query, args []any) (driver.Result, error) {
	s, err := c.prepared(q)
	if err != nil {
		return nil, err
	}
	values, err := c.bind(q, args)
	if err != nil {
		return nil, err
	}
	return s.(driver.StmtExecContext).ExecContext(context.Background(), values)
}

// each calls fn with every row. A context that can end interrupts the query.
func (c *conn) each(ctx context.Context, q *query, fn func(r *row) error, args ...any) error {
	s, err := c.prepared(q)
	if err != nil {
		return err
	}
	values, err := c.bind(q, args)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, values)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := row{values: make([]driver.Value, len(rows.Columns()))}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := rows.Next(r.values); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r.at = 0
		if err := fn(&r); err != nil {
			return err
		}
		if r.err != nil {
			return fmt.Errorf("sql/%s.sql: %w", q.name, r.err)
		}
	}
}

// one calls fn with the only row, and tells whether there was one.
func (c *conn) one(ctx context.Context, q *query, fn func(r *row), args ...any) (bool, error) {
	found := false
	err := c.each(ctx, q, func(r *row) error {
		found = true
		fn(r)
		return nil
	}, args...)
	return found, err
}
