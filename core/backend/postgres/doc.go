// Package postgres keeps Stent's state in PostgreSQL, version 13 or later.
//
//	db, err := postgres.Open(ctx, "postgres://app@db.example.com/orders")
//
// Everything is in one schema, "stent" unless [Schema] says otherwise, and any number of programs on any number of
// machines may use it at once. Open makes or migrates the schema; of many programs that start together one does it. The
// role needs CREATE on the database for that, or an existing schema that belongs to it.
//
// To start an execution in a transaction of the program's own, see [DB.StartTx].
//
// # PgBouncer
//
// In session mode nothing needs to be said. In transaction mode say [PgBouncer]: no statement is then prepared under a
// name, and nobody listens for notifications, so that workers poll.
//
// # SQL
//
// The SQL is in the folder sql, one statement a file, and runs in psql as it is once its parameters are set: prepare it
// with PREPARE, or give them with \bind. It names the schema stent; for another schema the name is replaced when the
// program starts.
package postgres
