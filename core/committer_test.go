package core

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentgo/stent/core/backend"
)

// slowly is a database of which each transaction waits to be let through.
type slowly struct {
	backend.Committer

	mu    sync.Mutex
	begun []int // commands of each that began
	let   chan struct{}
}

func (*slowly) Committers() int { return 2 }

func (s *slowly) Commit(_ context.Context, b *backend.Batch) error {
	s.mu.Lock()
	s.begun = append(s.begun, len(b.Commands))
	s.mu.Unlock()
	<-s.let
	return nil
}

// TestATransactionBesideAnotherHasAsManyCommands tells what is committed while another transaction is under way.
func TestATransactionBesideAnotherHasAsManyCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &slowly{let: make(chan struct{})}
		c := newCommitter(db, &outage{}, systemClock{}, nil)
		var answered atomic.Int32
		submit := func(n int) {
			for range n {
				c.submit("", &backend.Start{}, func(error) { answered.Add(1) })
			}
			synctest.Wait()
		}
		begun := func(when string, want ...int) {
			t.Helper()
			db.mu.Lock()
			defer db.mu.Unlock()
			if !slices.Equal(db.begun, want) {
				t.Fatalf("%s: transactions of %v commands, want %v", when, db.begun, want)
			}
		}
		submit(1)
		begun("on an idle engine", 1)
		submit(1)
		begun("one beside one", 1, 1)
		submit(6)
		begun("with both connections busy", 1, 1)
		db.let <- struct{}{}
		synctest.Wait()
		begun("when one is free", 1, 1, 6)
		db.let <- struct{}{}
		synctest.Wait()
		submit(3)
		begun("three beside six", 1, 1, 6)
		submit(3)
		begun("six beside six", 1, 1, 6, 6)
		submit(2)
		db.let <- struct{}{}
		synctest.Wait()
		begun("two beside six, when the other has ended", 1, 1, 6, 6)
		db.let <- struct{}{}
		synctest.Wait()
		begun("when all have ended", 1, 1, 6, 6, 2)
		submit(1)
		<-time.After(commitPatience - time.Millisecond)
		begun("one beside two", 1, 1, 6, 6, 2)
		<-time.After(time.Millisecond)
		synctest.Wait()
		begun("one that has waited for long", 1, 1, 6, 6, 2, 1)
		close(db.let)
		c.flush()
		if n := answered.Load(); n != 17 {
			t.Errorf("%d commands were answered, want 17", n)
		}
	})
}
