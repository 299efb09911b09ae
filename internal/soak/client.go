//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stentgo/stent/core"
	"github.com/stentgo/stent/core/backend"
)

// client starts executions, signals, cancels and mends them, and remembers what it was told.
type client struct {
	engine *core.Engine
	counts *counts
	mended string
	report *report

	mu         sync.Mutex
	random     *rand.Rand
	started    map[string]*started
	unanswered int // starts
	sends      int // signals
	unsure     int // of these, those whose sending ended in an error
	replays    int
	courted    atomic.Int64 // goroutines that care for single executions
}

// started is an execution that was asked for.
type started struct {
	kind     string
	plan     plan
	accepted bool // Start said so; else it may be there or not
	last     error

	letters []posted
}

// posted is a signal that was sent.
type posted struct {
	letter
	accepted bool
}

// patience bounds each call of the client: longer than any fault lasts.
const patience = time.Minute

// drive starts executions at a rate until the context ends.
func (c *client) drive(ctx context.Context, rate float64) {
	var starting sync.WaitGroup
	defer starting.Wait()
	for n := 0; ctx.Err() == nil; n++ {
		kind, p := c.choose()
		id := fmt.Sprintf("%s-%d", kind, n)
		starting.Go(func() { c.start(context.WithoutCancel(ctx), id, kind, p) })
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(float64(time.Second) / rate)):
		}
	}
}

// choose is what to start next, at random.
func (c *client) choose() (kind string, p plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.random
	p = plan{N: 1 + r.IntN(6), Takes: time.Duration(r.IntN(40)) * time.Millisecond}
	if r.IntN(5) == 0 {
		p.Fails = 1 + r.IntN(3)
	}
	switch n := r.IntN(100); {
	case n < 35:
		return "chain", plan{N: 2 + r.IntN(8), Fails: p.Fails, Takes: p.Takes}
	case n < 45:
		return "fan", p
	case n < 60:
		return "mailbox", plan{N: 3 + r.IntN(12), Takes: p.Takes}
	case n < 70:
		return "nap", p
	case n < 78:
		return "family", plan{N: 1 + r.IntN(3), Fails: p.Fails, Takes: p.Takes}
	case n < 86:
		return "again", plan{N: 2 + r.IntN(4), Fails: p.Fails, Takes: p.Takes}
	case n < 91:
		return "broken", p
	case n < 96:
		return "stopper", p
	case n < 99:
		return "late", p
	}
	return "patient", p
}

// start starts an execution and then does with it what it needs. After an error, which leaves open whether it was
// started, it asks again, at once or when all is well again: see startLeft.
func (c *client) start(ctx context.Context, id, kind string, p plan) {
	s := &started{kind: kind, plan: p}
	c.mu.Lock()
	c.started[id] = s
	tries := 1 + 200*c.random.IntN(2)
	c.mu.Unlock()
	for range tries {
		if c.tryStart(ctx, id, s) {
			c.care(ctx, id, s)
			return
		}
		<-time.After(50 * time.Millisecond)
	}
}

// startLeft starts again what got no answer. It asks more than once: the first to use a connection that a fault has broken
// is the first to see that it is broken.
func (c *client) startLeft(ctx context.Context) {
	for id, s := range c.started {
		if s.accepted {
			continue
		}
		c.unanswered++
		for end := time.Now().Add(patience); !c.tryStart(ctx, id, s) && time.Now().Before(end); {
			<-time.After(50 * time.Millisecond)
		}
		if s.accepted {
			c.care(ctx, id, s)
		}
	}
}

func (c *client) tryStart(ctx context.Context, id string, s *started) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := kinds[s.kind].Start(ctx, c.engine, s.plan, core.ID(id))
	if errors.Is(err, core.ErrAlreadyExists) {
		c.report.violate("starting %s again with the same input: %v", id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.accepted, s.last = err == nil, err
	return s.accepted
}

// care does what an execution needs from outside to come to its end.
func (c *client) care(ctx context.Context, id string, s *started) {
	c.courted.Add(1)
	go func() {
		defer c.courted.Add(-1)
		switch s.kind {
		case "mailbox":
			c.write(ctx, id, s)
		case "stopper":
			c.cancel(ctx, id)
		case "broken":
			c.mend(ctx, id)
		}
	}()
}

// write sends an execution its letters, each after the one before it was accepted. One whose sending failed may have
// arrived, and is sent again.
func (c *client) write(ctx context.Context, id string, s *started) {
	serial := 0
	for n := range s.plan.N {
		for accepted := false; !accepted; {
			l := letter{N: n, Serial: serial}
			serial++
			limited, cancel := context.WithTimeout(ctx, patience)
			err := mail.Send(limited, c.engine, id, l)
			cancel()
			accepted = err == nil
			c.mu.Lock()
			s.letters = append(s.letters, posted{l, accepted})
			c.sends++
			if !accepted {
				c.unsure++
			}
			pause := time.Duration(c.random.IntN(60)) * time.Millisecond
			c.mu.Unlock()
			if errors.Is(err, core.ErrFinished) && n == s.plan.N-1 {
				return // the last one had arrived
			}
			if errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrFinished) {
				c.report.violate("signal %d of %d to %s: %v", n, s.plan.N, id, err)
				return
			}
			<-time.After(pause)
		}
	}
}

// cancel asks an execution to stop until that is accepted.
func (c *client) cancel(ctx context.Context, id string) {
	c.mu.Lock()
	pause := time.Duration(c.random.IntN(2000)) * time.Millisecond
	c.mu.Unlock()
	for {
		<-time.After(pause)
		limited, cancel := context.WithTimeout(ctx, patience)
		err := c.engine.Cancel(limited, id, core.By("soak"))
		cancel()
		if err == nil {
			return
		}
		if errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrFinished) {
			c.report.violate("cancel %s: %v", id, err)
			return
		}
	}
}

// mend waits for an execution's dead letter, mends what was wrong, and replays it.
func (c *client) mend(ctx context.Context, id string) {
	for deadline := time.Now().Add(15 * time.Minute); time.Now().Before(deadline); <-time.After(200 * time.Millisecond) {
		limited, cancel := context.WithTimeout(ctx, patience)
		letters, err := c.engine.DeadLetters(limited, core.DeadLetterFilter{Execution: id})
		cancel()
		if err != nil {
			continue
		}
		s, err := c.engine.StateOf(ctx, id)
		if err == nil && s.State == backend.Completed {
			return
		}
		if len(letters) == 0 || err != nil || s.State != backend.Failed {
			continue
		}
		if err := os.WriteFile(filepath.Join(c.mended, id), nil, 0o600); err != nil {
			c.report.violate("mend %s: %v", id, err)
			return
		}
		limited, cancel = context.WithTimeout(ctx, patience)
		err = c.engine.Replay(limited, letters[0].Task, core.By("soak"))
		cancel()
		if err == nil {
			c.mu.Lock()
			c.replays++
			c.mu.Unlock()
		}
	}
}
