package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
	"github.com/stentgo/stent/core/internal/stack"
)

// news is what others want to know of what was committed.
type news struct {
	worker  string             // whose batch it was; it knows
	queues  map[string]bool    // in which something is due
	lanes   map[lane]time.Time // likewise, where it is known in which lanes: none of it is due before that; the lanes' own time is not set
	workers map[int32]bool     // whose executions were woken
	done    bool               // an execution has ended
	free    bool               // one more may run of an activity with a limit
	cut     bool               // queues and workers are left out
}

func (n *news) due(queue string) {
	if n.queues == nil {
		n.queues = map[string]bool{}
	}
	n.queues[queue] = true
}

// dueIn tells that tasks of a lane are due, none of them before a time.
func (n *news) dueIn(l lane, since time.Time) {
	l.Since = time.Time{}
	if n.lanes == nil {
		n.lanes = map[lane]time.Time{}
	}
	if known, ok := n.lanes[l]; !ok || since.Before(known) {
		n.lanes[l] = since
	}
}

// started tells of an execution that has just begun.
func (n *news) started(s *backend.Start) {
	if s.Delay > 0 || !s.At.IsZero() || len(s.Tags) > 0 {
		n.due(s.Queue)
		return
	}
	n.dueIn(lane{Queue: s.Queue, Step: s.Workflow, Rank: rankOf(s.Priority), Root: true}, time.Time{})
}

// added tells of an activity that was put into its queue.
func (n *news) added(a *backend.Add) {
	if a.Delay > 0 || len(a.Tags) > 0 {
		n.due(a.Queue)
		return
	}
	n.dueIn(lane{Queue: a.Queue, Step: a.Step, Rank: rankOf(a.Priority)}, time.Time{})
}

// written is called when it is known when that was.
func (n *news) written(now time.Time) {
	for l := range n.lanes {
		n.lanes[l] = now.Add(-laneSlack)
	}
}

// laneSlack is how long before its transaction a task may be due that it has made due: tasks of one statement are a
// microsecond apart, the last at the transaction's time. Ten thousand fill a claim, and the next one looks for all. It stands in
// notify.sql too.
const laneSlack = 10 * time.Millisecond

func (n *news) wake(worker int32) {
	if n.workers == nil {
		n.workers = map[int32]bool{}
	}
	n.workers[worker] = true
}

func (n *news) any() bool { return len(n.queues)+len(n.lanes)+len(n.workers) > 0 || n.done || n.free }

func (n *news) merge(o news) {
	for q := range o.queues {
		n.due(q)
	}
	for l, since := range o.lanes {
		n.dueIn(l, since)
	}
	for w := range o.workers {
		n.wake(w)
	}
	n.done, n.free = n.done || o.done, n.free || o.free
}

// note is news as it is sent.
type note struct {
	From    string   `json:"from,omitempty"`   // the handle, which has told its own watchers; "" if it has not
	Queues  []string `json:"queues,omitempty"` // in which something is due
	Lanes   lanes    `json:"lanes,omitempty"`  // where in these; none where that is not known of all of it
	Workers []int32  `json:"workers,omitempty"`
	Done    bool     `json:"done,omitempty"`
	All     bool     `json:"all,omitempty"` // it concerns everybody
	Cut     bool     `json:"cut,omitempty"` // the lists do not fit
	// Since is what a note that rides tells of the lanes' times: it is put in by the database.
	Since time.Time `json:"since,omitzero"`
}

// maxNote is less than what a NOTIFY can carry: 8000 bytes.
const maxNote = 7900

func (n *news) encode(from string) string {
	queues := maps.Clone(n.queues)
	for l := range n.lanes {
		if queues == nil {
			queues = map[string]bool{}
		}
		queues[l.Queue] = true
	}
	t := note{From: from, Queues: slices.Sorted(maps.Keys(queues)), Workers: slices.Sorted(maps.Keys(n.workers)), Done: n.done, All: n.free}
	if len(n.queues) == 0 && len(n.lanes) <= fewLanes {
		t.Lanes = n.places()
	}
	text := encode(t)
	if len(text) > maxNote {
		text = encode(note{From: from, Done: n.done, All: true, Cut: true})
	}
	return text
}

// fewLanes are not too many to be told one by one.
const fewLanes = 8

// places are the lanes with their times, in no order.
func (n *news) places() lanes {
	var all lanes
	for l, since := range n.lanes {
		l.Since = since
		all = append(all, l)
	}
	return all
}

