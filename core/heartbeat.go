package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// Heartbeat says that an activity is alive, and how far it is. An activity that is limited by [HeartbeatTimeout] has to
// say so more often than that; any other may.
//
// The detail, any value that encodes, or nil for none, is there for the activity's next attempt: see [HeartbeatDetail].
// Calls cost no write each: what was said last is written together with the renewal of the worker's lease, every third of
// [WorkerConfig].Lease, and with the end of the attempt. What a worker that died had said after that is lost.
//
// The error is the context's cause if that has ended, so that a loop can end with it: [ErrCancelled], for example. It is
// an error to call it with a context that is not an activity's.
func Heartbeat(ctx context.Context, detail any) error {
	s, ok := ctx.Value(infoKey{}).(*taskScope)
	if !ok || s.info.Kind == backend.Orchestrator {
		return errors.New("heartbeat: the context is not that of an activity")
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if s.beats == nil {
		return nil // a test's own context
	}
	return s.beats.beat(s.info.Step, detail)
}

// HeartbeatDetail reads what an earlier attempt at this activity said last into v, a pointer. false if there was none, or
// it said nothing.
func HeartbeatDetail(ctx context.Context, v any) (bool, error) {
	s, ok := ctx.Value(infoKey{}).(*taskScope)
	if !ok || s.info.Kind == backend.Orchestrator {
		return false, errors.New("heartbeat detail: the context is not that of an activity")
	}
	if s.beats == nil || len(s.beats.before) == 0 {
		return false, nil
	}
	return true, s.beats.payloads.decode("heartbeat detail of activity ", s.info.Step, s.beats.before, v)
}

// heartbeats are what one attempt has said.
type heartbeats struct {
	payloads payloads
	clock    Clock
	before   []byte // by an earlier attempt

	mu     sync.Mutex
	last   time.Time
	detail []byte
	fresh  bool // detail is not in the database
}

func (b *heartbeats) beat(step string, detail any) error {
	var data []byte
	if detail != nil {
		var err error
		if data, err = b.payloads.encode("heartbeat detail of activity ", step, detail); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = b.clock.Now()
	if data != nil {
		b.detail, b.fresh = data, true
	}
	return nil
}

// since is how long nothing has been said.
func (b *heartbeats) since() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock.Now().Sub(b.last)
}

// take gives what is not in the database, once; nil if there is nothing.
func (b *heartbeats) take() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fresh {
		return nil
	}
	b.fresh = false
	return b.detail
}

// sayDetails has written what the activities here have said since the last time.
func (w *worker) sayDetails() {
	for _, a := range w.running() {
		if detail := a.beats.take(); detail != nil {
			w.submit(&backend.Beat{Task: a.id, Token: a.token, Detail: detail}, func(error) {}) // refused, its attempt is over
		}
	}
}
