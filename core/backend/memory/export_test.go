package memory

import "github.com/stentgo/stent/core/backend"

// Pause makes claims leave a queue alone.
func (db *DB) Pause(queue string) {
	db.store.mu.Lock()
	defer db.store.mu.Unlock()
	db.paused[queue] = true
}

// RequestCancel marks an execution as asked to cancel.
func (db *DB) RequestCancel(id string) {
	db.store.mu.Lock()
	defer db.store.mu.Unlock()
	e := db.find(id)
	e.cancel, e.State = true, backend.Cancelling
}

// Actions counts what the audit says about a dead letter.
func (db *DB) Actions(id backend.TaskID, actor, action string) (n int) {
	db.store.mu.Lock()
	defer db.store.mu.Unlock()
	for _, a := range db.audit {
		if a.task == id && a.actor == actor && a.action == action {
			n++
		}
	}
	return n
}
