package backendtest

import (
	"context"

	"github.com/stentgo/stent/core/backend"
)

var watches = []behaviour{
	{"a watch tells at its beginning, as something may have been written just before", watchBegins},
	{"what another handle starts is told", watchStart},
	{"what another handle signals to a held execution is told", watchSignal},
	{"watching ends with its context, without an error", watchEnds},
	{"two handles see the same database", watchShared},
}

func (h *harness) watcher(db backend.Backend) backend.Watcher {
	h.t.Helper()
	w, ok := db.(backend.Watcher)
	if !ok {
		h.t.Skip("the backend does not watch")
	}
	return w
}

// watching watches for a worker until the test ends, and gives a channel on which changes are told. It waits until it has
// been told for the first time: what is told later was written while it watched.
func (h *harness) watching(db backend.Backend, worker string) <-chan struct{} {
	h.t.Helper()
	w := h.watcher(db)
	ctx, cancel := context.WithCancel(h.ctx)
	told, done := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		done <- w.Watch(ctx, worker, []string{"default"}, func(backend.News) {
			select {
			case told <- struct{}{}:
			default:
			}
		})
	}()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("watch: %v", err)
		}
	})
	h.told(told, "that the watch has begun")
	return told
}

// told waits until a watcher is told.
func (h *harness) told(told <-chan struct{}, what string) {
	h.t.Helper()
	h.until("the watcher is told "+what, func() bool {
		select {
		case <-told:
			return true
		default:
			return false
		}
	})
}

// another opens a second handle.
func (h *harness) another() backend.Backend {
	h.t.Helper()
	if h.features.Another == nil {
		h.t.Skip("the backend does not say how to open a second handle")
	}
	return h.features.Another(h.t, h.db)
}

func watchBegins(h *harness) {
	w := h.worker("w")
	h.start("a") // which a worker that looked for work just before has not found
	h.watching(h.db, w)
}

func watchStart(h *harness) {
	other, w := h.another(), h.worker("w")
	told := h.watching(h.db, w)
	h.ok(other.Commit(h.ctx, &backend.Batch{Commands: []backend.Command{newStart("a")}}))
	h.told(told, "of the start")
}

func watchSignal(h *harness) {
	other, w := h.another(), h.worker("w")
	h.begin(w, "a")
	told := h.watching(h.db, w)
	h.ok(other.Commit(h.ctx, &backend.Batch{Commands: []backend.Command{&backend.Signalled{Execution: "a", ID: "s", Name: "n"}}}))
	h.told(told, "of the signal")
	equal(h, "told", h.woken(w), []string{"a"})
}

func watchEnds(h *harness) {
	w := h.watcher(h.db)
	h.worker("w")
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	h.ok(w.Watch(ctx, "w", []string{"default"}, func(backend.News) {}))
}

func watchShared(h *harness) {
	other := h.another()
	h.start("a")
	c := newClaim(1)
	w := h.worker("w")
	h.ok(other.Commit(h.ctx, &backend.Batch{Worker: w, Commands: []backend.Command{c}}))
	equal(h, "claimed", ids(c.Tasks), []string{"a.0"})
	h.state("a", backend.Running, backend.Running)
	equal(h, "claimed by the first", len(h.claim(w, 5)), 0)
}
