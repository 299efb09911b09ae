package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// sharing is how an activity shares its results. The zero value does not.
type sharing struct {
	on      bool
	ttl     time.Duration // 0: for ever
	version string
	key     string // of the user's own
	keyFunc func(in any) (string, error)
	keyOf   reflect.Type // what keyFunc takes
}

// Idempotent has calls of the activity with the same key run once, in whatever execution and on whatever worker they are
// made: a call gets the result of one that has completed, and waits for one that runs. The key is made of the activity's
// name, [CacheVersion] and the input, as JSON with sorted keys, unless [CacheKey] or [CacheKeyFunc] says otherwise.
//
// Nothing is kept of an attempt that fails; then the next call runs. So does one after the crash of the worker that ran
// it, which may have done part of its work. Results are kept for ever, or, with [Cached], for a time. A call that waits
// holds no slot. [backend.Results] tells what is stored.
func Idempotent() activityOption { return func(s *settings) { s.sharing.on = true } }

// Cached is [Idempotent] for a time: a result that is older than ttl, by the database's clock, is not used any more.
func Cached(ttl time.Duration) activityOption {
	return func(s *settings) {
		if ttl < time.Millisecond {
			s.fail(fmt.Errorf("cached for %v: want 1ms or more", ttl))
		}
		s.sharing.on, s.sharing.ttl = true, ttl
	}
}

// CacheVersion is part of the key of [Idempotent] and [Cached] activities: a new version does not use the results of the
// old one. Default "".
func CacheVersion(v string) activityOption { return func(s *settings) { s.sharing.version = v } }

// CacheKey is used instead of the input in the key of [Idempotent] and [Cached] activities.
func CacheKey(key string) activityOption {
	return func(s *settings) { s.sharing.key, s.sharing.keyFunc = key, nil }
}

// CacheKeyFunc makes of the input what is used instead of it in the key of [Idempotent] and [Cached] activities. It must
// be the same for the same input.
func CacheKeyFunc[I any](fn func(in I) string) activityOption {
	return func(s *settings) {
		s.sharing.keyOf = reflect.TypeFor[I]()
		s.sharing.keyFunc = func(in any) (string, error) {
			v, ok := in.(I)
			if !ok {
				return "", fmt.Errorf("cache key: the function takes %s, the activity %T", reflect.TypeFor[I](), in)
			}
			return fn(v), nil
		}
	}
}

// keyFor is the key of one call.
func (s *sharing) keyFor(activity string, in any) (string, error) {
	what, kind := []byte(s.key), "key"
	switch {
	case s.keyFunc != nil:
		key, err := s.keyFunc(in)
		if err != nil {
			return "", err
		}
		what = []byte(key)
	case s.key == "":
		var err error
		if what, err = canonical(in); err != nil {
			return "", err
		}
		kind = "input"
	}
	sum := sha256.New()
	for _, part := range []string{activity, s.version, kind} {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	_, _ = sum.Write(what)
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// canonical is a value as JSON with sorted keys, whatever order the fields of a struct have.
func canonical(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, payloadError("cache key: %T does not encode: %w", v, err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// errCrowded says that an attempt has waited for another's result in vain, and that there is no slot to run in now.
var errCrowded = errors.New("no slot is free")

// flights are the keys that calls of this engine are busy with. One call for a key asks the database; the others wait for
// it here.
type flights struct {
	mu sync.Mutex
	by map[string]chan struct{} // closed when the call has ended
}

// begin makes the caller the one; otherwise it returns what is closed when that one has ended.
func (f *flights) begin(key string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if over, ok := f.by[key]; ok {
		return over
	}
	if f.by == nil {
		f.by = map[string]chan struct{}{}
	}
	f.by[key] = make(chan struct{})
	return nil
}

func (f *flights) end(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.by[key])
	delete(f.by, key)
}

// share is an attempt at an activity whose result may be there already, or is being made by another call.
func (w *worker) share(ctx context.Context, a *activityTask) ([]byte, error) {
	key, waited := a.policy.shareKey, false
	for {
		over := w.e.flights.begin(key)
		if over == nil {
			break
		}
		waited = true
		w.aside(func() {
			select {
			case <-over:
			case <-ctx.Done():
			}
		})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	land := sync.OnceFunc(func() { w.e.flights.end(key) })
	defer land()
	r := backend.Reservation{Key: key, Worker: w.id, Task: a.id, Token: a.token}
	for pause := waitFirst; ; pause = min(2*pause, waitPoll) {
		reserved, err := w.e.db.ReserveResult(ctx, r)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			w.e.outage.failed("look for a kept result", err, append(a.attrs(), "in", pause)...)
		case reserved.Kept:
			return reserved.Result, nil
		case !reserved.Busy:
			a.shares(func() {
				w.free(ctx, a, r)
				land()
			})
			return w.run(ctx, a, r, waited)
		}
		waited = true
		w.aside(func() { err = w.e.sleep(ctx, pause) })
		if err != nil {
			return nil, err
		}
	}
}

// run does what was reserved, and keeps the result before the task's completion is written: a crash in between leaves a
// result that the task finds.
func (w *worker) run(ctx context.Context, a *activityTask, r backend.Reservation, waited bool) (result []byte, err error) {
	kept := false
	defer func() {
		if !kept {
			w.free(ctx, a, r)
		}
	}()
	if waited && w.overfull() {
		return nil, errCrowded
	}
	if result, err = w.call(ctx, a); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	kept, err = w.e.db.KeepResult(within, r, result, a.policy.shareFor)
	if err != nil {
		w.e.log.WarnContext(ctx, "the result of a task is not kept for other calls", append(a.attrs(), "error", err)...)
	}
	return result, nil // it was done, whether others learn of it or not
}

func (w *worker) free(ctx context.Context, a *activityTask, r backend.Reservation) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	// If this fails, the key stays reserved as long as this worker lives, and its own next call takes it over.
	if err := w.e.db.FreeResult(within, r); err != nil {
		w.e.log.WarnContext(ctx, "cannot free the key of a result", append(a.attrs(), "error", err)...)
	}
}

// shares notes how to let go of the attempt's key, should it have to be written off.
func (a *activityTask) shares(letGo func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.letGo = letGo
}

func (a *activityTask) sharesNoMore() (letGo func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	letGo, a.letGo = a.letGo, nil
	return letGo
}

// aside gives the slot back while fn waits.
func (w *worker) aside(fn func()) {
	w.release()
	w.refill()
	fn()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used++
}

// overfull tells whether attempts that waited aside have come back to more slots than there are.
func (w *worker) overfull() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.used > w.cfg.Slots
}
