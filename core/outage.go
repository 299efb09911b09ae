package core

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// outage tells the log of an outage of the database: when it begins, when it has another cause, every few minutes while it
// goes on, and when it is over. What fails meanwhile and is tried again is told at the level of debugging, or one outage
// would be a line a second of each worker.
//
// It is over when things have worked for a while and nothing has failed meanwhile, and not with the first success: on a
// full disk what is small may still be written. A time in which nothing was tried, because the machine stood still, says
// nothing of either.
type outage struct {
	log   *slog.Logger
	clock Clock
	on    atomic.Bool // so that what works need not lock

	mu       sync.Mutex
	faults   []backend.Fault // that were told
	began    time.Time
	last     time.Time // error
	seen     time.Time // last error or success
	calm     time.Duration
	told     time.Time
	failures int
}

const (
	outageCalm   = 3 * time.Second
	outageGap    = time.Second // the longest pause between two tries: a longer time without any is no more calm than this
	outageRemind = 5 * time.Minute
)

// failed tells of an error after which the engine tries again by itself. doing is what it tried.
func (o *outage) failed(doing string, err error, attrs ...any) {
	fault := backend.FaultOf(err)
	now := o.clock.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	attrs = append([]any{"doing", doing, "fault", fault, "error", err}, attrs...)
	first := o.failures == 0
	if first {
		o.began = now
	}
	o.failures++
	o.last, o.seen, o.calm = now, now, 0
	o.on.Store(true)
	level := slog.LevelWarn
	if fault.NeedsSomebody() {
		level = slog.LevelError
	}
	switch {
	case !slices.Contains(o.faults, fault):
		o.faults, o.told = append(o.faults, fault), now
		o.log.Log(context.Background(), level, "the database cannot do its work; the engine tries again until it can", attrs...)
	case now.Sub(o.told) >= outageRemind:
		o.told = now
		o.log.Log(context.Background(), level, "the database still cannot do its work", append(attrs, "for", now.Sub(o.began), "errors", o.failures)...)
	default:
		o.log.Debug("cannot "+doing+", trying again", attrs...)
	}
}

// worked is called when the database has done something.
func (o *outage) worked() {
	if !o.on.Load() {
		return
	}
	now := o.clock.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures == 0 {
		return
	}
	o.calm += min(now.Sub(o.seen), outageGap)
	o.seen = now
	if o.calm < outageCalm {
		return
	}
	o.log.Info("the database does its work again", "faults", o.faults, "for", o.last.Sub(o.began), "errors", o.failures)
	o.faults, o.failures = nil, 0
	o.on.Store(false)
}
