package backend

import (
	"errors"
	"fmt"
	"strings"
)

// What a caller may act on. Backends wrap these, so compare with [errors.Is].
var (
	// ErrNotFound says that there is no execution, task or dead letter with that id.
	ErrNotFound = errors.New("not found")

	// ErrAlreadyExists says that the id belongs to an execution with another workflow or another input.
	ErrAlreadyExists = errors.New("an execution with this id exists and differs in workflow or input")

	// ErrFinished says that the execution has ended, so that it takes no signal and no cancellation any more.
	ErrFinished = errors.New("the execution has ended")

	// ErrLeaseLost says that the worker's lease ran out, or that the task was claimed anew since: what it wrote
	// changed nothing.
	ErrLeaseLost = errors.New("lease lost")

	// ErrRejected says that the database does not take the values that a command writes, and never will: a command's own
	// fate, which harms no other of its batch. The wrapping error has the database's words.
	ErrRejected = errors.New("the database does not take these values")

	// ErrNotReplayable says that a dead letter's execution is not in a state from which a replay could heal it. The
	// wrapping error names the state.
	ErrNotReplayable = errors.New("this dead letter cannot be replayed")

	// ErrSchemaMissing says that the database has no Stent tables, or only some of them.
	ErrSchemaMissing = errors.New("not a Stent database")

	// ErrSchemaOld says that the database is older than this program and that it was opened without permission
	// to migrate.
	ErrSchemaOld = errors.New("the database's schema is older than this program: run `stent migrate up`")

	// ErrSchemaNew says that a newer program has migrated the database.
	ErrSchemaNew = errors.New("the database's schema is newer than this program: upgrade the program")
)

// Migration is one step of a schema: a file of a backend's folder migrations.
type Migration struct {
	Version int
	Name    string // "initial" of 0001_initial.sql
}

// SchemaOldError is an ErrSchemaOld that says what is missing.
type SchemaOldError struct {
	Version int         // the database's
	Pending []Migration // in their order; never empty
}

func (e *SchemaOldError) Error() string {
	names := make([]string, len(e.Pending))
	for i, m := range e.Pending {
		names[i] = fmt.Sprintf("%d %s", m.Version, m.Name)
	}
	return fmt.Sprintf("the schema is at version %d, this program needs version %d (pending: %s): %v",
		e.Version, e.Pending[len(e.Pending)-1].Version, strings.Join(names, ", "), ErrSchemaOld)
}

// Unwrap is ErrSchemaOld.
func (e *SchemaOldError) Unwrap() error { return ErrSchemaOld }
