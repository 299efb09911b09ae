package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

var errClosed = errors.New("the database is closed")

// The SQLSTATEs that are acted on; see appendix A of PostgreSQL's manual.
const (
	stateUnique    = "23505" // unique_violation
	stateSerialize = "40001" // serialization_failure
	stateDeadlock  = "40P01" // deadlock_detected
	stateNoRight   = "42501" // insufficient_privilege
	stateRefused   = "ST001" // raised by stent.refuse
)

func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// refused tells that a statement of a batch did not find what it should: part of the batch belongs to a lost lease, or
// was applied before.
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == stateRefused || e.Code == stateUnique && e.TableName == "tasks")
}

// passing tells that the same transaction may succeed if it is tried again at once: it met another one that began the
// same execution, or waited for it in a circle.
func passing(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	return e.Code == stateDeadlock || e.Code == stateSerialize || e.Code == stateUnique && e.TableName == "executions"
}

// rejected tells that the same values will never be taken: a data exception, a constraint, or a limit of PostgreSQL's. All else
// is tried again until somebody has removed the cause: a grant that is missing, for one, or a column.
func rejected(err error) bool {
	state := sqlState(err)
	if state == "" || refused(err) || passing(err) {
		return false
	}
	switch state[:2] {
	case "22", "23", "54":
		return true
	}
	return false
}

// wrap says what was tried. It is where all errors leave the package.
func (db *DB) wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	if db.closed() {
		err = errClosed
	}
	return fmt.Errorf("postgres: "+format+": %w", append(args, db.diagnose(plain(err)))...)
}

// plain keeps a DSN that cannot be read out of the error: what pgx takes for its host may be half of a password.
func plain(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errDSN
	}
	return err
}

var errDSN = errors.New("this DSN cannot be read: want postgres://user:password@host:5432/database?sslmode=require, with special " +
	"characters of the password percent-encoded (@ is %40, / is %2F, # is %23), or host=HOST port=5432 user=USER dbname=DATABASE")

// ended prefers the context's own error to what a driver makes of it.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}
