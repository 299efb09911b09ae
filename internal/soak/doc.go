//go:build unix

// Command soak breaks everything around a few worker processes for a while and then looks at what is left:
//
//	go run ./internal/soak -backend postgres -for 2m
//
// One process of it directs: it starts executions of all kinds, runs a nemesis that kills and stops workers, cuts their
// connections, restarts the server and fills its disk, then heals everything and judges. The workers are the same program
// again, each a process of its own.
//
// The judge trusts nothing that Stent says of itself. Activities append what they do to a file, the ledger, which Stent
// knows nothing of, and results carry a mark of the very attempt that they came from. So the ledger and the database's
// rows have to tell the same story; the comments of judge.go and ledgerrules.go list what is checked. The exit code is 1 after a violation.
//
// The server, or the SQLite file, lies on a small disk of its own in memory, which takes root to make. Without it that
// fault is reported as not injected.
package main
