package core

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/internal/stack"
)

// committer is where every write of an engine goes through: commands that arrive while a transaction is under way wait
// and share the next one. There is no interval: the first command on an idle engine is committed at once. So batches grow
// with the load, and with them the number of commits for each command falls. Where the backend can do several transactions at
// once, one begins beside others as soon as it has as many commands as they: few do not wait for few, but no small one
// takes from the next what would have shared it. What has waited for commitPatience waits no longer.
//
// A command that stands on a worker's lease is tried until it is committed or the lease is gone; nobody else would
// write it. Any other, and a start that such a lease is to hold, has a caller who waits for it and is told of the first error.
type committer struct {
	db      backend.Committer
	outage  *outage
	clock   Clock
	metrics recorderQueues
	ahead   atomic.Int64 // of the database's clock, in ns; kept only for metrics
	limit   int          // transactions at once

	mu      sync.Mutex
	queue   []pending
	active  int
	writing int // commands in the transactions that are under way; what is tried again later is in none
	most    int // commands in a batch; falls after an error, so that one bad command cannot hold up the rest
	idle    sync.Cond

	patience  ClockTimer // calls tooLong; nil before it is needed
	waiting   bool       // it will
	impatient bool       // the next transaction begins, however few its commands are

	workers map[string]leaseHolder
}

// errGivenUp tells a write that never reached the database from one that was refused there.
var errGivenUp = errors.New("it was not tried again")

// pending is a command that waits for its transaction.
type pending struct {
	worker string // on whose lease it stands; "" for none
	cmd    backend.Command
	then   finisher
	once   bool // it is not tried again, though it stands on a lease
}

// asked tells that somebody waits for the answer, and is told of the first error.
func (p pending) asked() bool { return p.worker == "" || p.once }

// finisher is told once how a command ended, from a goroutine of the committer that others wait for: done must not block.
type finisher interface{ done(err error) }

// beginner is a finisher that wants to know when the transaction of its command is about to begin. It may be told more
// than once.
type beginner interface{ begins() }

// finish is a finisher that is only a function.
type finish func(err error)

func (f finish) done(err error) { f(err) }

// leaseHolder is what the committer wants of a worker.
type leaseHolder interface {
	// lost is closed when the lease is gone.
	lost() <-chan struct{}
	// recheck is called when a commit went through after one whose outcome is unknown.
	recheck()
}

const (
	maxBatch      = 2000
	commitTimeout = 30 * time.Second

	// commitPatience is more than a transaction of many commands takes.
	commitPatience = 10 * time.Millisecond

	commitPause  = 20 * time.Millisecond // after an error, doubled up to the next
	commitPauses = time.Second
)

// paralleler is an optional ability of a backend: how many transactions at once serve it best.
type paralleler interface{ Committers() int }

func newCommitter(db backend.Committer, outage *outage, clock Clock, metrics recorderQueues) *committer {
	c := &committer{db: db, outage: outage, clock: clock, metrics: metrics, limit: 1, most: maxBatch, workers: map[string]leaseHolder{}}
	c.idle.L = &c.mu
	if p, ok := db.(paralleler); ok {
		c.limit = max(p.Committers(), 1)
	}
	return c
}

func (c *committer) attach(worker string, h leaseHolder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workers[worker] = h
}

func (c *committer) detach(worker string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.workers, worker)
}

// submit queues a command. worker is "" for one that stands on no lease.
func (c *committer) submit(worker string, cmd backend.Command, done func(error)) {
	c.put(pending{worker: worker, cmd: cmd, then: finish(done)})
}

func (c *committer) put(p pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, p)
	switch {
	case c.active == c.limit:
	case c.enough():
		c.active++
		go c.run()
	default:
		c.waits()
	}
}

// enough tells whether what waits is worth a transaction beside those that are under way.
func (c *committer) enough() bool { return len(c.queue) >= c.writing || c.impatient }

// waits is called when something waits for the end of what is under way, though there is a connection for it.
func (c *committer) waits() {
	switch {
	case c.waiting:
		return
	case c.patience == nil:
		c.patience = c.clock.AfterFunc(commitPatience, c.tooLong)
	default:
		c.patience.Reset(commitPatience)
	}
	c.waiting = true
}

// tooLong is called when it has waited for long. A transaction that somebody holds up must not hold up the others.
func (c *committer) tooLong() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = false
	if len(c.queue) > 0 && c.active < c.limit {
		c.impatient = true
		c.active++
		go c.run()
	}
}

// flush waits until nothing is queued or under way.
func (c *committer) flush() { c.flushWithin(0) }

