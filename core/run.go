package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// run is an execution in a worker's memory: its workflow's goroutine, and what is known of its history.
//
// It moves in turns. A turn takes in what has happened (an activity ended, a timer fired, a signal came), lets the
// workflow go on until it waits again, and hands everything that changed to the committer as one command. So the end
// of one activity and the beginning of the next are one write. The workflow sees a result a moment before it is
// committed; nothing that it does then reaches the world before its turn has been committed, and if that is refused
// the run is dropped and another worker starts from what the database holds.
//
// The workflow's goroutine and the turn alternate and never run at once, so they share the fields below without a lock.
// At most one turn is under way, from taking in to commit; what happens meanwhile waits in events.
type run struct {
	w        *worker
	info     TaskInfo
	token    int64
	attempt  int
	crashes  int
	policy   taskPolicy
	input    []byte
	priority int
	handler  Handler
	number   int             // from 1: how often the execution has begun anew
	base     int             // the place after which its history begins
	parent   *backend.TaskID // whose call it is
	carrier  map[string]string
	metadata map[string]string
	flow     *Flow // nil before the first turn
	ownFlow  Flow
	warn     int // entries of the history
	most     int

	// For the middleware.
	middleware chain           // what stands around its tasks; set with flow
	tasks      context.Context //nolint:containedctx // what the contexts of its activities are made of; likewise
	started    time.Time
	reopened   bool

	steps    []*step // by Seq - base - 1
	byKey    map[string]*step
	signals  []backend.Signal // not consumed, in order
	consumed map[int64]bool   // signals that turns have consumed; a history that is read meanwhile may still show them
	unasked  int              // steps of the history that the workflow has not come to
	effects  int              // in the database
	wakes    int              // as of the last history or news that was taken in

	cancelling bool // the execution is to stop
	cancelSeen bool // and the workflow has been told, or is told with this turn

	slot     bool      // it holds one of the worker's slots, from its claim to its first wait
	parked   time.Time // since when it waits
	created  time.Time // by the database's clock
	admitted time.Time // since when it is in memory; kept only for metrics
	evict    bool      // it is to leave memory with the next turn that finds it waiting

	// Between the turn and the workflow's goroutine.
	draft    *backend.Turn // what the workflow adds to the turn
	flush    ClockTimer    // tells late that it takes long; nil before it is needed
	late     chan struct{}
	waiting  []*step       // what it waits for
	baton    chan struct{} // who passes it stops until it comes back, or has ended
	stops    bool          // it is to stop where it comes to what is new
	atNews   bool          // that is why it yielded
	begun    bool
	ended    bool
	killed   bool
	output   []byte
	ending   backend.Close // where it closes
	failure  error
	aborted  error // a fault that the engine found; counts before failure
	rejected error // why the database did not take a turn of this execution; it fails of that

	mu     sync.Mutex
	events []event
	spare  []event // the memory of those of the last turn
	known  int     // up to this place no step is one that others may end
	loaded bool    // its history has been read, or there is none
	busy   bool    // a turn is under way
	gone   bool    // no longer in the worker's memory

	taken error // why the execution is no longer the worker's, where that is known; nil otherwise
}

// event is something that happened to a run. Exactly one field is set; attempt goes with buried.
type event struct {
	completed *backend.Complete // by an activity on this worker
	buried    *backend.Bury
	attempt   int              // of the activity that was buried
	fired     *step            // a timer, or the timeout of a wait
	history   *backend.History // all that there was before the run
	news      *backend.History // something was written by somebody else
	evict     bool             // leave memory, if it only waits
	returned  int              // Seq of an activity that is back in its queue
}

// flushAfter is how long a workflow may compute before the results that it was given are committed without it.
const flushAfter = 20 * time.Millisecond

// deliver hands an event to the run and, unless a turn is under way, makes a turn of it. false if the run is gone.
func (r *run) deliver(ev event) bool {
	r.mu.Lock()
	if r.gone {
		r.mu.Unlock()
		return false
	}
	r.events = append(r.events, ev)
	turn := !r.busy
	r.busy = true
	r.mu.Unlock()
	if turn {
		r.turn()
	}
	return true
}

// first makes the history that a run begins with its first event. false if it has one already.
func (r *run) first(h *backend.History) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded || r.gone {
		return false
	}
	r.loaded = true
	r.events = append([]event{{history: h}}, r.events...)
	return true
}

// seize makes the caller the one who has the turn, to end the run. false if a turn is under way, whose commit will end
// it, or the run is gone.
func (r *run) seize() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone || r.busy && r.loaded {
		return false
	}
	r.busy, r.loaded = true, true
	return true
}

// waitsSince tells whether the run has been waiting since before a time.
func (r *run) waitsSince(limit time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.busy && !r.gone && r.parked.Before(limit)
}

// turnSoon has a turn done by another goroutine; busy is set.
func (r *run) turnSoon() {
	r.w.goroutines.Add(1)
	r.w.crew.turn(r)
}

func (r *run) turnAside() {
	defer r.w.goroutines.Done()
	r.turn()
}

