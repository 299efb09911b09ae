package core

import (
	"context"
	"slices"

	"github.com/stentgo/stent/core/backend"
)

// begin has an execution begun, and waits until that is durable. Where a worker of this process would be the next to
// claim it, the two are one write: nobody has to look for the execution, or to be told of it.
func (e *Engine) begin(ctx context.Context, cmd *backend.Start) error {
	b := &beginning{e: e, cmd: cmd, told: make(chan error, 1)}
	p := pending{cmd: cmd, then: b, once: true}
	for _, w := range e.serving() {
		if b.run = w.reserve(cmd); b.run != nil {
			p.worker, cmd.Claim = w.id, true
			break
		}
	}
	e.committer.put(p)
	select {
	case err := <-b.told:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beginning is a start on its way to the database, with the run that a worker here has made room for, if one has.
type beginning struct {
	e    *Engine
	cmd  *backend.Start
	run  *run
	told chan error
}

// done is called by the committer.
func (b *beginning) done(err error) {
	if err == nil {
		b.e.measureStarted(b.cmd)
	}
	if b.run != nil {
		b.run.claimedWith(b.cmd, err)
	}
	b.told <- err
}

// reserve makes room for an execution that is about to begin, if this worker may claim it and has a slot, and nothing is
// known to wait for one that would come first: it is what a claim right after the start would do. It returns nil where not.
func (w *worker) reserve(cmd *backend.Start) *run {
	if cmd.Delay > 0 || !cmd.At.IsZero() || !w.serves(cmd.Queue) || !slices.Contains(w.steps, cmd.Workflow) || !w.tagged(cmd.Tags) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	waits := w.backlog || w.more && w.claiming == 0
	if w.state != backend.WorkerReady || w.used >= w.cfg.Slots || waits || slices.Contains(w.paused, cmd.Queue) || w.runs[cmd.ID] != nil {
		return nil
	}
	r := w.newRun(&backend.Claimed{
		Task: backend.Task{
			ID: backend.TaskID{Execution: cmd.ID}, Kind: backend.Orchestrator, Step: cmd.Workflow, Workflow: cmd.Workflow, Queue: cmd.Queue,
			Priority: cmd.Priority, Token: 1, Attempt: 1, Policy: cmd.Policy, Input: cmd.Input,
		},
		Fresh: true, Metadata: cmd.Metadata, Carrier: cmd.Carrier, Run: 1,
	})
	if r != nil {
		w.used++
		w.ranked = w.ranked || cmd.Priority != 0
		w.runs[cmd.ID] = r
	}
	return r
}

// claimedWith is called by the committer when the start was committed for which the run was made, or could not be.
func (r *run) claimedWith(cmd *backend.Start, err error) {
	if err == nil && !cmd.Claimed.IsZero() {
		r.created, r.started = cmd.Claimed, cmd.Claimed
		r.measureAdmitted(cmd.Claimed)
		r.turnSoon()
		return
	}
	r.remove()
	r.w.refill()
	if err != nil {
		r.w.recheckHeld() // it may have been applied
	}
}
