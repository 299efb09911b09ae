package core

import "time"

// crowd keeps the workers of one database from looking for work all at once. Whoever writes wakes all of them; the first
// takes what is due, and the claims of the others come back empty. A worker to which that happens answers no news for a
// while, and longer each time; a claim that brings something has it answer the next at once. So few workers answer and
// take much at a time, while the others come back often enough to be there when those have no free slot.
type crowd struct {
	rivals bool          // other workers are registered, as the last heartbeat told; without any, no news wait
	heard  bool          // of something that may be due, since the last claim began
	found  time.Time     // when a claim last brought something
	pause  time.Duration // after the last empty claim; grows with each
	until  time.Time     // no news are answered before
}

// The pauses after an empty claim, each shortened by up to a half, so that not all workers come back at once. The longest is
// crowdPauses, or a quarter of the interval at which a worker looks anyway.
const (
	crowdPause  = time.Millisecond
	crowdPauses = 250 * time.Millisecond
)

// crowdGrace is how long news may be on their way. Until then an empty claim after one that brought something says nothing
// of others: that one may have taken what the news tell of.
const crowdGrace = 20 * time.Millisecond

// answered is called when a claim has ended that may have been an answer to news.
func (c *crowd) answered(tasks int, now time.Time, most time.Duration, random float64) {
	switch {
	case tasks > 0:
		c.pause, c.until, c.found = 0, time.Time{}, now
		return
	case now.Sub(c.found) < crowdGrace:
		return
	}
	c.pause = min(max(4*c.pause, crowdPause), most)
	c.until = now.Add(c.pause - time.Duration(random*float64(c.pause)/2))
}

func (w *worker) answered(c *claimRequest) {
	found := len(c.cmd.Tasks)
	if found == 0 && (!c.heard || c.cmd.Max == 0 || len(c.cmd.Woken) > 0) {
		return // it says nothing of who else answers
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crowd.answered(found, w.e.clock.Now(), min(crowdPauses, w.cfg.PollInterval/4), w.random())
}

// holdOff is how long news of what is due wait for their answer.
func (w *worker) holdOff() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.crowd.rivals {
		return 0
	}
	return max(w.crowd.until.Sub(w.e.clock.Now()), 0)
}

// hasRivals is told with each heartbeat whether other workers are registered.
func (w *worker) hasRivals(any bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crowd.rivals = any
}
