// Package sqlite keeps Stent's state in one SQLite file.
//
//	db, err := sqlite.Open(ctx, "orders.db")
//
// The file is in WAL mode. A handle has one connection that writes and a few that read, and any number of handles, in
// one process or in several on one machine, may share a file. A network file system must not hold it.
//
// By default a commit is on the disk when it is reported ([Full]). The driver is modernc.org/sqlite, which is Go
// all through: no C compiler is needed.
//
// The SQL is in the folder sql, one statement a file, and runs in the sqlite3 shell as it is; set its parameters with
// .parameter set :name value.
package sqlite
