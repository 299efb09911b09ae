package backendtest

import (
	"fmt"

	"github.com/stentgo/stent/core/backend"
)

// held is what a worker holds according to the database.
func (h *harness) held(worker string) []string {
	h.t.Helper()
	tasks, err := h.db.Held(h.ctx, worker)
	h.ok(err)
	list := []string{}
	for _, t := range tasks {
		list = append(list, t.ID.String())
	}
	return list
}

// letters are the dead letters, newest first.
func (h *harness) letters() []string {
	h.t.Helper()
	all, err := h.db.DeadLetters(h.ctx, backend.DeadLetterFilter{})
	h.ok(err)
	list := []string{}
	for _, l := range all {
		list = append(list, l.Task.String())
	}
	return list
}

// messages are failed attempts, short.
func messages(attempts []backend.Attempt) []string {
	list := []string{}
	for _, a := range attempts {
		line := fmt.Sprint(a.Attempt, " ", a.Failure.Message)
		if a.Retried {
			line += " retried"
		}
		list = append(list, line)
	}
	return list
}

func (h *harness) progress(id string) backend.Progress {
	h.t.Helper()
	p, err := h.db.Progress(h.ctx, id)
	h.ok(err)
	return p
}
