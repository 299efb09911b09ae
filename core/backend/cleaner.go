package backend

import (
	"context"
	"time"
)

// Cleaner deletes what is over.
type Cleaner interface {
	// Clean looks at the next stretch of the finished executions, and deletes those that are older than they are kept, with
	// all that belongs to them: their histories, signals, counters, custom state, and failed attempts. A dead letter stays,
	// with its attempts; so does the audit. The counts of executions by state fall.
	//
	// One call is one short transaction and reads a bounded part of the database, so that it never holds up others for long;
	// the caller goes on with the Next that it was told. It locks nothing that a claim wants, and leaves what is locked.
	Clean(ctx context.Context, c Cleanup) (Cleaned, error)

	// TakeChore makes a piece of housekeeping the worker's: until it calls EndChore, or is no longer registered, nobody else
	// gets it. false if it is another's, or not due yet.
	TakeChore(ctx context.Context, name, worker string) (bool, error)

	// EndChore gives it up, due again after that time. It changes nothing if the chore is not the worker's.
	EndChore(ctx context.Context, name, worker string, again time.Duration) error
}

// Cleanup says what to delete.
type Cleanup struct {
	Keep   map[State]time.Duration // since they ended, by final state; a state that is not in it is kept for ever
	From   string                  // Cleaned.Next of the call before; "" for the beginning
	Most   int                     // the most executions to delete; 0 means 500
	DryRun bool                    // only count
}

// Cleaned is what one Clean did.
type Cleaned struct {
	Executions map[State]int // deleted, or with DryRun found, by state
	Tasks      int           // of their histories
	Next       string        // where to go on; "" at the end
}
