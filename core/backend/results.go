package backend

import (
	"context"
	"time"
)

// Results is what activities with the same key share, so that they run once.
type Results interface {
	// ReserveResult finds out what is to be done with a key, in one step: if a result is kept that has not expired, it is
	// returned, and it is noted whose it was; if a task of another live worker has reserved the key, it is Busy; otherwise
	// the key is the task's now. A worker takes over what it has reserved itself: it knows that this is over.
	ReserveResult(ctx context.Context, r Reservation) (Reserved, error)

	// KeepResult ends a reservation with a result, which expires after ttl; 0 for never. false if the key is no longer the
	// task's.
	KeepResult(ctx context.Context, r Reservation, result []byte, ttl time.Duration) (bool, error)

	// FreeResult ends a reservation without. It changes nothing if the key is no longer the task's.
	FreeResult(ctx context.Context, r Reservation) error

	// ForgetResults deletes at most so many results that have expired, and tells how many.
	ForgetResults(ctx context.Context, most int) (int, error)

	// ResultsOf tells which activities of an execution got another task's result, by their place, and whose.
	ResultsOf(ctx context.Context, execution string) (map[int]TaskID, error)
}

// Reservation is an attempt at an activity that wants to run under a key.
type Reservation struct {
	Key    string
	Worker string
	Task   TaskID
	Token  int64
}

// Reserved is the answer to it. If it is neither Kept nor Busy, the key is the task's.
type Reserved struct {
	Kept   bool
	Busy   bool
	Result []byte // Kept
	Of     TaskID // whose result it is, or who is busy
}
