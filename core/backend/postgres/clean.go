package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

const (
	cleanPages = 512   // pages of executions that one Clean looks at: 4 MiB
	cleanTasks = 5_000 // entries of histories that it deletes, more or less
	cleanMost  = 500   // executions that it deletes, if nothing else is said
)

// Clean looks at the next pages of the table of executions and deletes those that are over.
//
// There is no index of when executions ended: each end would have to write to it. So a cleanup reads the table from its
// beginning to its end, in parts that follow each other on the disk. PostgreSQL 13 cannot read a part, and reads it all
// each time.
func (db *DB) Clean(ctx context.Context, c backend.Cleanup) (backend.Cleaned, error) {
	cleaned := backend.Cleaned{Executions: map[backend.State]int{}}
	s := stretch{most: limit(c.Most, cleanMost), after: "(0,0)"}
	for state, keep := range c.Keep {
		s.states, s.keep = append(s.states, string(state)), append(s.keep, keep.Microseconds())
	}
	if c.From != "" {
		s.after = c.From
	}
	if err := db.lookForFinished(ctx, &s); err != nil {
		return cleaned, db.wrap(ended(ctx, err), "look for executions to delete")
	}
	cleaned.Next = s.next
	if c.DryRun {
		for _, f := range s.found {
			cleaned.Executions[f.state]++
			cleaned.Tasks += f.tasks
		}
		return cleaned, nil
	}
	if len(s.found) == 0 {
		return cleaned, nil
	}
	err := db.transact(ctx, func(tx pgx.Tx) error {
		cleaned.Executions, cleaned.Tasks = map[backend.State]int{}, 0
		rows, err := tx.Query(ctx, db.q.get("clean"), column(s.found, func(f finished) key { return f.id }), orEmpty(s.states), s.keep)
		if err != nil {
			return err
		}
		var (
			state backend.State
			n     int
		)
		_, err = pgx.ForEachRow(rows, []any{&state, &n, &cleaned.Tasks}, func() error {
			cleaned.Executions[state] = n
			return nil
		})
		return err
	})
	return cleaned, db.wrap(err, "delete %d executions", len(s.found))
}

// stretch is a part of the table in which executions are looked for. Places are those of rows, as "(page,item)".
type stretch struct {
	states []string
	keep   []int64
	most   int
	after  string
	next   string // where to go on; "" at the end
	found  []finished
}

type finished struct {
	place string
	id    key
	state backend.State
	tasks int
}

func (db *DB) lookForFinished(ctx context.Context, s *stretch) error {
	page, _, ok := strings.Cut(strings.Trim(s.after, "()"), ",")
	first, err := strconv.ParseInt(page, 10, 64)
	if !ok || err != nil {
		return fmt.Errorf("the place to go on from: %q is none of this database", s.after)
	}
	var (
		pages   int64
		inParts bool
	)
	err = db.pool.QueryRow(ctx, db.q.get("clean_stretch"), db.opts.schema).Scan(&pages, &inParts)
	if err != nil {
		return err
	}
	end := first + cleanPages
	if !inParts || end > pages {
		end = pages
	}
	until := fmt.Sprintf("(%d,0)", end)
	if end < pages {
		s.next = until
	}
	rows, err := db.pool.Query(ctx, db.q.get("clean_look"), s.after, until, orEmpty(s.states), orEmpty(s.keep), s.most+1)
	if err != nil {
		return err
	}
	all, err := collect(rows, func(rows pgx.Rows) (f finished, err error) {
		return f, rows.Scan(&f.place, &f.id, &f.state, &f.tasks)
	})
	tasks := 0
	for _, f := range all {
		if len(s.found) == s.most || tasks >= cleanTasks {
			s.next = s.found[len(s.found)-1].place
			break
		}
		tasks += f.tasks
		s.found = append(s.found, f)
	}
	return err
}

// TakeChore makes a piece of housekeeping the worker's.
func (db *DB) TakeChore(ctx context.Context, name, worker string) (bool, error) {
	tag, err := db.pool.Exec(ctx, db.q.get("take_chore"), name, worker)
	return err == nil && tag.RowsAffected() > 0, db.wrap(ended(ctx, err), "take the chore %s", name)
}

// EndChore gives it up.
func (db *DB) EndChore(ctx context.Context, name, worker string, again time.Duration) error {
	_, err := db.pool.Exec(ctx, db.q.get("end_chore"), name, worker, delay(again))
	return db.wrap(ended(ctx, err), "end the chore %s", name)
}
