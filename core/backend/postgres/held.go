package postgres

import "sync"

// holdings are the claims of this handle's workers of which something is still held, so that a row of the table held is
// deleted when nothing of it is. What is missed here, because the answer to a commit was lost, goes when the worker ends.
type holdings struct {
	mu     sync.Mutex
	claims map[int32]map[key]*heldClaim // by worker and execution
	over   map[int32][]int64            // by worker: rows to delete
}

// heldClaim is a row of the table held.
type heldClaim struct {
	n    int64
	left int
}

// settle notes what a batch has claimed and what has left.
func (h *holdings) settle(w *work) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range w.turns {
		if c := t.cmd; c.Close != nil || c.Yield != nil || c.Again != nil {
			h.leave(w.worker, t.key)
		}
	}
	for _, r := range w.releases {
		if r.cmd.Task.IsRoot() {
			h.leave(w.worker, r.key)
		}
	}
	for _, c := range w.claimed {
		h.hold(w.worker, c)
	}
}

func (h *holdings) hold(worker int32, c claimed) {
	row := &heldClaim{n: c.journal}
	for _, k := range c.executions {
		h.leave(worker, k) // by another handle, if at all
		if h.claims == nil {
			h.claims, h.over = map[int32]map[key]*heldClaim{}, map[int32][]int64{}
		}
		if h.claims[worker] == nil {
			h.claims[worker] = map[key]*heldClaim{}
		}
		h.claims[worker][k] = row
		row.left++
	}
}

func (h *holdings) leave(worker int32, k key) {
	row, ok := h.claims[worker][k]
	if !ok {
		return
	}
	delete(h.claims[worker], k)
	if row.left--; row.left == 0 {
		h.over[worker] = append(h.over[worker], row.n)
	}
}

// takeOver takes the rows that are to be deleted; putBack gives them back if they were not.
func (h *holdings) takeOver(worker int32) []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := h.over[worker]
	delete(h.over, worker)
	return rows
}

func (h *holdings) putBack(worker int32, rows []int64) {
	if len(rows) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over[worker] = append(h.over[worker], rows...)
}

// forget is for a worker that has ended.
func (h *holdings) forget(worker int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.claims, worker)
	delete(h.over, worker)
}
