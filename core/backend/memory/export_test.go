package memory

import "github.com/stentgo/stent/core/backend"

// Pause makes claims leave a queue alone.
func (db *DB) Pause(queue string) {
	db.store.mu.Lock()
	defer db.store.mu.Unlock()
	db.paused[queue] = true
}

// Actions counts what the audit says about a task.
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
