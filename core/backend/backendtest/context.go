package backendtest

import (
	"context"
	"strings"

	"github.com/stentgo/stent/core/backend"
)

var contexts = []behaviour{
	{"every method honours a context that has ended, and names the backend", contextEnded},
	{"a commit whose context has ended applies nothing", contextCommit},
	{"an empty batch is no error", contextEmpty},
	{"a closed backend says so", contextClosed},
}

// calls are all methods with a context.
func (h *harness) calls(ctx context.Context) map[string]error {
	id := task("a", 1)
	calls := map[string]error{"Commit": h.db.Commit(ctx, &backend.Batch{Commands: []backend.Command{newStart("late")}})}
	note := func(name string, err error) { calls[name] = err }
	_, err := h.db.History(ctx, []string{"a"})
	note("History", err)
	_, err = h.db.News(ctx, []backend.Known{{Execution: "a"}})
	note("News", err)
	_, err = h.db.Held(ctx, "w")
	note("Held", err)
	_, err = h.db.Register(ctx, backend.Worker{ID: "late", State: backend.WorkerReady}, long)
	note("Register", err)
	_, err = h.db.Renew(ctx, "w", backend.WorkerReady, 0, long)
	note("Renew", err)
	_, err = h.db.Reap(ctx, 5)
	note("Reap", err)
	note("Retire", h.db.Retire(ctx, "w"))
	_, err = h.db.Execution(ctx, "a")
	note("Execution", err)
	_, err = h.db.Executions(ctx, backend.ExecutionFilter{})
	note("Executions", err)
	_, err = h.db.Tasks(ctx, backend.TaskFilter{})
	note("Tasks", err)
	_, err = h.db.Progress(ctx, "a")
	note("Progress", err)
	_, err = h.db.Stats(ctx)
	note("Stats", err)
	_, err = h.db.Workers(ctx)
	note("Workers", err)
	_, err = h.db.DeadLetters(ctx, backend.DeadLetterFilter{})
	note("DeadLetters", err)
	_, err = h.db.DeadLetter(ctx, id)
	note("DeadLetter", err)
	note("Replay", h.db.Replay(ctx, id, "", "me"))
	note("Discard", h.db.Discard(ctx, id, "me"))
	return calls
}

func contextEnded(h *harness) {
	w := h.worker("w")
	h.failed(w, "a")
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	for name, err := range h.calls(ctx) {
		h.is(name, err, context.Canceled)
		h.that(name+" names the backend: "+err.Error(), strings.HasPrefix(err.Error(), h.db.Name()+": "))
	}
	h.is("a renewal after a refused retirement", func() error { _, err := h.db.Renew(h.ctx, w, backend.WorkerReady, 0, long); return err }(), nil)
	equal(h, "dead letters", h.letters(), []string{"a.1"})
}

func contextCommit(h *harness) {
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	h.is("commit", h.db.Commit(ctx, &backend.Batch{Commands: []backend.Command{newStart("a")}}), context.Canceled)
	_, err := h.db.Execution(h.ctx, "a")
	h.is("read", err, backend.ErrNotFound)
}

func contextEmpty(h *harness) {
	b := &backend.Batch{}
	h.ok(h.db.Commit(h.ctx, b))
	h.that("it has the database's clock", !b.Now.IsZero())
}

func contextClosed(h *harness) {
	h.worker("w")
	h.start("a")
	h.ok(h.db.Close())
	for name, err := range h.calls(h.ctx) {
		h.that(name+" is an error", err != nil)
	}
	h.ok(h.db.Close())
}
