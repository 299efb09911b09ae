// Package backend is the contract between the engine and a database.
//
// The engine decides; a backend remembers. Everything that the engine writes while it works is a [Command]: one
// atomic transition, such as "this turn of a workflow happened" or "this attempt failed, try again in 2 s". Commands
// are handed over in a [Batch], and a batch is one transaction. What arrives while one transaction is under way goes
// into the next, so that group commit is the nature of the engine and no tuning of it.
//
// A backend implements the role interfaces of this package, joined in [Backend], and proves it with the suite in
// the package backendtest. A backend holds no policy: it does not know what a retry is, only that a task is due again
// after a delay.
//
// # Time
//
// The database's clock is the only one that counts. The engine hands durations to a backend ("due in 5 s") and reads
// times back. No time of a worker's own clock is ever compared with one from the database.
//
// # Leases and fencing
//
// A worker is registered under an id that is never used twice and holds one lease, which one heartbeat renews; all
// tasks that it runs stand on that lease. When it runs out, [Leases.Reap] declares the worker dead and gives its tasks
// back, and from then on nothing that the worker writes is accepted. Besides, each task carries a fencing token that
// grows with every claim, and a command with an old token changes nothing and says [ErrLeaseLost].
package backend
