package backend

import "errors"

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
