// Package memory is a storage backend that keeps everything in the memory of one process, for tests: it keeps the whole
// contract of package backend, and nothing survives the process. core/stenttest builds on it.
//
// It needs the standard library alone, blocks on nothing but its own mutex and starts no goroutine, so that it works in
// a bubble of testing/synctest, where its clock is the bubble's.
package memory
