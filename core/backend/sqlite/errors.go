package sqlite

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stentgo/stent/core/backend"
)

// errClosed is what every method says after Close.
var errClosed = errors.New("the database handle is closed")

// wrap says what was tried, and translates what the driver says. It is the one place where that is done.
func (db *DB) wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlite: "+format+": %w", append(args, db.translate(err))...)
}

func (db *DB) translate(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	if fault, says := explain(e.Code(), db.path, db.opts); fault != "" {
		return &backend.FaultError{Fault: fault, Says: says, Cause: err}
	}
	return err
}

// explain says what is wrong with the file, and what helps.
func explain(code int, path string, o options) (fault backend.Fault, says string) {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return backend.FaultLocked,
			fmt.Sprintf("%s is locked: another process has been writing for %v; see whether one hangs in a transaction, or raise BusyTimeout", path, o.busy)
	case sqlite3.SQLITE_FULL:
		return backend.FaultDiskFull, fmt.Sprintf("the disk that holds %s is full: free some space, the engine goes on by itself", path)
	case sqlite3.SQLITE_READONLY:
		return backend.FaultReadOnly, fmt.Sprintf("%s is read-only: make the file and its folder writable for this user, the engine goes on by itself", path)
	case sqlite3.SQLITE_NOTADB:
		return backend.FaultDamaged, fmt.Sprintf("%s is not an SQLite database: choose another path, or move the file away", path)
	case sqlite3.SQLITE_CORRUPT:
		return backend.FaultDamaged, fmt.Sprintf("%s is damaged: restore a backup, or try sqlite3 %s .recover", path, path)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return backend.FaultDenied, fmt.Sprintf("%s cannot be opened: make the file and its folder readable and writable for this user", path)
	case sqlite3.SQLITE_IOERR:
		return backend.FaultDamaged, fmt.Sprintf("the disk that holds %s gave an error: see the system's log", path)
	}
	return "", ""
}

func isBusy(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// rejected tells that the same values will never be taken: a constraint, a type or a limit of SQLite's.
func rejected(err error) bool {
	var e *driver.Error
	var known *refusal
	if !errors.As(err, &e) || errors.As(err, &known) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return true
	}
	return false
}

// breaksConnection tells whether a connection is to be opened anew after an error.
func breaksConnection(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

// isUnique tells whether a row with that key was there.
func isUnique(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
}

// ended turns an interrupted statement into the reason why it was interrupted.
func ended(ctx context.Context, err error) error {
	var e *driver.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_INTERRUPT && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
