package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Watch calls changed soon after a commit of another worker, in this program or in another one: when something is due in
// the queues, or an execution that the worker holds was woken. With worker "" it calls it too when an execution has
// ended; and with no queues for all of them.
//
// All watches of a handle share one connection. With [Notify] false, there is nobody who tells: Watch is an error.
func (db *DB) Watch(ctx context.Context, worker string, queues []string, changed func(woken bool)) error {
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
			changed(w.woken.Swap(false))
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
	woken  atomic.Bool // what is told may be of executions that the worker holds
}

func (w *watcher) tell(woken bool) {
	if woken {
		w.woken.Store(true)
	}
	select {
	case w.told <- struct{}{}:
	default:
	}
}

// wants tells whether news concern the watcher.
func (w *watcher) wants(n news) bool {
	if w.worker == "" && n.done || n.free || n.cut || w.n != 0 && n.workers[w.n] || w.worker == "" && len(n.workers) > 0 {
		return true
	}
	for q := range n.queues {
		if len(w.queues) == 0 || w.queues[q] {
			return true
		}
	}
	return false
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
		w.tell(true) // the connection may have been told something already
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
			w.tell(n.cut || n.workers[w.n])
		}
	}
}

func (l *listener) tellAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		w.tell(true)
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