// turn does one turn up to its commit; busy is set. Where nothing changes there is nothing to commit.
func (r *run) turn() {
	d := newDraft(r)
	t := &d.turn
	r.draft = &d.added
	r.evict = false
	r.takeInAll(t)
	r.matchSignals(t)
	if r.begun && !r.ended && isToldOf(r.waiting) {
		r.seeCancellation()
	}
	if !r.begun || !r.ended && anyResolved(r.waiting) {
		t = r.advance(t)
	}
	if t == nil {
		r.lose() // its results were refused
		return
	}
	t.Added, t.SetAside = r.draft.Added, r.draft.SetAside
	t.Forgotten, t.Stopped, t.Deserted = r.draft.Forgotten, r.draft.Stopped, r.draft.Deserted
	t.Settled = append(t.Settled, r.draft.Settled...)
	t.Effects, t.EffectsSeen = r.draft.Effects, r.draft.EffectsSeen

	if r.slot {
		r.slot = false
		r.w.release()
		defer r.w.refill() // after the turn's own activities have taken what they need, and in its transaction
	}
	if r.ended {
		r.conclude(t)
	} else {
		d.begin = r.lease(t, d.begin)
		r.parked = r.w.e.clock.Now()
		r.mayYield(t)
	}
	if isEmpty(t) {
		r.turned()
		r.w.refill() // the slot that the run may have held
		return
	}
	d.written = t
	r.w.e.committer.put(pending{worker: r.w.id, cmd: t, then: d})
}

// draft is a turn in the making and all that goes with it, in one piece of memory, with room for the usual turn: one
// activity has ended, and one begins.
type draft struct {
	run     *run
	turn    backend.Turn
	added   backend.Turn  // by the workflow; it goes into the turn that is written
	written *backend.Turn // turn, or another one where that was written early
	begin   []*step       // activities that begin here as soon as it is committed

	room struct {
		completed [1]*backend.Complete
		added     [1]backend.Add
		begin     [1]*step
	}
}

func newDraft(r *run) *draft {
	d := &draft{run: r}
	d.turn = backend.Turn{Execution: r.info.ExecutionID, Token: r.token, Completed: d.room.completed[:0]}
	d.added.Added = d.room.added[:0]
	d.begin = d.room.begin[:0]
	return d
}

// done is called by the committer.
func (d *draft) done(err error) { d.run.committed(d.written, d.begin, err) }

func isEmpty(t *backend.Turn) bool {
	return len(t.Completed)+len(t.Buried)+len(t.Settled)+len(t.Added)+len(t.SetAside)+len(t.Effects) == 0 &&
		t.Close == nil && t.Yield == nil && t.Again == nil && t.Continue == nil
}

// advance lets the workflow run until it waits or ends. Where that takes long, the results in t are committed first,
// so that a crash in a long computation does not repeat the activities before it; what is left of the turn is
// returned, or nil if the commit was refused.
func (r *run) advance(t *backend.Turn) *backend.Turn {
	if !r.begun {
		r.flow = newFlow(r)
		r.enter()
	} else {
		r.flow.caughtUp = true // what it waited for has happened, and it has never been beyond
	}
	if r.middleware.any() {
		return r.advanceWithin(t)
	}
	r.goOn()
	return r.yields(t)
}

// advanceWithin has the middleware stand around what is new to the workflow, and not around what it repeats.
func (r *run) advanceWithin(t *backend.Turn) *backend.Turn {
	if !r.flow.caughtUp {
		r.stops = true
		r.goOn()
		t = r.yields(t)
		r.stops = false
		switch {
		case t == nil, !r.atNews && !r.ended:
			return t
		case r.ended:
			r.turning(r.flow.base, func(context.Context) error { return r.outcome() })
			return t
		}
		r.atNews = false
	}
	r.turning(r.flow.base, func(ctx context.Context) error {
		r.flow.ctx = ctx
		r.goOn()
		t = r.yields(t)
		return r.outcome()
	})
	return t
}

// goOn lets the workflow's goroutine go on.
func (r *run) goOn() {
	if !r.begun {
		r.begun = true
		r.w.goroutines.Add(1)
		go r.body()
	} else {
		r.baton <- struct{}{}
	}
}

// outcome is the error that the workflow ended with, if it has ended.
func (r *run) outcome() error {
	if r.aborted != nil {
		return r.aborted
	}
	return r.failure
}

// yields waits until the workflow does.
func (r *run) yields(t *backend.Turn) *backend.Turn {
	if len(t.Completed)+len(t.Buried)+len(t.Settled) == 0 {
		<-r.baton
		return t
	}
	if r.flush == nil {
		late := make(chan struct{}, 1)
		r.late, r.flush = late, r.w.e.clock.AfterFunc(flushAfter, func() { late <- struct{}{} })
	} else {
		r.flush.Reset(flushAfter)
	}
	select {
	case <-r.baton:
		if !r.flush.Stop() {
			<-r.late
		}
		return t
	case <-r.late:
	}
	done := make(chan error, 1)
	r.w.submit(t, func(err error) {
		err = errors.Join(err, t.Err)
		r.finish(t, err)
		r.w.rejects(r, t)
		done <- err
	})
	err := <-done
	<-r.baton
	if err != nil {
		return nil
	}
	return &backend.Turn{Execution: t.Execution, Token: t.Token}
}

// context is for the engine's log: that of the last turn.
func (r *run) context() context.Context {
	if r.flow == nil {
		return withScope(context.Background(), &taskScope{info: r.info})
	}
	return r.flow.ctx
}

// body is the workflow's goroutine.
func (r *run) body() {
	defer r.w.goroutines.Done()
	defer func() { r.baton <- struct{}{} }() // also when the goroutine is made to end in the middle
	defer func() { r.ended = true }()
	defer func() {
		if v := recover(); v != nil {
			r.failure = recovered(v)
		}
	}()
	if r.rejected != nil {
		r.flow.abort(&codedError{CodeRejected, r.rejected})
	}
	r.output, r.failure = r.handler.workflow(r.flow, r.w.e.payloads, r.input)
	r.aborted = r.leftOut()
}

// park is called by the workflow's goroutine to wait for one of the steps.
func (r *run) park(steps []*step) {
	r.waiting = steps
	r.baton <- struct{}{}
	<-r.baton
	r.waiting = nil
}
