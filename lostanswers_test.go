package stent_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// forgetful is a backend that loses the answer to the first claim that says something: the transaction is committed, and
// the worker is told of an error.
type forgetful struct {
	backend.Backend
	about func(*backend.Claim) bool
	once  sync.Once
	lost  chan struct{}
}

func (f *forgetful) Commit(ctx context.Context, b *backend.Batch) error {
	err := f.Backend.Commit(ctx, b)
	for _, c := range b.Commands {
		if claim, ok := c.(*backend.Claim); ok && err == nil && f.about(claim) {
			f.once.Do(func() {
				err = errors.New("connection reset")
				close(f.lost)
			})
		}
	}
	return err
}

// loses is a program whose backend loses the answer to a claim.
func (w *world) loses(about func(*backend.Claim) bool, handlers ...core.Handler) (*program, *forgetful) {
	db := &forgetful{Backend: w.open(), about: about, lost: make(chan struct{})}
	return w.programOn(db, handlers...).serve(core.WorkerConfig{}), db
}

// What a claim took when its answer was lost is held by a worker that does not know of it, and whose lease stands.
func TestWhatWasClaimedWhenTheAnswerWasLostIsGivenBack(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		var did tally
		p, db := w.loses(func(c *backend.Claim) bool { return len(c.Tasks) > 0 }, orderHandlers(&did, nil)...)
		run := start(w.program(orderHandlers(&did, nil)...), orders, order{"1", 1}) // else its caller is told as well
		<-db.lost
		if got := wait(p, run); got != "receipt-1" {
			t.Errorf("result %q", got)
		}
		if did.of("charge") != 1 {
			t.Errorf("charged %d times", did.of("charge"))
		}
	})
}

// A claim also tells which executions in memory were woken. Where that was lost they are all looked at.
func TestAWakeThatWasLostWithItsAnswerIsMadeGood(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		p, db := w.loses(func(c *backend.Claim) bool { return len(c.Woken) > 0 }, approvals.Handle(receiveApprovals))
		run := start(p, approvals, 1)
		p.waits(run.ID(), backend.SignalWait, backend.Waiting)
		send(w.program(), run.ID(), "yes")
		<-db.lost
		if got := wait(p, run); len(got) != 1 || got[0] != "yes" {
			t.Errorf("result %q", got)
		}
	})
}
