package core

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// With timers that are over at once the race detector of Go 1.26 crashes here.
func TestWhatIsDueAtOnceIsCalledAndCanBeResetInABubble(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 2000 {
					called := make(chan struct{}, 1)
					timer := systemClock{}.AfterFunc(0, func() { called <- struct{}{} })
					<-called
					if timer.Stop() {
						t.Error("what was called was kept from it")
					}
					if timer.Reset(time.Hour) {
						t.Error("what was called was still to come")
					}
					<-called
				}
			})
		}
		wg.Wait()
	})
}