func decodeNote(payload string) (from string, n news) {
	var t note
	if err := json.Unmarshal([]byte(payload), &t); err != nil {
		return "", everything // not ours, or a newer program's
	}
	n = news{done: t.Done, free: t.All, cut: t.Cut}
	for _, l := range t.Lanes {
		if l.Since.IsZero() {
			l.Since = t.Since
		}
		n.dueIn(l, l.Since)
	}
	for _, q := range t.Queues {
		if len(t.Lanes) == 0 {
			n.due(q)
		}
	}
	for _, w := range t.Workers {
		n.wake(w)
	}
	return t.From, n
}

// channel is where the schema's notes are sent.
func (db *DB) channel() string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(db.opts.schema))
	return "stent_" + strconv.FormatUint(sum.Sum64(), 36)
}

// tell tells others what a batch has made due. Where its note rode with the transaction, other programs know.
func (db *DB) tell(w *work, rode bool) {
	for _, c := range w.claims {
		if len(c.Limits) > 0 {
			db.limits.Store(true)
		}
	}
	if db.limits.Load() && w.endsTasks() {
		w.news.free = true
	}
	w.news.written(w.now)
	if db.listener.tell(w.news); !rode {
		db.notes.add(w.news)
	}
}

// endsTasks tells whether an activity may have ended that was claimed from a queue.
func (w *work) endsTasks() bool {
	return len(w.completes)+len(w.buries)+len(w.retries)+len(w.releases) > 0 ||
		slices.ContainsFunc(w.turns, func(t keyed[*backend.Turn]) bool {
			return len(t.cmd.Completed)+len(t.cmd.Buried)+len(t.cmd.Forgotten)+len(t.cmd.Stopped) > 0
		})
}

// notifier sends news, at once as long as notes are few, and then not more often than every few milliseconds. NOTIFY takes
// a lock of the whole database through its commit, so it is part of a batch's transaction only where that is short and alone
// (ride.go).
type notifier struct {
	db   *DB
	from string

	closing chan struct{}

	mu      sync.Mutex
	news    news
	running chan struct{} // closed when the last run ends; nil if there is none
	pace    pace          // of the run that there is
	slow    bool          // the last transaction with which a note rode, or might have ridden, took rideFor
	rideFor time.Duration
	// rideAfter is when notes may ride again after a transaction failed with one.
	rideAfter time.Time
}

// notePace is that of notes: five at once, and then 250 a second.
var notePace = pace{every: 4 * time.Millisecond, burst: 5}

// pace bounds a rate and lets a few go at once: the generic cell rate algorithm of ITU-T I.371.
type pace struct {
	every time.Duration
	burst int
	due   time.Time // when the next one would be, were all at even distances
}

// wait is how long the next one has to wait; less than zero if it may go.
func (p *pace) wait(now time.Time) time.Duration {
	return p.due.Add(-time.Duration(p.burst-1) * p.every).Sub(now)
}

// went counts one.
func (p *pace) went(now time.Time) {
	if p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(p.every)
}

// notify sends a note. No crash leaves anything of it, so its commit need not wait for the disk.
const notify = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"

// notifyTimeout is how long one may take; a lost one is made good by the receiver's polling.
const notifyTimeout = 5 * time.Second

func newNotifier(db *DB) *notifier {
	return &notifier{db: db, from: rand.Text(), closing: make(chan struct{}), pace: notePace, rideFor: rideFor}
}

func (n *notifier) add(what news) {
	if !what.any() || !n.db.opts.notify {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.news.merge(what)
	if n.running == nil {
		n.running = make(chan struct{})
		go n.run(n.running)
	}
}

// run sends until there is nothing more to send.
func (n *notifier) run(ended chan struct{}) {
	stack.Grow()
	defer close(ended)
	for {
		n.pause()
		what, any := n.take()
		if !any {
			return
		}
		n.pace.went(time.Now())
		ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
		// An error is a database that cannot be reached; who waits for news looks by itself then.
		_, _ = n.db.pool.Exec(ctx, notify, n.db.channel(), what.encode(n.from))
		cancel()
	}
}

// pause waits until a note may be sent.
func (n *notifier) pause() {
	wait := n.pace.wait(time.Now())
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-n.closing:
	}
}

// take takes what is to be sent. If there is nothing, the run is over.
func (n *notifier) take() (what news, any bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	what, n.news = n.news, news{}
	if !what.any() {
		n.running = nil
		return what, false
	}
	return what, true
}

// close sends what is left and waits for it.
func (n *notifier) close() {
	close(n.closing)
	n.mu.Lock()
	running := n.running
	n.mu.Unlock()
	if running != nil {
		<-running
	}
}
