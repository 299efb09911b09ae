// Package backendtest is the conformance suite that every storage backend passes.
//
//	func TestConformance(t *testing.T) {
//		backendtest.Run(t, backendtest.Features{}, func(t *testing.T) backend.Backend { ... })
//	}
//
// Every subtest is a sentence of the contract in package backend. Time is the database's own: where something has to
// be due or over, the suite uses delays and leases of a few milliseconds, and looks again until a deadline.
package backendtest

import (
	"context"
	"testing"

	"github.com/stentgo/stent/core/backend"
)

// Features is what a backend offers beyond the contract, and what it honestly lacks. The zero value is right for a
// backend that implements the contract and nothing else; what a nil field would show is skipped.
type Features struct {
	// Another opens a second handle on the database of the first, as another process would.
	Another func(t *testing.T, b backend.Backend) backend.Backend
}

// behaviour is one sentence of the contract and what proves it.
type behaviour struct {
	sentence string
	prove    func(h *harness)
}

// Run proves that a backend keeps the contract. open gives a fresh and empty database each time it is called, and
// closes it with t.Cleanup.
func Run(t *testing.T, f Features, open func(t *testing.T) backend.Backend) {
	for _, chapter := range []struct {
		name       string
		behaviours []behaviour
	}{
		{"start", starts},
		{"claim", claims},
		{"limits", limits},
		{"turn", turns},
		{"closing", closings},
		{"activity", activities},
		{"fencing", fencings},
		{"commit again", recommits},
		{"wake", wakes},
		{"signal", signals},
		{"cancel", cancels},
		{"expire", expirations},
		{"beat", beats},
		{"effects", effects},
		{"workers", workers},
		{"reap", reaps},
		{"dead letters", deadLetters},
		{"replay", replays},
		{"children", children},
		{"continue", continues},
		{"queues", queues},
		{"audit", audits},
		{"cleanup", cleanups},
		{"results", results},
		{"schedules", schedules},
		{"inspect", inspections},
		{"news", news},
		{"stats", statistics},
		{"context", contexts},
		{"watch", watches},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			for _, b := range chapter.behaviours {
				t.Run(b.sentence, func(t *testing.T) {
					b.prove(&harness{t: t, db: open(t), features: f, ctx: context.Background()})
				})
			}
		})
	}
}
