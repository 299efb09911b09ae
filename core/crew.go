package core

import "sync"

// crew are goroutines that do turns, one after the other. A new goroutine has a small stack, which it would outgrow in most turns:
// codecs, middleware and what that calls are deep, and to copy a stack two or three times costs more than the rest of a turn. A
// hand of the crew keeps the stack that it has grown; the garbage collector takes it from those that rest for long.
type crew struct {
	mu      sync.Mutex
	resting []chan *run // of each its own; the last to rest comes last
	over    bool
	hands   sync.WaitGroup
}

// mostResting is enough for a busy worker; what a burst needed besides ends with it.
const mostResting = 64

// turn has a turn of a run done. It does not wait.
func (c *crew) turn(r *run) {
	c.mu.Lock()
	if n := len(c.resting); n > 0 {
		hand := c.resting[n-1]
		c.resting = c.resting[:n-1]
		c.mu.Unlock()
		hand <- r
		return
	}
	c.hands.Add(1)
	c.mu.Unlock()
	go c.work(r)
}

func (c *crew) work(r *run) {
	defer c.hands.Done()
	hand := make(chan *run, 1)
	for r != nil {
		r.turnAside()
		if !c.rest(hand) {
			return
		}
		r = <-hand
	}
}

// rest tells whether the hand is to wait for another turn.
func (c *crew) rest(hand chan *run) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || len(c.resting) == mostResting {
		return false
	}
	c.resting = append(c.resting, hand)
	return true
}

// dismiss ends the hands, each after the turn that it does. wait returns when they have ended.
func (c *crew) dismiss() (wait func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for _, hand := range c.resting {
		close(hand)
	}
	c.resting = nil
	return c.hands.Wait
}
