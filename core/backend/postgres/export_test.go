package postgres

import (
	"context"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// CommitApart commits a batch as Commit does after too many refusals: what stands on a lease in transactions of its own.
func (db *DB) CommitApart(ctx context.Context, b *backend.Batch) error {
	w, err := db.sort(b)
	if err == nil {
		err = db.identify(ctx, w)
	}
	if err == nil {
		err = db.writeApart(ctx, w, w.takeLeased())
	}
	if err != nil {
		return err
	}
	return db.commit(ctx, w)
}

// InSchema makes SQL that names the schema stent name the one of the handle.
func (db *DB) InSchema(text string) string { return inSchema(text, db.opts.schema) }

// Channel is where notifications are sent.
func (db *DB) Channel() string { return db.channel() }

// RideFor sets how long a transaction may take that a note rides with.
func (db *DB) RideFor(d time.Duration) {
	db.notes.mu.Lock()
	defer db.notes.mu.Unlock()
	db.notes.rideFor, db.notes.slow = d, d == 0
}

// WarmFor sets how long a worker's registration may ready connections.
func WarmFor(d time.Duration) { warmTimeout = d }

// NoteIsOf tells whether a notification's payload names a queue.
func NoteIsOf(payload, queue string) bool {
	_, n := decodeNote(payload)
	return (&watcher{worker: "w", queues: map[string]bool{queue: true}}).wants(n)
}

// ReadQuery is the text of a file of the folder sql as it is sent.
var ReadQuery = readQuery

// ClaimFrom is the statement that claims from where another claim has left tasks, and its parameters.
func ClaimFrom(from backend.Left, worker int32, most int) (name string, args []any) {
	return from.(lanes).claim(worker, most)
}
