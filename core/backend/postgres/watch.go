package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stentgo/stent/core/backend"
)

// Watch calls changed soon after a commit of another worker, in this program or in another one: when something is due in
// the queues, or an execution that the worker holds was woken. With worker "" it calls it too when an execution has
// ended; and with no queues for all of them.
//
// All watches of a handle share one connection. With [Notify] false, there is nobody who tells: Watch is an error.
func (db *DB) Watch(ctx context.Context, worker string, queues []string, changed func(backend.News)) error {
	if ctx.Err() != nil {
		return nil
	}
	if !db.opts.notify {
		return db.wrap(errSilent, "watch")
	}
	w := &watcher{worker: worker, queues: map[string]bool{}, told: make(chan struct{}, 1)}
	for _, q := range queues {
		w.queues[q] = true
	}
	if worker != "" {
		n, _, err := db.worker(ctx, worker)
		if err != nil && ctx.Err() == nil {
			return db.wrap(err, "watch for worker %s", worker)
		}
		w.n = n
	}
	if err := db.listener.add(w); err != nil {
		return db.wrap(err, "watch")
	}
	defer db.listener.remove(w)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-db.listener.closing:
			return db.wrap(errClosed, "watch")
		case <-w.told:
			changed(w.take())
		}
	}
}

var errSilent = errors.New("notifications are switched off")

// watcher is one Watch under way.
type watcher struct {
	worker string
	n      int32
	queues map[string]bool
	told   chan struct{}

	mu    sync.Mutex
	news  news // that concern it, since it was told
	woken bool // executions that the worker holds may be among them
}

// tell tells of news that concern the watcher.
func (w *watcher) tell(n news) {
	w.mu.Lock()
	w.news.merge(w.of(n))
	w.woken = w.woken || n.cut || n.workers[w.n]
	w.mu.Unlock()
	select {
	case w.told <- struct{}{}:
	default:
	}
}

// of is what is due in the watcher's queues according to news.
func (w *watcher) of(n news) news {
	mine := news{free: n.free, cut: n.cut}
	for q := range n.queues {
		if w.serves(q) {
			mine.due(q)
		}
	}
	for l, since := range n.lanes {
		if w.serves(l.Queue) {
			mine.dueIn(l, since)
		}
	}
	return mine
}

func (w *watcher) serves(queue string) bool { return len(w.queues) == 0 || w.queues[queue] }

// wants tells whether news concern the watcher.
func (w *watcher) wants(n news) bool {
	if w.worker == "" && n.done || n.cut || w.n != 0 && n.workers[w.n] || w.worker == "" && len(n.workers) > 0 {
		return true
	}
	mine := w.of(n)
	return mine.any()
}

// take takes what the watcher is to be told.
func (w *watcher) take() backend.News {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := backend.News{Woken: w.woken, Due: w.news.any() || w.news.cut}
	if vague := w.news.free || w.news.cut || len(w.news.queues) > 0; !vague && len(w.news.lanes) > 0 && len(w.news.lanes) <= fewLanes {
		n.At = w.news.places()
	}
	w.news, w.woken = news{}, false
	return n
}

// listener listens while anybody watches, on a connection of its own.
type listener struct {
	db      *DB
	closing chan struct{}

	mu       sync.Mutex
	watchers map[*watcher]struct{}
	stop     context.CancelFunc
	done     chan struct{} // of the last run
}

func newListener(db *DB) *listener {
	return &listener{db: db, closing: make(chan struct{}), watchers: map[*watcher]struct{}{}}
}

func (l *listener) add(w *watcher) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closing:
		return errClosed
	default:
	}
	l.watchers[w] = struct{}{}
	if len(l.watchers) > 1 {
		w.tell(everything) // the connection may have been told something already
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	before, done := l.done, make(chan struct{})
	l.stop, l.done = cancel, done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		l.run(ctx)
	}()
	return nil
}

func (l *listener) remove(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, w)
	if len(l.watchers) == 0 {
		l.stop()
	}
}

// close ends all watches and waits for the connection's end.
func (l *listener) close() {
	close(l.closing)
	l.mu.Lock()
	stop, done := l.stop, l.done
	l.mu.Unlock()
	if done != nil {
		stop()
		<-done
	}
}

// tell tells the watchers of this handle, but for the worker whose batch it was.
func (l *listener) tell(n news) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		if (n.worker == "" || w.worker != n.worker) && w.wants(n) {
			w.tell(n)
		}
	}
}

// everything is told where it is not known what has happened.
var everything = news{done: true, free: true, cut: true}

func (l *listener) tellAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		w.tell(everything)
	}
}

const (
	listenPause  = 50 * time.Millisecond // after a lost connection, doubled up to the next
	listenPauses = 2 * time.Second
	listenAlive  = 30 * time.Second // how long a connection may be silent before it is asked whether it is alive
)

// run listens until ctx ends, and connects anew when the connection is lost. What was missed meanwhile is made good by
// telling everybody.
func (l *listener) run(ctx context.Context) {
	for pause := listenPause; ctx.Err() == nil; pause = min(2*pause, listenPauses) {
		if err := l.listen(ctx, func() { pause = listenPause }); err == nil {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// listen uses one connection. It returns nil when ctx ends.
func (l *listener) listen(ctx context.Context, connected func()) error {
	conn, err := pgx.ConnectConfig(ctx, l.db.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(end)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{l.db.channel()}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	connected()
	l.tellAll()
	for {
		waiting, cancel := context.WithTimeout(ctx, listenAlive)
		note, err := conn.WaitForNotification(waiting)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if from, n := decodeNote(note.Payload); from != l.db.notes.from {
				l.tell(n)
			}
		case waiting.Err() != nil && !conn.IsClosed():
			if err := conn.Ping(ctx); err != nil {
				return err
			}
		default:
			return err
		}
	}
}
