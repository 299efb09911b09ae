package postgres

import "time"

// rideFor is how long a transaction may take that a note rides with.
//
// A note rides where it is part of the transaction that it tells of. Others then hear of a start when it is committed, and not
// after one more round trip. But NOTIFY has the transaction hold a lock of the whole database while its commit waits for the
// disk, so that those of all programs flush one after another. So only a few starts alone have their note ride, when no notes
// wait for their turn, as they do as soon as there are more than [notePace] allows; and only while such transactions take less
// than rideFor, which they no longer do on a slow disk, or where many programs wait for that lock.
const rideFor = 2 * time.Millisecond

// light tells whether a batch is but a few starts for others.
func (w *work) light() bool {
	return len(w.starts) > 0 && len(w.starts) <= fewLanes && len(w.signals)+len(w.cancels)+len(w.trims) == 0 && !w.leased()
}

// ride appends the note of a light batch to its transaction, unless it has to go by itself. What it tells of executions that
// were there already is not so, which costs a look.
func (n *notifier) ride(w *work, p *pipeline) bool {
	if !n.db.opts.notify || !n.mayRide(time.Now()) {
		return false
	}
	var what news
	for _, s := range w.starts {
		what.started(s)
	}
	text := what.encode(n.from)
	p.add("notify", nil, n.db.channel(), text[:len(text)-1])
	return true
}

func (n *notifier) mayRide(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.slow || now.Before(n.rideAfter) || n.running != nil || n.pace.wait(now) > 0 {
		return false
	}
	n.pace.went(now)
	return true
}

// ridePause is how long no note rides after a transaction failed with one: the queue of PostgreSQL's notifications may be full, or a
// right be missing.
const ridePause = time.Minute

func (n *notifier) failed(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rideAfter = now.Add(ridePause)
}

// took is told how long a light batch took.
func (n *notifier) took(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slow = d >= n.rideFor
}
