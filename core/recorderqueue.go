package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// recorderQueue stands between the engine and one recorder: putting an event into it allocates nothing and waits for
// nobody, and a goroutine that lives while there is something to tell calls the recorder. There are two buffers, which
// change places: one is filled while the other is told.
type recorderQueue struct {
	recorder MetricsRecorder
	log      *slog.Logger
	loop     func() // tell, as a value, so that starting it allocates nothing

	mu      sync.Mutex
	filling []recorded
	spare   []recorded
	telling bool
	dropped int  // since the last EventsDropped
	full    bool // and that was logged

	// Of the goroutine that tells.
	panics  int // since the last EventsDropped
	alarmed bool
}

// recorderQueueLimit is the most events that wait: a tenth of a second's at the engine's best, in under 2 MB.
const recorderQueueLimit = 16384

// recorded is an event of any type; it is copied, so that none is allocated.
type recorded struct {
	what        what
	flag        bool
	ctx         context.Context //nolint:containedctx // the task's, on its way to the recorder
	queue, step string
	kind        backend.Kind
	text        string
	n           int
	duration    time.Duration
	extra       any // a *Sample, or the channel of a flush
}

// what is the type of an event.
type what uint8

const (
	taskClaimed what = iota
	taskCompleted
	taskFailed
	deadLettered
	leaseRenewed
	leaseTakenOver
	writeFenced
	executionStarted
	executionFinished
	deadLetterReplayed
	deadLetterDiscarded
	claimEnded
	batchCommitted
	backendFailed
	eventsDropped
	sampled
	flushed
)

func newRecorderQueue(r MetricsRecorder) *recorderQueue {
	q := &recorderQueue{recorder: r}
	q.loop = q.tell
	return q
}

func (q *recorderQueue) put(e *recorded) {
	q.mu.Lock()
	if len(q.filling) >= recorderQueueLimit && e.what != flushed {
		q.dropped++
		first := !q.full
		q.full = true
		q.mu.Unlock()
		if first {
			q.log.Warn("a metrics recorder does not keep up; events are dropped until it does", "recorder", fmt.Sprintf("%T", q.recorder))
		}
		return
	}
	q.filling = append(q.filling, *e)
	if !q.telling {
		q.telling = true
		go q.loop()
	}
	q.mu.Unlock()
}

// tell hands events to the recorder until there are none. Whoever flushes waits for it.
func (q *recorderQueue) tell() {
	for {
		q.mu.Lock()
		if len(q.filling) == 0 {
			q.telling = false
			q.mu.Unlock()
			return
		}
		batch := q.filling
		q.filling, q.spare = q.spare, nil
		dropped := q.dropped
		q.dropped, q.full = 0, false
		q.mu.Unlock()

		for i := range batch {
			q.tellOne(&batch[i])
		}
		if dropped > 0 {
			q.log.Warn("a metrics recorder did not keep up", "recorder", fmt.Sprintf("%T", q.recorder), "events_dropped", dropped)
			q.tellOne(&recorded{what: eventsDropped, n: dropped, text: string(QueueFull)})
		}
		if n := q.panics; n > 0 {
			q.panics = 0
			q.tellOne(&recorded{what: eventsDropped, n: n, text: string(Panicked)})
		}
		clear(batch) // lets go of the contexts

		q.mu.Lock()
		q.spare = batch[:0]
		q.mu.Unlock()
	}
}

func (q *recorderQueue) tellOne(e *recorded) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if e.what != eventsDropped { // or there would be no end of it
			q.panics++
		}
		if !q.alarmed {
			q.alarmed = true
			q.log.Error("a metrics recorder panicked; the event is lost, and this is told once",
				"recorder", fmt.Sprintf("%T", q.recorder), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	r, ctx := q.recorder, e.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	switch e.what {
	case taskClaimed:
		r.TaskClaimed(ctx, TaskClaimed{e.queue, e.step, e.kind, e.duration})
	case taskCompleted:
		r.TaskCompleted(ctx, TaskCompleted{e.queue, e.step, e.kind, e.duration})
	case taskFailed:
		r.TaskFailed(ctx, TaskFailed{e.queue, e.step, e.kind, e.text, e.flag, e.duration})
	case deadLettered:
		r.DeadLettered(ctx, DeadLettered{e.queue, e.step, e.kind, e.text, e.flag})
	case leaseRenewed:
		r.LeaseRenewed(ctx, LeaseRenewed{e.step, RenewalResult(e.text)})
	case leaseTakenOver:
		r.LeaseTakenOver(ctx, LeaseTakenOver{e.queue, e.step, e.kind, e.text})
	case writeFenced:
		r.WriteFenced(ctx, WriteFenced{e.text, e.step})
	case executionStarted:
		r.ExecutionStarted(ctx, ExecutionStarted{e.step, e.queue})
	case executionFinished:
		r.ExecutionFinished(ctx, ExecutionFinished{e.step, backend.State(e.text), e.duration})
	case deadLetterReplayed:
		r.DeadLetterReplayed(ctx, DeadLetterReplayed{e.queue, e.step})
	case deadLetterDiscarded:
		r.DeadLetterDiscarded(ctx, DeadLetterDiscarded{e.queue, e.step})
	case claimEnded:
		r.ClaimEnded(ctx, ClaimEnded{ClaimResult(e.text), e.n, e.duration})
	case batchCommitted:
		r.BatchCommitted(ctx, BatchCommitted{e.n, e.duration})
	case backendFailed:
		r.BackendFailed(ctx, BackendFailed{e.text, backend.Fault(e.step)})
	case eventsDropped:
		r.EventsDropped(ctx, EventsDropped{e.n, DropReason(e.text)})
	case sampled:
		r.Sampled(ctx, e.extra.(*Sample))
	case flushed:
		close(e.extra.(chan struct{}))
	}
}

// flusher is an optional ability of a recorder: to send what it has kept back.
type flusher interface {
	Flush(ctx context.Context) error
}

// flush returns when what was put before has been told and sent.
func (q *recorderQueue) flush(ctx context.Context) error {
	done := make(chan struct{})
	q.put(&recorded{what: flushed, extra: done})
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("flush metrics: recorder %T has not taken in what it was told: %w", q.recorder, ctx.Err())
	}
	if f, ok := q.recorder.(flusher); ok {
		if err := f.Flush(ctx); err != nil {
			return fmt.Errorf("flush metrics: recorder %T: %w", q.recorder, err)
		}
	}
	return nil
}

// FlushMetrics returns when the recorders have been told, and have sent, all that happened before, or with an error when
// ctx ends. The end of Serve does it too, for at most 5 s. It does nothing without recorders.
func (e *Engine) FlushMetrics(ctx context.Context) error {
	failed := make(chan error, len(e.metrics))
	for _, q := range e.metrics {
		go func() { failed <- q.flush(ctx) }()
	}
	var all error
	for range e.metrics {
		all = errors.Join(all, <-failed)
	}
	return all
}

// flushTimeout is how long the end of Serve waits for recorders.
const flushTimeout = 5 * time.Second

func (e *Engine) flushMetrics() {
	if len(e.metrics) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := e.FlushMetrics(ctx); err != nil {
		e.log.Warn("metrics may be lost", "error", err)
	}
}