// flushWithin is flush that gives up after a limit; 0 for none.
func (c *committer) flushWithin(limit time.Duration) {
	late := false
	if limit > 0 {
		defer c.clock.AfterFunc(limit, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			late = true
			c.idle.Broadcast()
		}).Stop()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.active > 0 && !late {
		c.idle.Wait()
	}
}

func (c *committer) run() {
	stack.Grow()
	for {
		runtime.Gosched() // what is about to submit does so now, and shares the transaction
		worker, batch := c.take()
		if batch == nil {
			return
		}
		for _, p := range batch {
			if b, ok := p.then.(beginner); ok {
				b.begins()
			}
		}
		c.write(worker, batch)
	}
}

// take removes the next batch from the queue.
func (c *committer) take() (worker string, batch []pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	enough := c.enough()
	c.impatient = false
	if len(c.queue) == 0 || c.active > 1 && !enough {
		if len(c.queue) > 0 {
			c.waits()
		}
		c.active--
		c.idle.Broadcast()
		return "", nil
	}
	return c.choose(func(pending) bool { return true })
}

// choose removes a batch of what is wanted from the queue: the commands of one worker, and those that stand on no lease.
func (c *committer) choose(wanted func(pending) bool) (worker string, batch []pending) {
	var rest []pending
	batch = make([]pending, 0, min(len(c.queue), c.most))
	for i, p := range c.queue {
		if len(batch) == c.most {
			rest = append(rest, c.queue[i:]...)
			break
		}
		fits := p.worker == "" || worker == "" || p.worker == worker
		if !fits || !wanted(p) {
			rest = append(rest, p)
			continue
		}
		if worker == "" {
			worker = p.worker
		}
		batch = append(batch, p)
	}
	if c.queue = rest; rest == nil && len(batch) > 8 { // the next will be as long
		c.queue = make([]pending, 0, len(batch))
	}
	return worker, batch
}

// write commits a batch, and tries again as long as that makes sense for what is in it.
func (c *committer) write(worker string, batch []pending) {
	pause := commitPause
	for uncertain := false; ; uncertain = true {
		err := c.commit(worker, batch)
		if err == nil {
			c.outage.worked()
			c.succeeded(worker, uncertain)
			for _, p := range batch {
				p.then.done(nil)
			}
			return
		}

		var again []pending
		for _, p := range batch {
			if p.asked() {
				p.then.done(err)
			} else {
				again = append(again, p)
			}
		}
		if batch = again; len(batch) == 0 {
			return
		}
		c.outage.failed("commit", err, "commands", len(batch), "stent_worker_id", worker, "in", pause)
		if !c.holdOff(worker, pause) {
			for _, p := range batch {
				p.then.done(errors.Join(backend.ErrLeaseLost, errGivenUp, err))
			}
			return
		}
		c.answer()
		pause = min(2*pause, commitPauses)
		batch = c.halve(batch)
	}
}

func (c *committer) commit(worker string, batch []pending) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	b := &backend.Batch{Worker: worker, Commands: make([]backend.Command, len(batch))}
	for i, p := range batch {
		b.Commands[i] = p.cmd
	}
	var began time.Time
	if len(c.metrics) > 0 {
		began = c.clock.Now()
	}
	c.underWay(len(batch))
	err := c.db.Commit(ctx, b)
	c.underWay(-len(batch))
	c.measured(b, began, err)
	return err
}

func (c *committer) underWay(commands int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing += commands
}

// holdOff waits, and tells whether the worker's lease still stands.
func (c *committer) holdOff(worker string, pause time.Duration) bool {
	c.mu.Lock()
	holder, ok := c.workers[worker]
	c.mu.Unlock()
	if !ok {
		return false
	}
	over := make(chan struct{})
	defer c.clock.AfterFunc(pause, func() { close(over) }).Stop()
	select {
	case <-over:
		return true
	case <-holder.lost():
		return false
	}
}

// answer tries what somebody waits for. It would else wait until what is tried again here gets through, and nobody would
// learn why.
func (c *committer) answer() {
	c.mu.Lock()
	worker, asked := c.choose(pending.asked)
	c.mu.Unlock()
	if len(asked) > 0 {
		c.write(worker, asked)
	}
}

// halve puts the second half of a batch back to the front of the queue.
func (c *committer) halve(batch []pending) []pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = max(len(batch)/2, 1)
	c.queue = append(append([]pending(nil), batch[c.most:]...), c.queue...)
	if c.active < c.limit { // what is put back need not wait for what is tried again
		c.active++
		go c.run()
	}
	return batch[:c.most]
}

func (c *committer) succeeded(worker string, uncertain bool) {
	c.mu.Lock()
	c.most = min(2*c.most, maxBatch)
	holder := c.workers[worker]
	c.mu.Unlock()
	if uncertain && holder != nil {
		holder.recheck()
	}
}
