package core

import (
	"github.com/stentgo/stent/core/backend"
)

// changed is called when others have written: there may be something to claim, or news of what is held here.
func (w *worker) changed(n backend.News) {
	w.tickIn(tickNews)
	w.stir()
	if pause := w.holdOff(); n.Due && pause > 0 {
		w.dueIn(pause)
		if n.Due = false; !n.Woken || !w.holdsAny() {
			return
		}
	}
	w.mu.Lock()
	w.crowd.heard = w.crowd.heard || n.Due
	w.wants.woken = w.wants.woken || n.Woken
	switch {
	case !n.Due:
	case n.At != nil && w.wants.at == nil && !w.more:
		w.wants.at = n.At
	default:
		w.more, w.wants.all = true, true
	}
	w.mu.Unlock()
	w.ask()
}

// load reads the histories of executions that were just claimed.
func (w *worker) load(ids []string) {
	w.read(len(ids), func() ([]backend.History, error) { return w.e.db.History(w.ctx, ids) }, func(h *backend.History) {
		switch r := w.told(h); {
		case r == nil:
			w.due(h.Execution.Priority)
		case r.first(h):
			r.turnSoon()
		}
	})
}

// hear reads news of executions in memory to which something happened.
func (w *worker) hear(ids []string) {
	known := make([]backend.Known, len(ids))
	for i, id := range ids {
		known[i].Execution = id
		w.mu.Lock()
		r := w.runs[id]
		w.mu.Unlock()
		if r != nil {
			known[i] = r.asks()
		}
	}
	w.read(len(ids), func() ([]backend.History, error) { return w.e.db.News(w.ctx, known) }, func(h *backend.History) {
		if r := w.told(h); r == nil || !r.deliver(event{news: h}) {
			w.due(h.Execution.Priority)
		}
	})
}

// read hands on what get reads, for as long as the database does not answer.
func (w *worker) read(n int, get func() ([]backend.History, error), each func(*backend.History)) {
	for pause := commitPause; ; pause = min(2*pause, commitPauses) {
		histories, err := get()
		w.e.measureError("history", err)
		if err == nil {
			for i := range histories {
				each(&histories[i])
			}
			return
		}
		if w.ctx.Err() != nil {
			return
		}
		w.e.outage.failed("read executions", err, "executions", n, "stent_worker_id", w.id, "in", pause)
		w.pause(w.ctx, pause)
	}
}

// told is the run that something was read for. nil if it has left since: whoever claims it next reads it anew, and what
// was told here has made it due.
func (w *worker) told(h *backend.History) *run {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.runs[h.Execution.ID]; r != nil && r.token == h.Execution.Token && r.number == h.Execution.Run {
		return r
	}
	return nil
}
