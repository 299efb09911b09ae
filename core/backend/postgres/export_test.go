package postgres

// InSchema makes SQL that names the schema stent name the one of the handle.
func (db *DB) InSchema(text string) string { return inSchema(text, db.opts.schema) }

// Channel is where notifications are sent.
func (db *DB) Channel() string { return db.channel() }

// NoteIsOf tells whether a notification's payload names a queue.
func NoteIsOf(payload, queue string) bool {
	_, n := decodeNote(payload)
	return n.queues[queue]
}
