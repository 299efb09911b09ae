package postgres

// InSchema makes SQL that names the schema stent name the one of the handle.
func (db *DB) InSchema(text string) string { return inSchema(text, db.opts.schema) }
