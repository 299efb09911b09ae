package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"strconv"

	_ "modernc.org/sqlite"
)

const limitSQLiteSchema = `
CREATE TABLE exec (
	id BLOB PRIMARY KEY, workflow TEXT NOT NULL, queue TEXT NOT NULL, due INTEGER, state INTEGER NOT NULL, input BLOB, result BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX exec_due ON exec (queue, due) WHERE due IS NOT NULL;
CREATE TABLE task (
	exec BLOB NOT NULL, seq INTEGER NOT NULL, step TEXT NOT NULL, state INTEGER NOT NULL, input BLOB, result BLOB, PRIMARY KEY (exec, seq)
) STRICT, WITHOUT ROWID`

// The parameters are JSON lists of ids in hexadecimal, or of pairs of an id and a place.
const (
	limitSQLiteStart = "INSERT INTO exec SELECT unhex(value), 'sequence', 'default', unixepoch(), 0, x'32', NULL FROM json_each(?)"
	limitSQLiteClaim = "UPDATE exec SET state = 1, due = NULL WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND state = 0"
	limitSQLiteEnd   = `UPDATE task SET state = 2, result = x'32'
		WHERE (exec, seq) IN (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?)) AND state = 1`
	limitSQLiteBegin = "INSERT INTO task SELECT unhex(value ->> 0), value ->> 1, 'noop', 1, x'32', NULL FROM json_each(?)"
	limitSQLiteClose = "UPDATE exec SET state = 2, result = x'32' WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND state = 1"
	limitSQLiteNext  = `UPDATE exec SET state = 1, due = NULL
		WHERE id IN (SELECT id FROM exec WHERE queue = 'default' AND due <= unixepoch() ORDER BY due LIMIT ?) RETURNING id`
)

type limitSQLite struct {
	db                                    *sql.DB
	start, claim, end, begin, ended, take *sql.Stmt
}

func openLimitSQLite(ctx context.Context, path string, full bool) (*limitSQLite, error) {
	level := "NORMAL"
	if full {
		level = "FULL"
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous("+level+")")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, limitSQLiteSchema); err != nil {
		return nil, err
	}
	s := &limitSQLite{db: db}
	for text, to := range map[string]**sql.Stmt{
		limitSQLiteStart: &s.start, limitSQLiteClaim: &s.claim, limitSQLiteEnd: &s.end, limitSQLiteBegin: &s.begin, limitSQLiteClose: &s.ended, limitSQLiteNext: &s.take,
	} {
		if *to, err = db.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (*limitSQLite) committers() int { return 1 }

func (s *limitSQLite) close() error { return s.db.Close() }

func (s *limitSQLite) write(_ context.Context, _ int, ops []*limitOp) error {
	c := columnsOf(ops)
	return s.in(func(tx *sql.Tx) error {
		for _, part := range []struct {
			stmt *sql.Stmt
			ids  []limitID
			seqs []int64
		}{
			{s.start, c.starts, nil}, {s.claim, c.claims, nil}, {s.end, c.ended, c.endedSeq}, {s.begin, c.begun, c.begunSeq}, {s.ended, c.closed, nil},
		} {
			if len(part.ids) > 0 {
				if _, err := tx.Stmt(part.stmt).Exec(list(part.ids, part.seqs)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// in runs fn in a transaction. No context is passed on: the driver starts a goroutine for one that can end.
func (s *limitSQLite) in(fn func(tx *sql.Tx) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// list is the JSON of ids, or of pairs of ids and places.
func list(ids []limitID, seqs []int64) string {
	b := make([]byte, 0, 48*len(ids)+2)
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		if seqs != nil {
			b = append(b, '[')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, id[:])
		b = append(b, '"')
		if seqs != nil {
			b = strconv.AppendInt(append(b, ','), seqs[i], 10)
			b = append(b, ']')
		}
	}
	return string(append(b, ']'))
}

func (s *limitSQLite) insert(_ context.Context, ids []limitID) error {
	return s.in(func(tx *sql.Tx) error { _, err := tx.Stmt(s.start).Exec(list(ids, nil)); return err })
}

func (s *limitSQLite) next(_ context.Context, _ int, ended []limitID, n int) (claimed []limitID, err error) {
	err = s.in(func(tx *sql.Tx) error {
		if len(ended) > 0 {
			if _, err := tx.Stmt(s.ended).Exec(list(ended, nil)); err != nil {
				return err
			}
		}
		rows, err := tx.Stmt(s.take).Query(n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id []byte
			if err := rows.Scan(&id); err != nil {
				return err
			}
			claimed = append(claimed, limitID(id))
		}
		return rows.Err()
	})
	return claimed, err
}
